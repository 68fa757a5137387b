"""Layers of a network: traced (`trace`, `run`), with formulas (`formulas`), as a `table`."""

from cnn_models.layers.run import milliseconds, outputs
from cnn_models.layers.trace import Layer, architecture_layers, architecture_milliseconds, describe

__all__ = ["Layer", "architecture_layers", "architecture_milliseconds", "describe", "milliseconds", "outputs"]
