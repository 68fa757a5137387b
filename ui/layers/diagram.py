"""A network as an SVG diagram, laid out from its traced layers: boxes are steps, lanes branches, arcs shortcuts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from cnn_models.layers import Layer
from cnn_models.layers.table import shape
from ui.common.templates import render
from ui.common.texts import mark
from ui.layers.names import row_id, short_kind_mark

# All in pixels.
GAP, LANE, FORK = 9, 8, 17  # between boxes, between lanes, and for lines that fork or join
LABEL = 64  # width of the label below a box
THIN = 5  # width of an elementwise step or a join
FOOT = 34  # height of two lines of text at the bottom

Line = tuple[str, bool]  # path data of SVG, and whether it is a shortcut
Text = tuple[float, float, Markup | str]  # centred at x, over the baseline y
Shape = tuple[str, list[Line] | dict[str, object] | list[Text]]  # `lines`, `box` or `label`


def diagram(network: Layer, title: str, index: int) -> Markup:
    """The diagram of the network with this number on the page; its boxes link to the rows."""
    _, height = _size(network)
    head = 18 if any(layer.children for layer in network.children) else 2
    shapes, width = _Layout(index, head + height).series(network.children, 4, head + height / 2, labelled=True)
    sides = {"width": f"{width + 4:.0f}", "height": f"{head + height + FOOT:.0f}"}
    return render("layers/diagram.html", title=title, shapes=shapes, **sides)


class _Layout:
    """Places the layers of the network with this number; labels are below `floor`."""

    def __init__(self, index: int, floor: float):
        self.index, self.floor = index, floor

    def series(self, layers: Sequence[Layer], x: float, y: float, labelled: bool = False) -> tuple[list[Shape], float]:
        """Layers in series from x, centred on y: shapes in drawing order, and the x at the end."""
        lines, over, before = [], [], None
        for are_lanes, group in groupby(layers, _is_lane):
            if are_lanes:
                shapes, x = self.lanes(list(group), x, y)
                over += shapes
                before = None
                continue
            for layer in group:
                width, _ = _size(layer)
                has_label = labelled and not _is_thin(layer)
                room = max(0, LABEL - width) / 2 if has_label else 0
                start = x + room + (_gap(before, layer) if before else 0)
                if before:
                    lines.append((f"M{x:.1f} {y:.1f}H{start:.1f}", False))
                over += self.block(layer, start, y) if layer.children else [self.step(layer, start, y)]
                x = start + width
                if has_label:
                    over.append(("label", self.label(layer, start + width / 2)))
                    lines.append((f"M{x:.1f} {y:.1f}h{room:.1f}", False))
                    x += room
                before = layer
        return [("lines", lines), *over], x

    def lanes(self, lanes: list[Layer], x: float, y: float) -> tuple[list[Shape], float]:
        """Branches above each other from x, centred on y, a shortcut at the top: shapes, and the x at the end."""
        lanes = sorted(lanes, key=lambda lane: lane.kind != "shortcut")
        sizes = [_size(lane) for lane in lanes]
        start, end = x + FORK, x + 2 * FORK + max(width for width, _ in sizes)
        top = y - (sum(height for _, height in sizes) + LANE * (len(lanes) - 1)) / 2
        lines, over = [], []
        for lane, (width, height) in zip(lanes, sizes, strict=True):
            at = top + height / 2
            fork = f"M{x:.1f} {y:.1f}C{x + 10:.1f} {y:.1f} {start - 10:.1f} {at:.1f} {start:.1f} {at:.1f}"
            join = f"H{end - FORK:.1f}C{end - FORK + 10:.1f} {at:.1f} {end - 10:.1f} {y:.1f} {end:.1f} {y:.1f}"
            lines.append((fork + join, lane.kind == "shortcut"))
            if lane.children:
                over += self.series(lane.children, (end - FORK + start - width) / 2, at)[0]
            top += height + LANE
        return [("lines", lines), *over], end

    def step(self, layer: Layer, x: float, y: float) -> Shape:
        return "box", self.box(layer, _family(layer), x, y, *_box(layer))

    def block(self, layer: Layer, x: float, y: float) -> list[Shape]:
        """A frame with a title, and the layers of the block in it."""
        width, height = _size(layer)
        title = [(round(x + width / 2, 1), round(y - height / 2 - 9, 1), layer.name)]
        frame = self.box(layer, "block", x, y, width + 4, height + 10) | {"corner": 5, "title": title}
        return [("box", frame), *self.series(layer.children, x, y)[0]]

    def box(self, layer: Layer, family: str, x: float, y: float, width: float, height: float) -> dict[str, object]:
        """A box from x, centred on y, that links to its row; `text` has the values of its description."""
        text = {"layer": layer.name, "output": shape(layer.output), "parameters": f"{layer.parameters:,}"}
        sides = {"x": x, "y": y - height / 2, "width": width, "height": height, "corner": 1.5}
        sides = {key: round(value, 1) for key, value in sides.items()}
        return {"row": row_id(self.index, layer), "family": family, "text": text, "title": [], **sides}

    def label(self, layer: Layer, x: float) -> list[Text]:
        """Two lines: kind and window, and shape of the output."""
        window = f" {shape(layer.kernel)}" if layer.kernel and "global" not in layer.kind else ""
        kind = short_kind_mark(layer.kind) + window
        below = {18: mark("layers.identity.short", "tspan") if layer.is_identity else kind, 30: shape(layer.output)}
        return [(round(x, 1), round(self.floor + pixels, 1), text) for pixels, text in below.items()]


def _is_lane(layer: Layer) -> bool:
    return layer.kind in ("branch", "shortcut")


def _is_thin(layer: Layer) -> bool:
    """Whether a step has neither weights nor a kernel: an activation, a join, a reshaping."""
    return not (layer.children or layer.parameters or layer.kernel)


def _family(layer: Layer) -> str:
    """The CSS class of a step's colour."""
    if len(layer.inputs) > 1:
        return "join"
    if layer.is_identity:
        return "identity"
    if _is_thin(layer):
        return "thin"
    if layer.kind == "linear":
        return "linear"
    return "convolution" if layer.macs else "pool"


def _box(layer: Layer) -> tuple[float, float]:
    """Width and height of a box: the logarithms of channels and side of a feature map, or of a vector's length."""
    channels, *sides = layer.output
    if not sides:
        return (THIN if _is_thin(layer) else 10), 10 + 5 * math.log2(channels)
    return (THIN if _is_thin(layer) else 5 + 2.5 * math.log2(channels)), 9 + 6.5 * math.log2(sides[-1])


def _gap(before: Layer, layer: Layer) -> float:
    """Pixels between two boxes: few before an activation, which belongs to the step before it."""
    return 1.5 if _is_thin(layer) and len(layer.inputs) == 1 and not before.children else GAP


def _size(layer: Layer) -> tuple[float, float]:
    """Width and height of a layer with its children."""
    if layer.kind == "shortcut":
        return 0, 12
    if not layer.children:
        return _box(layer)
    width, height, before = 0.0, 0.0, None
    for are_lanes, group in groupby(layer.children, _is_lane):
        group = list(group)
        sizes = [_size(child) for child in group]
        if are_lanes:
            width += max(w for w, _ in sizes) + 2 * FORK
            height = max(height, sum(h for _, h in sizes) + LANE * (len(sizes) - 1))
            before = None
            continue
        for child, (w, h) in zip(group, sizes, strict=True):
            width += w + (_gap(before, child) if before else 0)
            height, before = max(height, h), child
    return width, height
