"""The rows of the Layers tab: one or several networks, aligned by the size of their maps. HTML, without gradio."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from cnn_models import ARCHITECTURES
from cnn_models.layers import Layer
from cnn_models.layers.formulas import formulas
from cnn_models.layers.table import Column, shape, stages
from ui.common.numbers import memory, milliseconds, whole_percent
from ui.common.texts import attribute, mark
from ui.layers.diagram import anchor, kind

HEAD = ("layer", "window", "input", "output", "sees", "memory", "parameters", "macs", "time")
BARRED = ("parameters", "macs")  # columns of a number, its share and a bar
FORMULAS = {"output": "output", "parameters": "parameters", "macs": "macs", "memory": "bytes"}


def ids(index: int) -> str:
    """What the ids of the rows of a network begin with."""
    return f"layer{index}"


def rows(columns: Sequence[Column], strips: Sequence[dict[int, str]]) -> str:
    """All stages, one below the other, each with the networks side by side, and the totals.

    `strips` hold, for each network, the HTML that steps show of the drawing, by index.
    """
    head = "".join(
        f"<span><span class='layers-number'>{title}</span></span>" if key in BARRED else f"<span>{title}</span>"
        for key in HEAD
        for title in [mark(f"layers.{key}")]
    )
    body = []
    for stage, parts in stages(columns).items():
        sides = sorted({layer.output[-1] for part in parts for layer in part if len(layer.output) == 3}, reverse=True)
        sides = [side for side in sides if side > 1]
        label = " · ".join(f"{side}×{side}" for side in sides) if sides else mark("layers.vector")
        lists = "".join(
            f"<ol>{''.join(_Rows(column, index, strips[index]).item(layer) for layer in part)}</ol>"
            for index, (column, part) in enumerate(zip(columns, parts, strict=True))
        )
        title = f"<h3><b>{stage}</b> <small>{label}</small></h3>"
        body.append(f"<section>{title}<div class='layers-columns'>{lists}</div></section>")
    totals = "".join(f"<ol>{_Rows(column, 0, {}).total()}</ol>" for column in columns)
    names = [ARCHITECTURES[column.name].title for column in columns]
    titles = "".join(f"<b>{escape(name)}</b>" for name in names)
    return (
        f"<div class='layers-scroll{' layers-many' if len(columns) > 1 else ''}' style='--networks:{len(columns)}' "
        f"role='region' {attribute('aria-label', 'layers.table', names=', '.join(names))} tabindex='0'>"
        f"<div class='layers-row layers-head' aria-hidden='true'>{head}</div>"
        f"<div class='layers-columns layers-titles'>{titles}</div>{''.join(body)}"
        f"<section><div class='layers-columns'>{totals}</div></section></div>"
    )


class _Rows:
    """The rows of one network."""

    def __init__(self, column: Column, index: int, strips: dict[int, str]):
        self.column, self.index, self.strips = column, index, strips
        children = column.network.children
        self.most = {key: max(getattr(child, key) for child in children) for key in ("parameters", "macs")}

    def item(self, layer: Layer, parent: str = "") -> str:
        """A layer as a list item that opens: to its formulas, and a block to the layers in it; branches are open."""
        name = layer.name.removeprefix(f"{parent}.")
        if layer.kind == "branch":
            title = f"<b>{escape(name)}</b>"
        else:
            title = f"<b>{kind(layer)}</b>"
            title += f" <code>{escape(name)}</code>" if name.lower() != layer.kind.lower() else ""
        quiet = " layers-quiet" if not (layer.parameters or layer.kernel or layer.children) else ""
        strip = "" if layer.kind == "branch" else self.strips.get(list(layer.steps())[-1].index, "")
        if layer.kind == "shortcut":
            return f"<li class='layers-row layers-leaf{quiet}'>{self.cells(layer, title)}</li>"
        inside = "".join(self.item(child, layer.name if layer.kind != "branch" else parent) for child in layer.children)
        opened = " open" if layer.kind == "branch" else ""
        return (
            f"<li{' class=layers-block' if inside else ''}><details id='{ids(self.index)}-{anchor(layer)}'{opened}>"
            f"<summary class='layers-row {family(layer)}{quiet}'>{self.cells(layer, title)}</summary>"
            f"{self.more(layer)}{f'<ol>{inside}</ol>' if inside else ''}</details>{strip}</li>"
        )

    def total(self) -> str:
        network = self.column.network
        cells = self.cells(network, mark("layers.total", "b"), bars=False)
        return f"<li class='layers-row layers-leaf layers-sum'>{cells}</li>"

    def cells(self, layer: Layer, title: str, bars: bool = True) -> str:
        size = self.column.network.inputs[0][-1]
        texts = (
            title,
            window(layer),
            shape(layer.inputs[0]) if len(layer.inputs) == 1 else mark("layers.maps", count=len(layer.inputs)),
            shape(layer.output),
            mark("layers.all") if layer.receptive_field == size else f"{layer.receptive_field} px",
            memory(layer.memory),
            self.number(layer, "parameters", bars),
            self.number(layer, "macs", bars),
            milliseconds(self.column.time(layer)) if layer.kind != "shortcut" else "",
        )
        return "".join(f"<span>{text}</span>" for text in texts)

    def number(self, layer: Layer, key: str, bars: bool) -> str:
        """A figure with its unit for those who listen, its share of the network and a bar; empty for nothing."""
        if not (value := getattr(layer, key)):
            return ""
        text = f"{value:,}<u>{mark(f'layers.{key}')}</u>"
        if not bars:
            return f"<span class='layers-number'>{text}</span>"
        share = whole_percent(value / getattr(self.column.network, key))
        bar = f"<i style='--share:{value / self.most[key]:.4f}'></i>"
        return f"<span class='layers-number'>{text}<small>{share}</small>{bar}</span>"

    def more(self, layer: Layer) -> str:
        """What opens below a row: the formulas, and what the narrow columns leave out."""
        if layer.kind == "branch":  # always open: its layers say it all
            return ""
        facts = {
            "input": " + ".join(map(shape, layer.inputs)),
            "sees": f"{layer.receptive_field} px",
            "memory": memory(layer.memory),
            "time": milliseconds(self.column.time(layer)),
        }
        narrow = "".join(f"{mark(f'layers.{key}', 'dt')}<dd>{value}</dd>" for key, value in facts.items() if value)
        lines = "".join(
            f"{mark(f'layers.{FORMULAS[key]}', 'dt')}<dd>{escape(text)}</dd>" for key, text in formulas(layer).items()
        )
        return f"<div class='layers-more'><dl class='layers-narrow'>{narrow}</dl><dl>{lines}</dl></div>"


def family(layer: Layer) -> str:
    return "layers-linear" if layer.kind == "linear" else "layers-convolution"


def window(layer: Layer) -> str:
    """Kernel, and stride, padding and dilation where they do something."""
    if not layer.kernel:
        return ""
    settings = (("stride", layer.stride, 1), ("pad", layer.padding, 0), ("dilation", layer.dilation, 1))
    changed = [mark(f"layers.{word}", value=_side(pair)) for word, pair, usual in settings if pair != (usual, usual)]
    return f"{shape(layer.kernel)} <small>{' '.join(changed)}</small>"


def _side(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else shape(pair)
