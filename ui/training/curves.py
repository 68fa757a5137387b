"""The curves of runs in the Training tab, and what runs are called. HTML, without gradio."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain
from math import inf
from typing import Any, NamedTuple

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run, band, smooth
from ui.common.chart import SYMBOLS, Axis, Level, Line, around, chart, legend
from ui.common.colours import COLOURS
from ui.common.templates import render
from ui.common.texts import attribute, mark, say

HEIGHT = 250
QUANTITIES = ("accuracy", "loss", "lr", "images_per_second")
DOTTED = "2 3"
PARTS = {"val": "", "train": DOTTED}  # of accuracy and loss
UNNAMED = ("lr",)  # of a recipe without a name


class View(NamedTuple):
    """How curves are shown: over minutes instead of epochs, on a logarithmic axis, smoothed by a weight."""

    by_time: bool = False
    log: bool = False
    smoothing: float = 0.0


def colour_of(id: str) -> str:
    """The colour of a checkpoint id's network."""
    return COLOURS[id.split(".")[0]]


def symbols(groups: Sequence[list[Run]]) -> list[str]:
    """A symbol for each group, as groups of one network have the same colour; none for the first of a network."""
    names = [runs[0].id.split(".")[0] for runs in groups]
    found = ["", *SYMBOLS]
    return [found[names[:index].count(name) % len(found)] for index, name in enumerate(names)]


def name_of(id: str) -> str:
    """The title of a checkpoint id's network and data set."""
    architecture, dataset = id.split(".")
    return f"{ARCHITECTURES[architecture].title} · {DATASETS[dataset].title}"


def notes_of(run: Run) -> list[str]:
    """Keys of texts: without a card a run is under way or has stopped; one with a card began with other weights."""
    if run.card is None:
        return ["training.stopped" if run.stopped else "training.running"]
    return ["training.further"] if run.card.recipe.get("started_from") else []


def length_of(run: Run) -> tuple[str, dict[str, Any]] | None:
    """The key and the value of the text with the epochs of a run; None where their number is unknown."""
    epochs = run.changes.get("epochs", run.epochs if run.card else 0)
    return (f"training.length.{'one' if epochs == 1 else 'many'}", {"epochs": epochs}) if epochs else None


def changes_of(run: Run) -> list[str]:
    """The settings that a run changes in its recipe; of a run under way, its learning rate.

    Left out are the epochs, which `length_of` has, and initial weights, which the notes have.
    """
    if not run.card:
        return [_change(name, run.changes[name]) for name in UNNAMED if name in run.changes]
    left_out = {"epochs"} | ({"init"} if "training.further" in notes_of(run) else set())
    return [_change(name, value) for name, value in run.changes.items() if name not in left_out]


def _change(name: str, value: object) -> str:
    """A setting: `lr 0.01`, `bfloat16`, `compile`."""
    return name if value is True else str(value) if isinstance(value, str) else f"{name} {value}"


def label(runs: Sequence[Run], language: str = "") -> str:
    """What a group of runs is called in a language; without one, as HTML that follows the visitor's."""
    run = runs[0]
    word: Callable[..., str] = partial(say, language) if language else mark
    words = [run.recipe] * bool(run.card) + [word(key) for key in notes_of(run)]
    if length := length_of(run):
        words.append(word(length[0], **length[1]))
    words += changes_of(run)
    if len(runs) > 1:
        words.append(word("training.times", count=len(runs)))
    return f"{name_of(run.id)} · " + word("list.comma").join(words)


def curves_html(groups: Sequence[list[Run]], quantities: Sequence[str], view: View) -> Markup:
    """A chart of each quantity below one legend, whose entries switch the curves of a group off."""
    entries = [
        ((f"{symbol} " if symbol else "") + label(runs), colour_of(runs[0].id), "")
        for runs, symbol in zip(groups, symbols(groups), strict=True)
    ]
    return render(
        "training/curves.html",
        legend=legend(entries, [runs[0].group for runs in groups]),
        charts={quantity: curves(groups, quantity, view) for quantity in quantities},
    )


def curves(groups: Sequence[list[Run]], quantity: str, view: View) -> Markup:
    """The chart of a quantity: a network's colour a group, its seeds as mean and band, quoted accuracies as lines.

    On a logarithmic axis an accuracy is shown as its error, 100 % less the accuracy.
    """
    lines = [
        _line(runs, part, quantity, symbol, view)
        for runs, symbol in zip(groups, symbols(groups), strict=True)
        for part in (PARTS if quantity in ("accuracy", "loss") else ("",))
    ]
    x = Axis(0, max((at for line in lines for at, _ in line.points), default=1), whole=not view.by_time)
    levels = _reported(groups, view) if quantity == "accuracy" else []
    title = f"training.chart.{'error' if quantity == 'accuracy' and view.log else quantity}"
    below = mark("training.minutes" if view.by_time else "training.epoch")
    y = _scale(groups, quantity, lines, levels, view)
    return chart(mark(title), below, lines, x, y, label=attribute("aria-label", title), levels=levels, height=HEIGHT)


def _line(runs: list[Run], part: str, quantity: str, symbol: str, view: View) -> Line:
    """The curve of a group, the mean of its seeds between their lowest and highest."""
    column = f"{part}_{quantity}" if part else quantity
    times = band([run.minutes() if view.by_time else [row["epoch"] for row in run.history] for run in runs])
    values = band([_values(run, column, view) for run in runs])
    # There is no place for the infinite loss of a failed training, nor for zero on a logarithmic axis.
    least = 0 if view.log else -inf
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


def _values(run: Run, column: str, view: View) -> list[float]:
    values = [row[column] for row in run.history]
    if view.log and column.endswith("accuracy"):
        values = [100 - value for value in values]
    return smooth(values, view.smoothing)


def _reported(groups: Sequence[list[Run]], view: View) -> list[Level]:
    """The accuracies that others report for the networks."""
    return [
        Level(
            Markup("{} {}").format(name_of(id), mark("training.part.quoted")),
            colour_of(id),
            100 - QUOTED[id].accuracy if view.log else QUOTED[id].accuracy,
        )
        for id in dict.fromkeys(runs[0].id for runs in groups)
        if id in QUOTED
    ]


def _scale(
    groups: Sequence[list[Run]], quantity: str, lines: Sequence[Line], levels: Sequence[Level], view: View
) -> Axis:
    """The vertical axis: that of the accuracy begins where the runs are past their start, or at what others report."""
    reported = [level.value for level in levels]
    values = [value for line in lines for value in (*(y for _, y in line.points), *chain(*line.spread))]
    if view.log:
        return around([value for value in (*values, *reported) if value > 0], log=True)
    if quantity != "accuracy":
        return Axis(0, max(values, default=1))
    settled = [
        row[f"{part}_accuracy"]
        for runs in groups
        for run in runs
        for row in run.history[len(run.history) // 4 :]
        for part in PARTS
    ]
    return Axis(min([*settled, *reported], default=0) - 0.5, 100.2)
