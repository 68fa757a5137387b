"""The page of the Learn tab on averages: the study of ensembles and of test-time augmentation (TTA)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import gradio as gr
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.averaged import read_averaged
from cnn_models.analysis.statistics import CONFIDENCE, binomial_interval
from cnn_models.analysis.tta import SQUARES
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.colours import COLOURS, DASH
from ui.common.reading import all_known, known
from ui.common.templates import render
from ui.common.texts import attribute, mark, say

GREY = "#8a8a8a"


def ensembles_page(hub: ModelHub, tab: gr.Tab, whole: gr.Tab) -> None:
    """Choosers of the data set and of the networks of an ensemble, and the study, read again when `tab` is opened."""
    averaged = _read(hub)
    first = next(iter(averaged), next(iter(DATASETS)))
    gr.HTML(mark("learn.averages.why", "p class='lesson-why'"), apply_default_css=False)
    dataset = gr.Radio(
        [(spec.title, name) for name, spec in DATASETS.items()],
        value=first,
        label=say("en", "dataset.choose"),
        show_label=False,
        container=False,
    )
    networks = gr.CheckboxGroup(
        [(spec.title, name) for name, spec in ARCHITECTURES.items()],
        value=list(ARCHITECTURES),
        label=say("en", "layers.networks"),
        show_label=False,
        container=False,
        elem_id="averages-networks",
    )

    def show(dataset: object, chosen: object) -> Markup:
        return ensembles_html(hub, _read(hub), known(dataset, DATASETS), all_known(chosen, ARCHITECTURES))

    shown = gr.HTML(show(first, list(ARCHITECTURES)), elem_id="learn-averages", apply_default_css=False)
    gr.on(
        [dataset.input, networks.input, tab.select], show, [dataset, networks], shown, queue=False,
        show_progress="hidden", trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip


def _read(hub: ModelHub) -> dict[str, dict]:
    """The study, by data set; empty if the file is damaged, so that the page still opens."""
    try:
        return dict(read_averaged(hub.weights_dir))
    except (OSError, ValueError, TypeError):
        return {}


def ensembles_html(hub: ModelHub, averaged: dict, dataset: str, chosen: Sequence[str]) -> Markup:
    """Accuracy and cost of the ensemble of the chosen networks, of all ensembles, and of any number of crops."""
    found = averaged.get(dataset, {})
    macs = {
        id: architecture_layers(card.architecture, card.input_size).macs
        for id, card in hub.cards().items()
        if found.get("weights", {}).get(id) == card.weights_sha256
    }
    if not {"together", "looks"} <= found.keys() or macs.keys() != found["weights"].keys():
        command = "python -m training.evaluate --averages"
        return render("learn/missing.html", text=mark("averages.none"), command=command)
    crops, lines = found["looks"], _lines(found["looks"])
    return render(
        "learn/ensembles.html",
        missing=_missing(macs),
        chosen=_chosen(found["together"], macs, chosen),
        legend=_legend(lines, [each["pictures"] for each in crops.values()]),
        charts=[_ensembles(found["together"]), _crops(lines)],
        gain=_gain(crops),
        most=_most(crops),
        paper=_as_in_paper(_most(crops)),
        confidence=f"{100 * CONFIDENCE:g}",
        rows=[_row(id, each, _most(crops), macs[id]) for id, each in crops.items()],
    )


def _missing(macs: dict[str, int]) -> list[str]:
    """The networks that are not among the measured ones."""
    measured = {id.split(".")[0] for id in macs}
    return [spec.title for name, spec in ARCHITECTURES.items() if name not in measured]


def _legend(lines: Sequence[Line], counts: Sequence[int]) -> Markup:
    """Each network, and on how many images it was measured."""
    names = [
        Markup("{} ({})").format(line.name, mark("averages.of", count=f"{count:,}"))
        for line, count in zip(lines, counts, strict=True)
    ]
    return legend([(name, line.colour, line.dash) for name, line in zip(names, lines, strict=True)])


def _gain(crops: dict[str, dict]) -> dict[str, int]:
    """How many networks the most crops make better, and how many worse, than a single crop."""
    most = _most(crops)
    gains = [found["accuracy"][str(most)] - found["accuracy"]["1"] for found in crops.values()]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return {"count": len(gains), "better": better, "worse": worse, "crops": _as_in_paper(most)}


def _as_in_paper(count: int) -> int:
    """The number of crops that the paper counts for so many different ones."""
    return SQUARES * count if count > 1 else 1


def _most(crops: dict[str, dict]) -> int:
    """The largest number of different crops."""
    return max(int(count) for found in crops.values() for count in found["accuracy"])


def _interval(accuracy: float, count: int) -> str:
    """The confidence interval of an accuracy on `count` images; both in percent."""
    low, high = binomial_interval(round(count * accuracy / 100), count)
    return f"{low:.2f}–{high:.2f}"


def _chosen(together: list, macs: dict[str, int], chosen: Sequence[str]) -> dict[str, object]:
    """Accuracy and cost of the ensemble of the chosen networks; empty for no network."""
    picked = [id for id in macs if id.split(".")[0] in chosen]
    accuracy = next((accuracy for ids, accuracy in together if set(ids) == set(picked)), None)
    if accuracy is None:
        return {}
    cost = sum(macs[id] for id in picked)
    return {
        "count": len(picked),
        "accuracy": f"{accuracy:.2f}",
        "interval": _interval(accuracy, COUNT),
        "confidence": f"{100 * CONFIDENCE:g}",
        "macs": f"{cost:,}",
        "times": f"{cost / min(macs.values()):,.0f}",
    }


def _ensembles(together: list) -> Markup:
    """A chart of every ensemble as a dot, and of the mean over those of a size as a line."""
    dots = [
        Line(_names(ids), _colour(ids), [(len(ids), accuracy)], dots=[f"{_names(ids)}: {accuracy:.2f} %"])
        for ids, accuracy in together
    ]
    by_count: dict[int, list[float]] = {}
    for ids, accuracy in together:
        by_count.setdefault(len(ids), []).append(accuracy)
    mean = Line("x̄", GREY, [(count, fmean(values)) for count, values in by_count.items()], "4 3")
    accuracies = [accuracy for _, accuracy in together]
    x = Axis(0.5, max(by_count) + 0.5, whole=True)
    label = attribute("aria-label", "averages.together")
    lines, title = [mean, *dots], mark("averages.together")
    return chart(title, mark("averages.count"), lines, x, around(accuracies), label=label)


def _lines(crops: dict[str, dict]) -> list[Line]:
    """The lines of `_crops`."""
    lines = []
    for id, found in crops.items():
        name = id.split(".")[0]
        title = ARCHITECTURES[name].title
        points = sorted((_as_in_paper(int(count)), accuracy) for count, accuracy in found["accuracy"].items())
        pictures = found["pictures"]
        dots = [f"{title}: {count} → {accuracy:.2f} % ({_interval(accuracy, pictures)})" for count, accuracy in points]
        lines.append(Line(title, COLOURS[name], points, DASH[name], dots))
    return lines


def _crops(lines: Sequence[Line]) -> Markup:
    """A chart of the accuracy of each network over the number of crops."""
    values = [y for line in lines for _, y in line.points]
    most = max(x for line in lines for x, _ in line.points)
    x, label = Axis(1, most, whole=True), attribute("aria-label", "averages.looks")
    return chart(mark("averages.looks"), mark("averages.crops"), lines, x, around(values), label=label)


def _row(id: str, found: dict, most: int, macs: int) -> tuple[str, list[tuple[str, str]], list[str]]:
    """A network's title, its accuracy with one crop and with the most, and test images and MACs (those of one)."""
    count, ends = found["pictures"], (found["accuracy"]["1"], found["accuracy"][str(most)])
    accuracies = [(f"{accuracy:.2f}", _interval(accuracy, count)) for accuracy in ends]
    return _names([id]), accuracies, [f"{number:,}" for number in (count, macs, most * macs)]


def _names(ids: Sequence[str]) -> str:
    return " + ".join(ARCHITECTURES[id.split(".")[0]].title for id in ids)


def _colour(ids: Sequence[str]) -> str:
    """A single network's own; grey for several."""
    return COLOURS[ids[0].split(".")[0]] if len(ids) == 1 else GREY
