"""Kinds, windows, row ids and CSS classes of layers on the Layers tab."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from markupsafe import Markup, escape

from cnn_models.layers import Layer
from cnn_models.layers.table import shape
from ui.common.texts import TEXTS, mark


class Window(NamedTuple):
    """A kernel size, `3×3`, and text keys with the stride, padding and dilation that differ from PyTorch's defaults."""

    kernel: str
    settings: tuple[tuple[str, str], ...]


def window(layer: Layer) -> Window | None:
    """The window of a layer; None for a layer without one."""
    if not layer.kernel:
        return None
    settings = (("stride", layer.stride, 1), ("pad", layer.padding, 0), ("dilation", layer.dilation, 1))
    changed = tuple((key, _side(pair)) for key, pair, usual in settings if pair and pair != (usual, usual))
    return Window(shape(layer.kernel), changed)


def _side(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else shape(pair)


@cache
def kind_mark(kind: str, tag: str = "span") -> Markup:
    """The kind of a layer as HTML, in the visitor's language where it differs between languages."""
    return mark(key, tag) if (key := f"kind.{kind}") in TEXTS["en"] else escape(kind)


@cache
def short_kind_mark(kind: str) -> Markup:
    """The kind of a layer as SVG text, abbreviated where there is an abbreviation."""
    return mark(key, "tspan") if (key := f"short.{kind}") in TEXTS["en"] else kind_mark(kind, "tspan")


def heading(layer: Layer) -> Markup:
    """The kind of a layer as HTML, with a note if it is the identity."""
    return kind_mark(layer.kind) + (Markup(" ") + mark("layers.identity", "small") if layer.is_identity else "")


def row_id(network: int, layer: Layer) -> str:
    """The HTML id of a layer's row in the network of this number, from its steps: `layer0-3`, or `layer0-3-7`."""
    indices = [step.index for step in layer.steps() if step.index is not None]
    return f"layer{network}-{indices[0]}" + (f"-{indices[-1]}" if layer.children else "")


def family(layer: Layer) -> str:
    """The CSS class of a layer's colour in rows and bars."""
    return "layers-linear" if layer.kind == "linear" else "layers-convolution"
