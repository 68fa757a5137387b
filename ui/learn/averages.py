"""The page of the Learn tab on averages: of many looks at a picture, and of many networks."""

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
from ui.common.texts import attribute, mark, say

GREY = "#8a8a8a"


def averages_page(hub: ModelHub, tab: gr.Tab, whole: gr.Tab) -> None:
    """Choosers of the data set and of the networks to average, and two charts."""
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

    def show(dataset: object, chosen: object) -> str:
        return averages_html(hub, _read(hub), known(dataset, DATASETS), all_known(chosen, ARCHITECTURES))

    shown = gr.HTML(show(first, list(ARCHITECTURES)), elem_id="learn-averages", apply_default_css=False)
    gr.on(
        [dataset.input, networks.input, tab.select], show, [dataset, networks], shown, queue=False,
        show_progress="hidden", trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip


def _read(hub: ModelHub) -> dict[str, dict]:
    """What was measured; a damaged file is as none, so that it stops nothing."""
    try:
        return dict(read_averaged(hub.weights_dir))
    except (OSError, ValueError, TypeError):
        return {}


def averages_html(hub: ModelHub, averaged: dict, dataset: str, chosen: Sequence[str]) -> str:
    """Accuracy and cost of the chosen networks averaged, of any number of them, and of any number of looks."""
    found = averaged.get(dataset, {})
    macs = {
        id: architecture_layers(card.architecture, card.input_size).macs
        for id, card in hub.cards().items()
        if found.get("weights", {}).get(id) == card.weights_sha256
    }
    if not {"together", "looks"} <= found.keys() or macs.keys() != found["weights"].keys():
        return (
            f"<p class='lesson-misfit'>{mark('averages.none')} <code>python -m training.evaluate --averages</code></p>"
        )
    lines, looks = _lines(found["looks"]), found["looks"]
    shown = [mark("averages.of", count=f"{each['pictures']:,}") for each in looks.values()]
    key = legend(
        [
            (Markup("{} ({})").format(line.name, of), line.colour, line.dash)
            for line, of in zip(lines, shown, strict=True)
        ]
    )
    charts = _together(found["together"]) + _looks(lines)
    return f"{_missing(macs)}{_chosen(found['together'], macs, chosen)}{key}<div class='charts-row'>{charts}</div>{_gain(looks)}{_table(looks, macs)}"


def _missing(macs: dict[str, int]) -> str:
    """The networks that are not among the measured ones."""
    measured = {id.split(".")[0] for id in macs}
    names = [spec.title for name, spec in ARCHITECTURES.items() if name not in measured]
    return f"<p>{mark('averages.missing')} {mark('list.comma').join(names)}</p>" if names else ""


def _gain(looks: dict[str, dict]) -> str:
    """How many networks have more, and how many fewer of the pictures right after the most looks than after one."""
    most = _most(looks)
    gains = [found["accuracy"][str(most)] - found["accuracy"]["1"] for found in looks.values()]
    better, worse = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return mark("averages.gain", "p", count=len(gains), better=better, worse=worse, crops=_as_in_paper(most))


def _as_in_paper(count: int) -> int:
    """How many crops the paper would count for so many different ones."""
    return SQUARES * count if count > 1 else 1


def _most(looks: dict[str, dict]) -> int:
    """The most different crops."""
    return max(int(count) for found in looks.values() for count in found["accuracy"])


def _interval(accuracy: float, count: int) -> str:
    low, high = binomial_interval(round(count * accuracy / 100), count)
    return f"{low:.2f}–{high:.2f}"


def _chosen(together: list, macs: dict[str, int], chosen: Sequence[str]) -> str:
    """What the chosen networks reach together, in a sentence."""
    picked = [id for id in macs if id.split(".")[0] in chosen]
    accuracy = next((accuracy for ids, accuracy in together if set(ids) == set(picked)), None)
    if accuracy is None:
        return mark("averages.choose", "p")
    cost = sum(macs[id] for id in picked)
    values = {"count": len(picked), "accuracy": f"{accuracy:.2f}", "interval": _interval(accuracy, COUNT)}
    values["confidence"] = f"{100 * CONFIDENCE:g}"
    return mark("averages.chosen", "p", **values, macs=f"{cost:,}", times=f"{cost / min(macs.values()):,.0f}")


def _together(together: list) -> str:
    """Every choice of networks as a dot, and the mean of each number of them as a line."""
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
    return chart(mark("averages.together"), mark("averages.count"), [mean, *dots], x, around(accuracies), label=label)


def _lines(looks: dict[str, dict]) -> list[Line]:
    """The accuracy of each network over the number of crops."""
    lines = []
    for id, found in looks.items():
        name = id.split(".")[0]
        title = ARCHITECTURES[name].title
        points = sorted((_as_in_paper(int(count)), accuracy) for count, accuracy in found["accuracy"].items())
        pictures = found["pictures"]
        dots = [f"{title}: {count} → {accuracy:.2f} % ({_interval(accuracy, pictures)})" for count, accuracy in points]
        lines.append(Line(title, COLOURS[name], points, DASH[name], dots))
    return lines


def _looks(lines: Sequence[Line]) -> str:
    values = [y for line in lines for _, y in line.points]
    most = max(x for line in lines for x, _ in line.points)
    x, label = Axis(1, most, whole=True), attribute("aria-label", "averages.looks")
    return chart(mark("averages.looks"), mark("averages.crops"), lines, x, around(values), label=label)


def _table(looks: dict[str, dict], macs: dict[str, int]) -> str:
    """What one look and the most of them reach and cost."""
    rows, most = [], _most(looks)
    paper = _as_in_paper(most)
    for id, found in looks.items():
        pictures, ends = found["pictures"], (found["accuracy"]["1"], found["accuracy"][str(most)])
        cells = [f"{accuracy:.2f} % <small>{_interval(accuracy, pictures)}</small>" for accuracy in ends]
        cells += [f"{pictures:,}", f"{macs[id]:,}", f"{most * macs[id]:,}"]
        title = ARCHITECTURES[id.split(".")[0]].title
        rows.append(f"<tr><th scope='row'>{title}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    heads = "".join(
        f"<th scope='col'>{head}</th>"
        for head in ("", mark("averages.one"), mark("averages.most", count=paper), mark("averages.pictures"),
                     mark("averages.macs"), mark("averages.macs.most", count=paper))
    )  # fmt: skip
    return (
        f"{mark('averages.paper', 'p', count=most, paper=paper)}"
        f"{mark('averages.interval', 'p', confidence=f'{100 * CONFIDENCE:g}')}"
        f"<div class='training-figures'><table class='switches-table'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _names(ids: Sequence[str]) -> str:
    return " + ".join(ARCHITECTURES[id.split(".")[0]].title for id in ids)


def _colour(ids: Sequence[str]) -> str:
    """A single network's own; grey for several."""
    return COLOURS[ids[0].split(".")[0]] if len(ids) == 1 else GREY
