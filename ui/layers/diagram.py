"""A network as an SVG drawing, laid out from its traced layers: boxes are steps, lanes are branches, arcs shortcuts."""

from __future__ import annotations

import math
from html import escape
from itertools import groupby

from cnn_models.layers import Layer
from cnn_models.layers.table import shape
from ui.common.texts import TEXTS, attribute, mark

GAP, LANE, FORK = 9, 8, 17  # pixels between boxes, between lanes, and for the lines that fork or join
LABEL = 64  # pixels that the label below a box needs
THIN = 5  # pixels of a step that only changes values, or only joins
FOOT = 34  # pixels for two lines of text below


def anchor(layer: Layer) -> str:
    """What tells a layer from the others of its network, in an id: the steps in it as `3`, or as `3-7` for a block."""
    indices = [step.index for step in layer.steps() if step.index is not None]
    return f"{indices[0]}" if not layer.children else f"{indices[0]}-{indices[-1]}"


def diagram(network: Layer, title: str, ids: str) -> str:
    """The drawing; its boxes link to `#<ids>-<anchor>`."""
    _, height = _size(network)
    head = 18 if any(layer.children for layer in network.children) else 2
    middle, floor = head + height / 2, head + height
    parts, width = _series(network.children, 4, middle, ids, floor)
    width, bottom = width + 4, floor + FOOT
    return (
        f"<div class='diagram' role='region' tabindex='0' {attribute('aria-label', 'layers.diagram', network=title)}>"
        f"<svg viewBox='0 0 {width:.0f} {bottom:.0f}' style='--width:{width:.0f}px' role='group'>"
        f"{''.join(parts)}</svg></div>"
    )


def _is_lane(layer: Layer) -> bool:
    return layer.kind in ("branch", "shortcut")


def _is_thin(layer: Layer) -> bool:
    """A step that neither weighs nor pools: an activation, a join, a reshaping."""
    return not (layer.children or layer.parameters or layer.kernel)


def _box(layer: Layer) -> tuple[float, float]:
    """Width and height: a map's channels and side, or a vector's length, all as logarithms."""
    channels, *sides = layer.output
    if not sides:
        return (THIN if _is_thin(layer) else 10), 10 + 5 * math.log2(channels)
    return (THIN if _is_thin(layer) else 5 + 2.5 * math.log2(channels)), 9 + 6.5 * math.log2(sides[-1])


def _gap(before: Layer, layer: Layer) -> float:
    """Space before a box; an activation leans on what it squashes."""
    return 1.5 if _is_thin(layer) and len(layer.inputs) == 1 and not before.children else GAP


def _size(layer: Layer) -> tuple[float, float]:
    if layer.kind == "shortcut":
        return 0, 12
    if not layer.children:
        return _box(layer)
    width, height, before = 0.0, 0.0, None
    for lanes, group in groupby(layer.children, _is_lane):
        group = list(group)
        sizes = [_size(child) for child in group]
        if lanes:
            width += max(w for w, _ in sizes) + 2 * FORK
            height = max(height, sum(h for _, h in sizes) + LANE * (len(sizes) - 1))
            before = None
            continue
        for child, (w, h) in zip(group, sizes, strict=True):
            width += w + (_gap(before, child) if before else 0)
            height, before = max(height, h), child
    return width, height


def _series(layers: tuple[Layer, ...], x: float, y: float, ids: str, floor: float = 0) -> tuple[list[str], float]:
    """The layers one after the other from x, around y; `floor` is where labels go, none inside blocks. Ends at x."""
    lines, boxes, before = [], [], None
    for lanes, group in groupby(layers, _is_lane):
        group = list(group)
        if lanes:
            drawn, x = _lanes(group, x, y, ids)
            boxes += drawn
            before = None
            continue
        for layer in group:
            width, height = _size(layer)
            wide = floor and not _is_thin(layer)
            room = max(0, LABEL - width) / 2 if wide else 0
            start = x + room + (_gap(before, layer) if before else 0)
            if before:
                lines.append(f"<path d='M{x:.1f} {y:.1f}H{start:.1f}'/>")
            if layer.children:
                drawn, x = _series(layer.children, start, y, ids)
                boxes.append(_block(layer, start, y, width, height, ids))
                boxes += drawn
            else:
                boxes.append(_step(layer, start, y, ids))
                x = start + width
            if wide:
                boxes.append(_label(layer, start + width / 2, floor))
                lines.append(f"<path d='M{x:.1f} {y:.1f}h{room:.1f}'/>")
                x += room
            before = layer
    return [f"<g class='diagram-lines'>{''.join(lines)}</g>", *boxes], x


def _lanes(lanes: list[Layer], x: float, y: float, ids: str) -> tuple[list[str], float]:
    """Branches above each other, a shortcut above them all, between two points on y."""
    lanes = sorted(lanes, key=lambda lane: lane.kind != "shortcut")
    sizes = [_size(lane) for lane in lanes]
    start, end = x + FORK, x + 2 * FORK + max(w for w, _ in sizes)
    top = y - (sum(h for _, h in sizes) + LANE * (len(lanes) - 1)) / 2
    lines, boxes = [], []
    for lane, (width, height) in zip(lanes, sizes, strict=True):
        at = top + height / 2
        fork = f"M{x:.1f} {y:.1f}C{x + 10:.1f} {y:.1f} {start - 10:.1f} {at:.1f} {start:.1f} {at:.1f}"
        join = f"H{end - FORK:.1f}C{end - FORK + 10:.1f} {at:.1f} {end - 10:.1f} {y:.1f} {end:.1f} {y:.1f}"
        arc = " class='diagram-shortcut'" if lane.kind == "shortcut" else ""
        lines.append(f"<path{arc} d='{fork}{join}'/>")
        if lane.children:
            middle = (end - FORK + start - width) / 2
            boxes += _series(lane.children, middle, at, ids)[0]
        top += height + LANE
    return [f"<g class='diagram-lines'>{''.join(lines)}</g>", *boxes], end


def _step(layer: Layer, x: float, y: float, ids: str) -> str:
    width, height = _box(layer)
    family = (
        "join" if len(layer.inputs) > 1
        else "thin" if _is_thin(layer)
        else "linear" if layer.kind == "linear"
        else "convolution" if layer.macs
        else "pool"
    )  # fmt: skip
    return (
        f"<a href='#{ids}-{anchor(layer)}' class='diagram-{family}' {_said(layer)}"
        f"<rect x='{x:.1f}' y='{y - height / 2:.1f}' width='{width:.1f}' height='{height:.1f}' rx='1.5'/></a>"
    )


def _block(layer: Layer, x: float, y: float, width: float, height: float, ids: str) -> str:
    top = y - height / 2 - 5
    return (
        f"<a href='#{ids}-{anchor(layer)}' class='diagram-block' {_said(layer)}"
        f"<rect x='{x:.1f}' y='{top:.1f}' width='{width + 4:.1f}' height='{height + 10:.1f}' rx='5'/>"
        f"<text x='{x + width / 2:.1f}' y='{top - 4:.1f}'>{escape(layer.name)}</text></a>"
    )


def _said(layer: Layer) -> str:
    """The end of a link's tag, and what is said of its box."""
    values = {"layer": layer.name, "output": shape(layer.output), "parameters": f"{layer.parameters:,}"}
    return f"{attribute('aria-label', 'layers.box', **values)}>{mark('layers.box', 'title', **values)}"


def _label(layer: Layer, x: float, floor: float) -> str:
    window = f" {shape(layer.kernel)}" if layer.kernel and "global" not in layer.kind else ""
    return (
        f"<g class='diagram-label'><text x='{x:.1f}' y='{floor + 18:.1f}'>{_short(layer)}{window}</text>"
        f"<text x='{x:.1f}' y='{floor + 30:.1f}'>{shape(layer.output)}</text></g>"
    )


def kind(layer: Layer, tag: str = "span") -> str:
    """What a layer is, in the visitor's language where there is a word for it."""
    key = f"kind.{layer.kind}"
    return mark(key, tag) if key in TEXTS["en"] else escape(layer.kind)


def _short(layer: Layer) -> str:
    key = f"short.{layer.kind}"
    return mark(key, "tspan") if key in TEXTS["en"] else kind(layer, "tspan")
