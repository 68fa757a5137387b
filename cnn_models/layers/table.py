"""The layers of networks as a table, aligned by spatial stage, in Markdown or CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cnn_models.architectures import ARCHITECTURES
from cnn_models.layers.operations import Shape
from cnn_models.layers.trace import Layer, architecture_layers, architecture_milliseconds

FIRST_STAGE = 224  # pixels; the next are 112, 56, ...
COLUMNS = (
    "network", "stage", "name", "kind", "kernel", "stride", "padding", "dilation", "input", "output", "parameters",
    "parameters %", "MACs", "MACs %", "memory bytes", "receptive field", "milliseconds",
)  # fmt: skip
TEXTS = ("network", "name", "kind")  # left-aligned columns


class Column(NamedTuple):
    """A network of the table: its name, its layers at one input size, and the time of each step."""

    name: str
    network: Layer
    milliseconds: list[float]

    def time(self, layer: Layer) -> float:
        """Milliseconds of a layer with its children."""
        return sum(self.milliseconds[step.index] for step in layer.steps() if step.index is not None)


def column(name: str, size: int | None = None) -> Column:
    """The column of an architecture. Raises UnknownName and ValueError as `architecture_layers` does."""
    return Column(name, architecture_layers(name, size), architecture_milliseconds(name, size))


def stage(layer: Layer) -> int:
    """The stage of a layer by the side of its output: the nearest of 224, 112, 56, 28, 14, 7, 4, 2; 1 without a map.

    Networks halve their maps except for borders, so that 54 and 26 pixels of one correspond to 56 and 28 of another.
    """
    side = layer.output[-1] if len(layer.output) == 3 else 1
    return 1 if side == 1 else math.ceil(FIRST_STAGE / 2 ** round(math.log2(FIRST_STAGE / side)))


def stages(columns: Sequence[Column]) -> dict[int, list[list[Layer]]]:
    """The outermost layers of each network, by stage in descending order; possibly none in a stage."""
    found = sorted({stage(layer) for each in columns for layer in each.network.children}, reverse=True)
    return {each: [[layer for layer in c.network.children if stage(layer) == each] for c in columns] for each in found}


def markdown(columns: Sequence[Column]) -> str:
    """The table in GitHub's Markdown."""
    rows = [[_readable(value) for value in row] for row in _rows(columns)]
    rule = ["---" if title in TEXTS else "---:" for title in COLUMNS]
    return "".join(f"| {' | '.join(row)} |\n" for row in [COLUMNS, rule, *rows])


def as_csv(columns: Sequence[Column]) -> str:
    """The table as CSV: plain numbers, RFC 4180 except for the line ends."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(columns))
    return file.getvalue()


def _rows(columns: Sequence[Column]) -> Iterator[list]:
    """The values of each step of each network, in the order of COLUMNS, by stage; then the totals."""
    for number, layers in stages(columns).items():
        for each, outermost in zip(columns, layers, strict=True):
            for layer in outermost:
                for step in layer.steps():
                    if step.index is not None:
                        inside = step is not layer and not step.name.startswith(f"{layer.name}.")
                        yield _row(each, step, number, f"{layer.name}." if inside else "")
    for each in columns:
        yield _row(each, each.network, "total")


def _row(each: Column, layer: Layer, stage: int | str, block: str = "") -> list:
    """The values of a layer; `block` is the prefix for a function, whose name has no path."""
    window = [shape(pair) if pair else "" for pair in (layer.kernel, layer.stride, layer.padding, layer.dilation)]
    return [
        ARCHITECTURES[each.name].title, stage, f"{block}{layer.name}", layer.kind, *window,
        " + ".join(map(shape, layer.inputs)), shape(layer.output),
        layer.parameters, round(100 * layer.parameters / each.network.parameters, 2),
        layer.macs, round(100 * layer.macs / each.network.macs, 2),
        layer.memory, layer.receptive_field, round(each.time(layer), 4),
    ]  # fmt: skip


def shape(sizes: Shape) -> str:
    return "×".join(f"{size}" for size in sizes)


def _readable(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value}"
