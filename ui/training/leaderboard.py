"""The leaderboard: a table of the evaluated networks of a data set, and their accuracy against a cost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

import gradio as gr
from markupsafe import Markup

from cnn_models import ModelHub
from cnn_models.analysis.statistics import CONFIDENCE
from cnn_models.checkpoints.folder import WEIGHTS
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers, architecture_milliseconds
from cnn_models.specs import Card
from ui.common.chart import Line, around, chart, decades
from ui.common.modules import on_load
from ui.common.numbers import milliseconds
from ui.common.reading import known
from ui.common.templates import render
from ui.common.texts import attribute, mark, say
from ui.training.curves import HEIGHT
from ui.training.names import colour_of, title_of
from ui.training.results import interval_of

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
        return title_of(self.card.id)

    @property
    def colour(self) -> str:
        return colour_of(self.card.id)


def leaderboard_section(hub: ModelHub) -> tuple:
    """Chooser of the cost, the table, and the plot."""

    def show(dataset: str, cost: object) -> list:
        entries = leaderboard(hub, dataset)
        return [leaderboard_html(entries), pareto(entries, known("cost", cost, COSTS))]

    table = gr.HTML(elem_id="training-ranking", apply_default_css=False)
    with gr.Row():
        with gr.Column(scale=3, min_width=320):
            plot = gr.HTML(js_on_load=on_load("common/chart.js"), elem_id="training-pareto", apply_default_css=False)
        with gr.Column(scale=2, min_width=320):
            cost = gr.Radio(
                [(say("en", f"training.cost.{name}"), name) for name in COSTS],
                value=COSTS[0], label=say("en", "training.against"), elem_id="training-cost",
            )  # fmt: skip
            measured = {"count": f"{COUNT:,}", "confidence": f"{100 * CONFIDENCE:g}"}
            gr.HTML(mark("training.pareto", "p class='training-note'", **measured), apply_default_css=False)
    return [cost], [table, plot], show


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
    costs = [cost_of(entry) for entry in entries]
    x = decades(costs, whole=bool(costs) and isinstance(costs[0], int))
    corners = [(cost_of(entry), each.accuracy) for before, entry in pairwise(best) for each in (before, entry)]
    ends = [(cost_of(entry), entry.accuracy) for entry in best]
    lines = [Line("", GREY, [*ends[:1], *corners, *[(x.high, accuracy) for _, accuracy in ends[-1:]]])]
    for entry in entries:
        title, (low, high) = entry.title, entry.interval
        dots, points = [f"{title}: {entry.accuracy:.2f} % ({low:.2f}–{high:.2f})"], [(cost_of(entry), entry.accuracy)]
        lines.append(Line(title, entry.colour, points, dots=dots, spread=[entry.interval], note=title))
    y = around([bound for entry in entries for bound in entry.interval], margin=0.08)
    title, below, label = mark("training.test"), mark(f"training.cost.{cost}"), attribute("aria-label", "training.test")
    return chart(title, below, lines, x, y, label=label, height=HEIGHT)
