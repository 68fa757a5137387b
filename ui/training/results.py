"""The final figures of the Training tab with their recipes, and the leaderboard. HTML, without gradio."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from markupsafe import Markup

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.analysis.statistics import CONFIDENCE, binomial_interval
from cnn_models.checkpoints.folder import WEIGHTS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers, architecture_milliseconds
from cnn_models.specs import Card
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.numbers import milliseconds
from ui.common.recipe import recipe_words, split_words
from ui.common.templates import render
from ui.common.texts import attribute, mark
from ui.training.curves import DOTTED, HEIGHT, colour_of, label, name_of, symbols

GREY = "#8a8a8a"  # readable on light and dark
COSTS = ("parameters", "macs", "milliseconds", "megabytes")


class Entry(NamedTuple):
    """A checkpoint on the leaderboard; accuracy and interval in percent of the test images."""

    card: Card
    accuracy: float
    interval: tuple[float, float]
    parameters: int
    macs: int
    milliseconds: float
    megabytes: float

    @property
    def title(self) -> str:
        return ARCHITECTURES[self.card.architecture].title

    @property
    def colour(self) -> str:
        return colour_of(self.card.id)


def interval_of(accuracy: float) -> tuple[float, float]:
    """The interval of an accuracy on the test images, in percent."""
    return binomial_interval(round(accuracy * COUNT / 100), COUNT)


def leaderboard(hub: ModelHub, dataset: str) -> list[Entry]:
    """The evaluated checkpoints of a data set, the best first."""
    entries = []
    for id, card in hub.cards().items():
        if card.dataset == dataset and (accuracy := card.on_test_set("accuracy")) is not None:
            weights = hub.weights_dir / id / WEIGHTS
            if not weights.is_file():
                continue
            layers = architecture_layers(card.architecture, card.input_size)
            time = sum(architecture_milliseconds(card.architecture, card.input_size))
            size = weights.stat().st_size / 1e6
            interval = interval_of(accuracy)
            entries.append(Entry(card, accuracy, interval, layers.parameters, layers.macs, time, size))
    return sorted(entries, key=lambda entry: -entry.accuracy)


def leaderboard_html(entries: Sequence[Entry]) -> Markup:
    """The leaderboard as a table; a sentence where nothing was evaluated."""
    confidence = f"{100 * CONFIDENCE:g}"
    return render("training/leaderboard.html", entries=entries, confidence=confidence, milliseconds=milliseconds)


def pareto(entries: Sequence[Entry], cost: str) -> Markup:
    """Test accuracy, with its interval, against a cost of COSTS; a line joins the checkpoints that none beats."""
    cost_of, best = attrgetter(cost), list[Entry]()
    for entry in sorted(entries, key=lambda entry: (cost_of(entry), -entry.accuracy)):
        if not best or entry.accuracy > best[-1].accuracy:
            best.append(entry)
    steps = zip([*best[:1], *best], best, strict=False)
    front = [(cost_of(entry), each.accuracy) for before, entry in steps for each in (before, entry)]
    lines = [Line("", GREY, front, DOTTED)]
    for entry in entries:
        title, (low, high) = entry.title, entry.interval
        dots, points = [f"{title}: {entry.accuracy:.2f} % ({low:.2f}–{high:.2f})"], [(cost_of(entry), entry.accuracy)]
        lines.append(Line(title, entry.colour, points, dots=dots, spread=[entry.interval], switch=title))
    costs = list(map(cost_of, entries)) or [1]
    x = Axis(min(costs) / 1.5, max(costs) * 1.5, log=True, whole=isinstance(costs[0], int))
    y = around([bound for entry in entries for bound in entry.interval])
    key = legend([(line.name, line.colour, "") for line in lines[1:]], [line.switch for line in lines[1:]])
    title, below, label = mark("training.test"), mark(f"training.cost.{cost}"), attribute("aria-label", "training.test")
    return key + chart(title, below, lines, x, y, label=label, height=HEIGHT)


def final_figures(groups: Sequence[list[Run]]) -> Markup:
    """The final figures of runs, each with its recipe folded away below it, and what others report."""
    reported = {runs[0].id: QUOTED[runs[0].id] for runs in groups if runs[0].id in QUOTED}
    return render(
        "training/figures.html",
        rows=[
            _row(run, symbol)
            for runs, symbol in zip(groups, symbols(groups), strict=True)
            for run in runs
        ],
        reported=[figure._asdict() | {"name": name_of(id)} for id, figure in reported.items()],
    )  # fmt: skip


def _row(run: Run, symbol: str) -> dict[str, object]:
    """What the table shows of a run; what was not measured is None."""
    card, last = run.card, run.history[-1]
    metrics = card.metrics if card else {}
    test, loss = (card.on_test_set(figure) if card else None for figure in ("accuracy", "loss"))
    return {
        "run": run,
        "title": f"{symbol} " + label([run]),
        "colour": colour_of(run.id),
        "validation": None if card and card.recipe.get("held_out") == 0 else last["val_accuracy"],
        "test": test,
        "interval": interval_of(test) if test else None,
        "loss": loss,
        "calibration": [metrics.get(name) for name in ("test_ece_uncalibrated", "test_ece")],
        "recipe": _recipe(card) if card else None,
    }


def _recipe(card: Card) -> dict[str, object]:
    """A card's recipe in words and as settings, and where the checkpoint is from."""
    made = mark("training.made", commit=card.commit[:12], date=card.date)
    split = split_words(card.split, card.recipe.get("teachers", ()))
    return {
        "words": recipe_words(card.recipe),
        "origin": mark("list.semicolon").join(filter(None, (split, made))),
        "settings": [
            (name, str(value))
            for name, value in sorted(card.recipe.items())
            if name not in ("changed", "started_from") and value not in (0, 0.0, False, "", None, [], {})
        ],
    }
