"""The table of the Layers tab: one or several networks, aligned by the size of their feature maps. HTML, no gradio."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cnn_models import ARCHITECTURES
from cnn_models.layers import Layer
from cnn_models.layers.formulas import formulas
from cnn_models.layers.table import Column, shape, stages
from ui.common.numbers import memory, milliseconds, whole_percent
from ui.common.templates import render
from ui.common.texts import mark
from ui.layers.names import family, heading, row_id, window

HEAD = ("layer", "window", "output", "receptive_field", "memory", "parameters", "macs", "time")
QUANTITIES = ("parameters", "macs")  # columns with a number, its share and a bar


def rows(columns: Sequence[Column], strips: Sequence[dict[int, Markup]]) -> Markup:
    """The table: the stages below each other, each with the networks side by side, and the totals.

    `strips` has, for each network, step indices with their channels as HTML.
    """
    networks = [_Network(column, index, strips[index]) for index, column in enumerate(columns)]
    found = [
        (size, _sides(parts), [list(map(each.row, part)) for each, part in zip(networks, parts, strict=True)])
        for size, parts in stages(columns).items()
    ]
    names = [ARCHITECTURES[column.name].title for column in columns]
    totals = [each.total() for each in networks]
    return render("layers/rows.html", head=HEAD, names=names, stages=found, totals=totals)


def _sides(parts: Sequence[Sequence[Layer]]) -> str:
    """The sizes of the feature maps in a stage, the largest first; empty if there are only vectors."""
    sides = {layer.output[-1] for part in parts for layer in part if len(layer.output) == 3} - {1}
    return " · ".join(f"{side}×{side}" for side in sorted(sides, reverse=True))


class _Network:
    """The rows of one network."""

    def __init__(self, column: Column, index: int, strips: dict[int, Markup]):
        self.column, self.network, self.index, self.strips = column, column.network, index, strips
        self.most = {key: max(getattr(child, key) for child in self.network.children) for key in QUANTITIES}

    def row(self, layer: Layer, parent: str = "") -> dict[str, object]:
        """A row with its `children`; the name is relative to the `parent` block, and shortcuts have no id."""
        name, is_branch, last = layer.name.removeprefix(f"{parent}."), layer.kind == "branch", list(layer.steps())[-1]
        return self._cells(layer) | {
            "heading": name if is_branch else heading(layer),
            "name": "" if is_branch or name.lower() == layer.kind.lower() else name,
            "figures": [(key, self._figure(layer, key)) for key in QUANTITIES],
            "id": "" if layer.kind == "shortcut" else row_id(self.index, layer),
            "is_branch": is_branch,
            "is_quiet": layer.is_identity or not (layer.parameters or layer.kernel or layer.children),
            "family": family(layer),
            "field": self._field(layer),
            "input": " + ".join(map(shape, layer.inputs)),
            "facts": self._facts(layer),
            "formulas": formulas(layer),
            "children": [self.row(child, parent if is_branch else layer.name) for child in layer.children],
            "strip": self.strips.get(last.index, "") if last.index is not None and not is_branch else "",
        }

    def total(self) -> dict[str, object]:
        """The row of the sums."""
        figures = [
            (key, {"value": f"{value:,}"} if (value := getattr(self.network, key)) else {}) for key in QUANTITIES
        ]
        return self._cells(self.network) | {"heading": "", "name": "", "figures": figures}

    def _cells(self, layer: Layer) -> dict[str, object]:
        """The cells of a row except its name and its QUANTITIES."""
        whole = layer.receptive_field == self.network.inputs[0][-1]
        return {
            "window": window(layer),
            "output": shape(layer.output),
            "receptive_field": mark("layers.all") if whole else f"{layer.receptive_field} px",
            "memory": memory(layer.memory),
            "time": milliseconds(self.column.time(layer)) if layer.kind != "shortcut" else "",
        }

    def _field(self, layer: Layer) -> str:
        """The size, jump and start of the central unit's receptive field, and the side of the input, in pixels.

        The jump is 0 where the unit has no neighbours: in feature maps of 1 × 1 and in vectors.
        """
        (first, end), side = layer.central_field, layer.output[-1] if len(layer.output) == 3 else 1
        return f"{end - first} {layer.field.jump if side > 1 else 0:g} {first} {self.network.inputs[0][-1]}"

    def _figure(self, layer: Layer, key: str) -> dict[str, str]:
        """A quantity, its share of the network's in percent, and the length of its bar, 0 to 1; empty for zero."""
        if not (value := getattr(layer, key)):
            return {}
        share = whole_percent(value / getattr(self.network, key))
        return {"value": f"{value:,}", "share": share, "bar": f"{value / self.most[key]:.4f}"}

    def _facts(self, layer: Layer) -> dict[str, str]:
        """Text keys with the values of cells that a narrow screen has no room for."""
        return {
            "receptive_field": f"{layer.receptive_field} px",
            "memory": memory(layer.memory),
            "time": milliseconds(self.column.time(layer)),
        }
