"""The page of the Learn tab on ensembles and multi-crop test-time augmentation (TTA)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from ui.common.colours import COLOURS, DASH, ENSEMBLE
from ui.common.reading import all_known, known
from ui.common.templates import render
from ui.common.texts import attribute, mark, say
from ui.learn.findings import EVENT, Sentence, found_html, why
from ui.learn.seeds import Ensemble, Seeds, read, seeds_html, seeds_sentences


def ensembles_page(hub: ModelHub, tab: gr.Tab, learn: gr.Tab, found: gr.HTML) -> None:
    """Choosers of the data set and of the networks of an ensemble; the results are read when `tab` is opened."""
    with gr.Row(elem_classes="lesson-row"):
        with gr.Column():
            why("ensembles")
            dataset = gr.Radio(
                [(spec.title, name) for name, spec in DATASETS.items()], value=next(iter(_read(hub) or DATASETS)),
                label=say("en", "dataset.choose"), show_label=False, container=False,
            )  # fmt: skip
            networks = gr.CheckboxGroup(
                [(spec.title, name) for name, spec in ARCHITECTURES.items()], value=list(ARCHITECTURES),
                label=say("en", "layers.networks"), show_label=False, container=False, elem_id="ensembles-networks",
            )  # fmt: skip
        shown = gr.HTML(elem_id="ensembles-shown", apply_default_css=False)

    def show(dataset: object, chosen: object) -> tuple[Markup, Markup]:
        results, seeds = _read(hub), read(hub)
        name, picked = known("dataset", dataset, DATASETS), all_known("networks", chosen, ARCHITECTURES)
        shown = ensembles_html(hub, results, name, picked)
        shown += seeds_html(seeds, name, _together(hub, results.get(name, {})))
        return shown, findings(hub, results, seeds)

    gr.on([dataset.input, networks.input, tab.select], show, [dataset, networks], [shown, found], **EVENT)


def _read(hub: ModelHub) -> dict[str, dict]:
    """The measured accuracies by data set; empty if the file is damaged, so that the page still opens."""
    try:
        return dict(read_averaged(hub.weights_dir))
    except (OSError, ValueError, TypeError):
        return {}


def ensembles_html(hub: ModelHub, results: dict, dataset: str, chosen: Sequence[str]) -> Markup:
    """HTML of accuracy and cost: the ensemble of the chosen networks, all ensembles, any number of crops.

    A sentence with the command that measures them, unless `results` are of the current checkpoints.
    """
    if not (macs := _macs(hub, results.get(dataset, {}))):
        command = "python -m training.evaluate --averages"
        return render("learn/missing.html", text=mark("ensembles.none"), command=command)
    crops, lines = results[dataset]["looks"], _lines(results[dataset]["looks"])
    together = results[dataset]["together"]
    return render(
        "learn/ensembles.html",
        missing=_missing(macs),
        chosen=_chosen(together, macs, chosen),
        legend=legend([(line.name, line.colour, line.dash) for line in lines]),
        charts=[_ensembles(together, {id for id in macs if id.split(".")[0] in chosen}), _crops(lines)],
        most=_most(crops),
        paper=_as_in_paper(_most(crops)),
        confidence=f"{100 * CONFIDENCE:g}",
        rows=[_row(id, each, _most(crops), macs[id]) for id, each in crops.items()],
    )


def _macs(hub: ModelHub, found: dict) -> dict[str, int]:
    """The MACs of the measured networks by checkpoint id; empty unless they are the current checkpoints."""
    macs = {
        id: architecture_layers(card.architecture, card.input_size).macs
        for id, card in hub.cards().items()
        if found.get("weights", {}).get(id) == card.weights_sha256
    }
    return macs if found.get("together") and found.get("looks") and macs.keys() == found["weights"].keys() else {}


def _together(hub: ModelHub, found: dict) -> Ensemble | None:
    """The ensemble of all networks of a data set; None unless these are the current checkpoints."""
    if not (macs := _macs(hub, found)):
        return None
    parameters = sum(architecture_layers(id.split(".")[0]).parameters for id in macs)
    return Ensemble(len(macs), found["accuracy"], parameters, sum(macs.values()))


def findings(hub: ModelHub, results: dict, seeds: Seeds = ()) -> Markup:
    """What was found: for each data set, both ensembles of all networks, the best, the gain of crops and of seeds."""
    return found_html(_sentences(hub, results, seeds))


def _sentences(hub: ModelHub, results: dict, seeds: Seeds) -> Iterator[Sentence]:
    for dataset in DATASETS:
        found = results.get(dataset, {})
        if macs := _macs(hub, found):
            accuracies = [(len(ids), accuracy) for ids, accuracy in found["together"]]
            accuracy = max(accuracies)[1]  # of the most networks
            single = max((accuracy for count, accuracy in accuracies if count == 1), default=accuracy)
            title = DATASETS[dataset].title
            values = {"count": len(macs), "accuracy": f"{accuracy:.2f}", "single": f"{single:.2f}"}
            yield "ensembles.found", {"dataset": title} | values
            if log_linear := found.get("log_linear"):
                yield "ensembles.log_linear", {"dataset": title} | _log_linear(log_linear, accuracy)
            yield "ensembles.gain", {"dataset": title} | _gain(found["looks"])
        yield from seeds_sentences(seeds, dataset, _together(hub, found))


def _log_linear(found: dict, soft_vote: float) -> dict[str, str]:
    """The accuracies of both ensembles of all networks, and the factors, largest first."""
    factors = sorted(found["factors"].items(), key=lambda each: -each[1])
    names = ", ".join(f"{_names([id])} {factor:.2f}" for id, factor in factors)
    return {"accuracy": f"{found['accuracy']:.2f}", "soft_vote": f"{soft_vote:.2f}", "factors": names}


def _missing(macs: dict[str, int]) -> list[str]:
    """The titles of the networks that were not measured."""
    measured = {id.split(".")[0] for id in macs}
    return [spec.title for name, spec in ARCHITECTURES.items() if name not in measured]


def _gain(crops: dict[str, dict]) -> dict[str, int]:
    """How many networks are more and how many less accurate with the most crops than with a single crop."""
    most = _most(crops)
    gains = [found["accuracy"][str(most)] - found["accuracy"]["1"] for found in crops.values()]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return {"count": len(gains), "better": better, "worse": worse, "crops": _as_in_paper(most)}


def _as_in_paper(count: int) -> int:
    """The number of crops by the count of the GoogLeNet paper, which counts the same square three times."""
    return SQUARES * count if count > 1 else 1


def _most(crops: dict[str, dict]) -> int:
    """The largest number of different crops that was measured."""
    return max(int(count) for found in crops.values() for count in found["accuracy"])


def _interval(accuracy: float, count: int) -> str:
    """The confidence interval of an accuracy on `count` images; both in percent."""
    low, high = binomial_interval(round(count * accuracy / 100), count)
    return f"{low:.2f}–{high:.2f}"


def _chosen(together: list, macs: dict[str, int], chosen: Sequence[str]) -> dict[str, object]:
    """Accuracy and cost of the ensemble of the chosen networks; empty if none of them was measured."""
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


def _ensembles(together: list, chosen: set[str]) -> Markup:
    """A chart of every ensemble as a dot, the chosen one as a star, and the mean over those of a size as a line."""
    dots = [
        Line(
            _names(ids),
            "var(--ensemble)" if set(ids) == chosen else _colour(ids),
            [(len(ids), accuracy)],
            dots=[f"{_names(ids)}: {accuracy:.2f} %"],
            symbol="★" if set(ids) == chosen else "",
        )
        for ids, accuracy in sorted(together, key=lambda each: set(each[0]) == chosen)
    ]
    by_count: dict[int, list[float]] = {}
    for ids, accuracy in together:
        by_count.setdefault(len(ids), []).append(accuracy)
    mean = Line("x̄", ENSEMBLE, [(count, fmean(values)) for count, values in by_count.items()], "4 3")
    accuracies = [accuracy for _, accuracy in together]
    x = Axis(0.5, max(by_count) + 0.5, whole=True)
    label = attribute("aria-label", "ensembles.every")
    lines, title = [mean, *dots], mark("ensembles.every")
    return chart(title, mark("ensembles.count"), lines, x, around(accuracies), label=label)


def _lines(crops: dict[str, dict]) -> list[Line]:
    """The accuracy of each network over the number of crops."""
    lines = []
    for id, found in crops.items():
        name = id.split(".")[0]
        title = ARCHITECTURES[name].title
        points = sorted((_as_in_paper(int(count)), accuracy) for count, accuracy in found["accuracy"].items())
        images = found["pictures"]
        dots = [f"{title}: {count} → {accuracy:.2f} % ({_interval(accuracy, images)})" for count, accuracy in points]
        lines.append(Line(title, COLOURS[name], points, DASH[name], dots))
    return lines


def _crops(lines: Sequence[Line]) -> Markup:
    """A chart of the `_lines`."""
    values = [y for line in lines for _, y in line.points]
    most = max(x for line in lines for x, _ in line.points)
    x, label = Axis(1, most, whole=True), attribute("aria-label", "ensembles.by_crops")
    return chart(mark("ensembles.by_crops"), mark("ensembles.crops"), lines, x, around(values), label=label)


def _row(id: str, found: dict, most: int, macs: int) -> tuple[str, list[tuple[str, str]], list[str]]:
    """Title, accuracies and intervals with a single crop and with `most`, then test images and MACs of both."""
    count, ends = found["pictures"], (found["accuracy"]["1"], found["accuracy"][str(most)])
    accuracies = [(f"{accuracy:.2f}", _interval(accuracy, count)) for accuracy in ends]
    return _names([id]), accuracies, [f"{number:,}" for number in (count, macs, most * macs)]


def _names(ids: Sequence[str]) -> str:
    return " + ".join(ARCHITECTURES[id.split(".")[0]].title for id in ids)


def _colour(ids: Sequence[str]) -> str:
    """The colour of a single network; that of ensembles otherwise."""
    return COLOURS[ids[0].split(".")[0]] if len(ids) == 1 else ENSEMBLE
