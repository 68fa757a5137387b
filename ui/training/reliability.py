"""The reliability diagrams of the Training tab: accuracy by confidence."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoints.evaluation import BINS, Bin
from cnn_models.checkpoints.folder import CheckpointError, read_evaluation
from cnn_models.specs import Card
from ui.common.chart import Axis, Line, chart, legend
from ui.common.colours import COLOURS
from ui.common.templates import render
from ui.common.texts import mark

GREY, BEFORE = "#8a8a8a", "4 3"
PERCENT = Axis(0, 100)


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
            diagrams.append((title, f"{card.temperature:.3g}", _lines(card, *evaluation.reliability)))
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
        missing=missing,
    )


def _lines(card: Card, before: Sequence[Bin], after: Sequence[Bin]) -> list[Line]:
    colour, diagonal = COLOURS[card.architecture], Line("", GREY, [(0, 0), (100, 100)], "1 3")
    calibrated = _line(f"T = {card.temperature:.3g}", after, colour, "")
    return [diagonal, _line("T = 1", before, colour, BEFORE), calibrated]


def _line(name: str, bins: Sequence[Bin], colour: str, dash: str) -> Line:
    filled = [bin for bin in bins if bin.count]
    points = [(100 * bin.confidence / bin.count, 100 * bin.right / bin.count) for bin in filled]
    dots = [
        f"{name}: {confidence:.1f} % → {accuracy:.1f} % ({bin.right:,} / {bin.count:,})"
        for bin, (confidence, accuracy) in zip(filled, points, strict=True)
    ]
    return Line(name, colour, points, dash, dots)
