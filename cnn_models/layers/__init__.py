"""Layers of a network: traced (`trace`, `run`), with formulas (`formulas`), as a `table`."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnn_models.layers.run import milliseconds, outputs
    from cnn_models.layers.trace import Layer, architecture_layers, architecture_milliseconds, describe

__all__ = ["Layer", "architecture_layers", "architecture_milliseconds", "describe", "milliseconds", "outputs"]


def __getattr__(name: str) -> object:
    """A public name, imported on first use: `python -m cnn_models.layers` parses its arguments without torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "run" if name in ("milliseconds", "outputs") else "trace"
    return getattr(import_module(f"{__name__}.{module}"), name)
