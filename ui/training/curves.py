"""The curves of runs in the Training tab. HTML, without gradio."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from math import inf
from typing import NamedTuple

from markupsafe import Markup

from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run, band, smooth
from ui.common.chart import Axis, Level, Line, around, chart, legend
from ui.common.templates import render
from ui.common.texts import attribute, mark
from ui.training.names import colour_of, label, symbols, title_of

HEIGHT = 250
QUANTITIES = ("accuracy", "loss", "lr", "images_per_second")
DOTTED = "2 3"
PARTS = {"val": "", "train": DOTTED}  # of accuracy and loss
SCALES = ("detail", "whole", "error")
SMALLEST = 1e-4  # of the highest learning rate: schedules end near zero


class View(NamedTuple):
    """How curves are shown: over minutes instead of epochs, on one of SCALES, smoothed by a weight.

    `detail` is the range in which accuracies differ, `whole` the one from zero, `error` is 100 % less the accuracy.
    Errors are on a logarithmic axis, losses and learning rates too unless the whole range is shown.
    """

    by_time: bool = False
    scale: str = "detail"
    smoothing: float = 0.0

    def is_error(self, quantity: str) -> bool:
        return quantity == "accuracy" and self.scale == "error"

    def is_log(self, quantity: str) -> bool:
        return self.is_error(quantity) or (quantity in ("loss", "lr") and self.scale != "whole")


def curves_html(groups: Sequence[list[Run]], quantities: Sequence[str], view: View) -> Markup:
    """A chart of each quantity below one legend, whose entries switch the curves of a group off."""
    entries = [
        ((f"{symbol} " if symbol else "") + label(runs), colour_of(runs[0].id), "")
        for runs, symbol in zip(groups, symbols(groups), strict=True)
    ]
    return render(
        "training/curves.html",
        groups=groups,
        legend=legend(entries, [runs[0].group for runs in groups]),
        charts={quantity: curves(groups, quantity, view) for quantity in quantities},
    )


def curves(groups: Sequence[list[Run]], quantity: str, view: View) -> Markup:
    """The chart of a quantity: a network's colour a group, its seeds as mean and band, quoted accuracies as lines."""
    lines = [
        _line(runs, part, quantity, symbol, view)
        for runs, symbol in zip(groups, symbols(groups), strict=True)
        for part in (PARTS if quantity in ("accuracy", "loss") else ("",))
    ]
    x = Axis(0, max((at for line in lines for at, _ in line.points), default=1), whole=not view.by_time)
    levels = _reported(groups, view) if quantity == "accuracy" else []
    title = f"training.chart.{'error' if view.is_error(quantity) else quantity}"
    below = mark("training.minutes" if view.by_time else "training.epoch")
    y = _scale(groups, quantity, lines, levels, view)
    return chart(mark(title), below, lines, x, y, label=attribute("aria-label", title), levels=levels, height=HEIGHT)


def _line(runs: list[Run], part: str, quantity: str, symbol: str, view: View) -> Line:
    """The curve of a group, the mean of its seeds between their lowest and highest."""
    column = f"{part}_{quantity}" if part else quantity
    times = band([run.minutes() if view.by_time else [row["epoch"] for row in run.history] for run in runs])
    values = band([_values(run, quantity, column, view) for run in runs])
    # There is no place for the infinite loss of a failed training, nor for zero on a logarithmic axis.
    least = 0 if view.is_log(quantity) else -inf
    found = [(x, *each) for (x, _, _), each in zip(times, values, strict=True) if least < each[0] < inf]
    return Line(
        label(runs) + (" " + mark(f"training.part.{part}") if part else ""),
        colour_of(runs[0].id),
        [(x, mean) for x, mean, _, _ in found],
        PARTS.get(part, ""),
        symbol=symbol,
        spread=[(low, high) for _, _, low, high in found] if len(runs) > 1 else (),
        switch=runs[0].group,
    )


def _values(run: Run, quantity: str, column: str, view: View) -> list[float]:
    values = [row[column] for row in run.history]
    if view.is_error(quantity):
        values = [100 - value for value in values]
    return smooth(values, view.smoothing)


def _reported(groups: Sequence[list[Run]], view: View) -> list[Level]:
    """The accuracies that others report for the networks."""
    return [
        Level(
            Markup("{} {}").format(title_of(id), mark("training.part.quoted")),
            colour_of(id),
            100 - QUOTED[id].accuracy if view.is_error("accuracy") else QUOTED[id].accuracy,
        )
        for id in dict.fromkeys(runs[0].id for runs in groups)
        if id in QUOTED
    ]


def _scale(
    groups: Sequence[list[Run]], quantity: str, lines: Sequence[Line], levels: Sequence[Level], view: View
) -> Axis:
    """The vertical axis: the detail of the accuracy begins where the runs are past their start."""
    reported = [level.value for level in levels]
    values = [value for line in lines for value in (*(y for _, y in line.points), *chain(*line.spread))]
    if view.is_log(quantity):
        positive = [value for value in (*values, *reported) if value > 0]
        least = max(positive, default=1) * (SMALLEST if quantity == "lr" else 0)
        return around([max(value, least) for value in positive], log=True, margin=0.05)
    if quantity != "accuracy":
        return Axis(0, max(values, default=1))
    if view.scale == "whole":
        return Axis(0, 100)
    settled = [
        row[f"{part}_accuracy"]
        for runs in groups
        for run in runs
        for row in run.history[len(run.history) // 4 :]
        for part in PARTS
    ]
    axis = around([*settled, *reported], margin=0.05)
    return axis._replace(high=min(axis.high, 100.2))
