"""The calibration diagrams of the Training tab: how often a network is right when it is so sure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoints.evaluation import BINS, Bin
from cnn_models.checkpoints.folder import CheckpointError, read_evaluation
from cnn_models.specs import Card
from ui.common.chart import Axis, Line, chart, legend
from ui.common.colours import COLOURS
from ui.common.texts import mark

GREY, BEFORE = "#8a8a8a", "4 3"
WHOLE = Axis(0, 100)


def reliability_html(hub: ModelHub, dataset: str) -> str:
    """A diagram for each evaluated network of a data set, before and after its temperature."""
    charts, missing = [], []
    for id, card in hub.cards().items():
        if card.dataset != dataset:
            continue
        try:
            evaluation = read_evaluation(hub.folder(id))
        except CheckpointError:
            evaluation = None
        if evaluation and evaluation.reliability:
            charts.append(_diagram(card, *evaluation.reliability))
        else:
            missing.append(ARCHITECTURES[card.architecture].title)
    left_out = mark("reliability.missing", "p class='training-none'", names=", ".join(missing)) if missing else ""
    if not charts:
        return left_out
    why = mark("reliability.why", "p class='training-note'", bins=BINS, dataset=DATASETS[dataset].title)
    key = legend([(mark("reliability.before"), GREY, BEFORE), (mark("reliability.after"), GREY, "")])
    return f"{why}{key}<div class='charts-row'>{''.join(charts)}</div>{left_out}"


def _diagram(card: Card, before: Sequence[Bin], after: Sequence[Bin]) -> str:
    title = Markup("{} <span>T = {:.3g}</span>").format(ARCHITECTURES[card.architecture].title, card.temperature)
    colour = COLOURS[card.architecture]
    lines = [Line("", GREY, [(0, 0), (100, 100)], "1 3"), _line("T = 1", before, colour, BEFORE)]
    lines.append(_line(f"T = {card.temperature:.3g}", after, colour, ""))
    return chart(title, mark("reliability.sure"), lines, WHOLE, WHOLE)


def _line(name: str, bins: Sequence[Bin], colour: str, dash: str) -> Line:
    filled = [bin for bin in bins if bin.count]
    points = [(100 * bin.confidence / bin.count, 100 * bin.right / bin.count) for bin in filled]
    dots = [
        f"{name}: {sure:.1f} % → {right:.1f} % ({bin.right:,} / {bin.count:,})"
        for bin, (sure, right) in zip(filled, points, strict=True)
    ]
    return Line(name, colour, points, dash, dots)
