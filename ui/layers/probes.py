"""Linear probes after each layer of the networks of a data set: a chart, and where each network knows the class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from cnn_models import ARCHITECTURES
from cnn_models.analysis.similarity import compared_layers
from cnn_models.analysis.similarity_results import TEST, TRAIN, architecture_of
from cnn_models.analysis.statistics import CONFIDENCE, binomial_interval
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.colours import COLOURS, DASH
from ui.common.templates import render
from ui.common.texts import attribute, mark

SHARE = 0.99  # of the accuracy at the output, from which a network counts as knowing the class


def probes_html(probes: Mapping[str, Sequence[float]]) -> Markup:
    """A chart and a sentence for each network; `probes` are accuracies in percent: of the pixels, then by layer.

    Empty where none are measured.
    """
    found = {name: probes[id] for name in ARCHITECTURES for id in probes if architecture_of(id) == name}
    if not found:
        return Markup()
    least = min(accuracies[-1] for accuracies in found.values())
    low, high = binomial_interval(round(least * TEST / 100), TEST)
    return render(
        "layers/probes.html",
        legend=legend([(ARCHITECTURES[name].title, COLOURS[name], DASH[name]) for name in found]),
        chart=_chart(found),
        pixels=f"{next(iter(found.values()))[0]:.1f}",
        share=f"{100 * SHARE:g}",
        sentences=[_sentence(*each) for each in found.items()],
        note={
            "train": f"{TRAIN:,}",
            "test": f"{TEST:,}",
            "confidence": f"{100 * CONFIDENCE:g}",
            "accuracy": f"{least:.1f}",
            "low": f"{low:.1f}",
            "high": f"{high:.1f}",
        },
    )


def _layers(name: str) -> list[str]:
    return [layer.name for layer in compared_layers(name)]


def _chart(found: Mapping[str, Sequence[float]]) -> Markup:
    """The accuracies over the share of the layers that are passed: all networks begin with the same pixels."""
    lines = []
    for name, accuracies in found.items():
        title, last = ARCHITECTURES[name].title, len(accuracies) - 1
        dots = [f"{title}, {layer}: {value:.1f} %" for layer, value in zip(_layers(name), accuracies[1:], strict=True)]
        points = [(100 * index / last, value) for index, value in enumerate(accuracies)]
        dots = [f"{title}: {accuracies[0]:.1f} %", *dots]
        lines.append(Line(title, COLOURS[name], points, DASH[name], dots))
    every = [value for accuracies in found.values() for value in accuracies]
    return chart(
        mark("probes.chart"), mark("probes.depth"), lines, Axis(0, 100), around(every, margin=0.05),
        label=attribute("aria-label", "probes.chart"),
    )  # fmt: skip


def _sentence(name: str, accuracies: Sequence[float]) -> tuple[str, dict[str, object]]:
    """The first layer after which a probe reaches `SHARE` of the accuracy at the output."""
    final = accuracies[-1]
    number = next(index for index, value in enumerate(accuracies) if index and value >= SHARE * final)
    values = {"network": ARCHITECTURES[name].title, "layer": _layers(name)[number - 1], "number": number}
    values |= {"count": len(accuracies) - 1, "value": f"{accuracies[number]:.1f}", "final": f"{final:.1f}"}
    return "probes.found", values
