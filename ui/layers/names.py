"""What the Layers tab calls a layer and its window."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from markupsafe import Markup, escape

from cnn_models.layers import Layer
from cnn_models.layers.table import shape
from ui.common.texts import TEXTS, mark


class Window(NamedTuple):
    """A kernel, `3×3`, and by text key the stride, padding and dilation that differ from PyTorch's defaults."""

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


def anchor(layer: Layer) -> str:
    """The part of an id that tells a layer from the others of its network: its step, `3`, or its steps, `3-7`."""
    indices = [step.index for step in layer.steps() if step.index is not None]
    return f"{indices[0]}-{indices[-1]}" if layer.children else f"{indices[0]}"


def ids(index: int) -> str:
    """The beginning of the ids of the rows of a network."""
    return f"layer{index}"


def family(layer: Layer) -> str:
    """The class of a layer's colour in rows and bars."""
    return "layers-linear" if layer.kind == "linear" else "layers-convolution"
