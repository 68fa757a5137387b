"""The reliability diagrams of the Training tab: accuracy by confidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.statistics import calibration_error_by_chance
from cnn_models.checkpoints.evaluation import BINS, Bin
from cnn_models.checkpoints.folder import CheckpointError, read_evaluation
from cnn_models.datasets.test_sets import COUNT
from cnn_models.specs import Card
from ui.common.chart import LEFT, RIGHT, WIDTH, Axis, Line, chart, legend
from ui.common.colours import COLOURS
from ui.common.templates import render
from ui.common.texts import mark

GREY, BEFORE = "#8a8a8a", "4 3"
PERCENT = Axis(0, 100)
HISTOGRAM = 60  # its height


def reliability_html(hub: ModelHub, dataset: str) -> Markup:
    """A diagram for each evaluated network of a data set, before and after temperature scaling."""
    diagrams, missing = [], []
    for id, card in hub.cards().items():
        if card.dataset != dataset:
            continue
        try:
            evaluation = read_evaluation(hub.folder(id))
        except CheckpointError:
            evaluation = None
        title = ARCHITECTURES[card.architecture].title
        if evaluation and evaluation.reliability:
            before, after = evaluation.reliability
            diagrams.append(
                (title, _facts(card, after), _lines(card, before, after), _bars(after), COLOURS[card.architecture])
            )
        else:
            missing.append(title)
    return render(
        "training/reliability.html",
        bins=BINS,
        dataset=DATASETS[dataset].title,
        key=legend([(mark("reliability.before"), GREY, BEFORE), (mark("reliability.after"), GREY, "")]),
        diagrams=diagrams,
        chart=chart,
        axis=PERCENT,
        width=WIDTH,
        left=LEFT,
        plot=WIDTH - LEFT - RIGHT,
        height=HISTOGRAM,
        missing=missing,
    )


def _facts(card: Card, bins: Sequence[Bin]) -> str:
    """The temperature, the expected calibration error (ECE) before and after, and by chance."""
    errors = [card.metrics.get(name) for name in ("test_ece_uncalibrated", "test_ece")]
    if None in errors:
        return f"T = {card.temperature:.3g}"
    change = " → ".join(f"{error:.2f}" for error in errors[card.temperature == 1 :])
    return f"T = {card.temperature:.3g}, ECE {change} % ({calibration_error_by_chance(bins):.2f} %)"


def _bars(bins: Sequence[Bin]) -> list[tuple[float, float, float, str]]:
    """The bar of each bin, its left end, width and height from 0 to 1, on a logarithmic axis, with its number."""
    count, most = len(bins), math.log10(1 + COUNT)
    return [
        (index / count, 1 / count, math.log10(1 + bin.count) / most,
         f"{100 * index / count:.0f}–{100 * (index + 1) / count:.0f} %: {bin.count:,}")
        for index, bin in enumerate(bins)
    ]  # fmt: skip


def _lines(card: Card, before: Sequence[Bin], after: Sequence[Bin]) -> list[Line]:
    colour, diagonal = COLOURS[card.architecture], Line("", GREY, [(0, 0), (100, 100)], "1 3")
    lines = [diagonal, _line(f"T = {card.temperature:.3g}", after, colour, "")]
    return lines if card.temperature == 1 else [*lines, _line("T = 1", before, colour, BEFORE)]


def _line(name: str, bins: Sequence[Bin], colour: str, dash: str) -> Line:
    filled = [bin for bin in bins if bin.count]
    points = [(100 * bin.confidence / bin.count, 100 * bin.right / bin.count) for bin in filled]
    dots = [
        f"{name}: {confidence:.1f} % → {accuracy:.1f} % ({bin.right:,} / {bin.count:,})"
        for bin, (confidence, accuracy) in zip(filled, points, strict=True)
    ]
    return Line(name, colour, points, dash, dots)
