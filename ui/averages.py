"""The page of the Learn tab on averages: of many looks at a picture, and of many networks."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

import gradio as gr

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.averaged import read_averaged
from cnn_models.layers import architecture_layers
from cnn_models.statistics import binomial_interval
from ui.chart import Axis, Line, around, chart, legend
from ui.colours import COLOURS, DASH
from ui.texts import mark

GREY = "#8a8a8a"


def averages_page(hub: ModelHub, tab: gr.Tab) -> None:
    """Choosers of the data set and of the networks to average, and two charts."""
    averaged = read_averaged(hub.weights_dir)
    first = next(iter(averaged), next(iter(DATASETS)))
    gr.HTML(mark("learn.averages.why", "p class='lesson-why'"), apply_default_css=False)
    dataset = gr.Radio(
        [(spec.title, name) for name, spec in DATASETS.items()], value=first, show_label=False, container=False
    )
    networks = gr.CheckboxGroup(
        [(spec.title, name) for name, spec in ARCHITECTURES.items()],
        value=list(ARCHITECTURES),
        show_label=False,
        container=False,
        elem_id="averages-networks",
    )

    def show(dataset: str, chosen: Sequence[str]) -> str:
        return averages_html(hub, read_averaged(hub.weights_dir), dataset, chosen)

    shown = gr.HTML(show(first, list(ARCHITECTURES)), elem_id="learn-averages", apply_default_css=False)
    for control in (dataset, networks):
        control.input(
            show, [dataset, networks], shown, queue=False, show_progress="hidden", trigger_mode="always_last",
            api_visibility="private",
        )  # fmt: skip


def averages_html(hub: ModelHub, averaged: dict, dataset: str, chosen: Sequence[str]) -> str:
    """Accuracy and cost of the chosen networks averaged, of any number of them, and of any number of looks."""
    found = averaged.get(dataset, {})
    macs = {
        id: architecture_layers(card.architecture, card.input_size).macs
        for id, card in hub.cards().items()
        if found.get("weights", {}).get(id) == card.weights_sha256
    }
    if not {"together", "looks"} <= found.keys() or macs.keys() != found["weights"].keys():
        return f"<p class='lesson-misfit'>{mark('averages.none')} <code>python -m training.evaluate --all</code></p>"
    return _together(found["together"], macs, chosen) + _looks(found["looks"], macs)


def _together(together: list, macs: dict[str, int], chosen: Sequence[str]) -> str:
    """Every choice of networks as a dot, the mean of each number as a line, and the chosen ones in a sentence."""
    picked = [id for id in macs if id.split(".")[0] in chosen]
    dots = [
        Line(_names(ids), _colour(ids), [(len(ids), accuracy)], dots=[f"{_names(ids)}: {accuracy:.2f} %"])
        for ids, accuracy in together
    ]
    by_count: dict[int, list[float]] = {}
    for ids, accuracy in together:
        by_count.setdefault(len(ids), []).append(accuracy)
    mean = Line("mean", GREY, [(count, fmean(values)) for count, values in by_count.items()], "4 3")
    accuracies = [accuracy for _, accuracy in together]
    title, x = mark("averages.together"), Axis(0.5, max(by_count) + 0.5)
    drawn = chart(title, mark("averages.count"), [mean, *dots], x, around(accuracies))
    accuracy = next((accuracy for ids, accuracy in together if set(ids) == set(picked)), None)
    if accuracy is None:
        said = mark("averages.choose", "p")
    else:
        low, high = binomial_interval(round(100 * accuracy), 10_000)
        cost = sum(macs[id] for id in picked)
        values = {"count": len(picked), "accuracy": f"{accuracy:.2f}", "low": f"{low:.2f}", "high": f"{high:.2f}"}
        said = mark("averages.chosen", "p", **values, macs=f"{cost:,}", times=f"{cost / min(macs.values()):,.0f}")
    return f"{said}<div class='charts-row'>{drawn}</div>"


def _looks(looks: dict[str, dict], macs: dict[str, int]) -> str:
    """A line for each network over the number of crops, and what the most of them cost."""
    lines, rows = [], []
    for id, found in looks.items():
        name = id.split(".")[0]
        points = sorted((int(count), accuracy) for count, accuracy in found["accuracy"].items())
        title = ARCHITECTURES[name].title
        dots = [f"{title}: {count} → {accuracy:.2f} %" for count, accuracy in points]
        lines.append(Line(title, COLOURS[name], points, DASH[name], dots))
        (_, one), (most, many) = points[0], points[-1]
        low, high = binomial_interval(round(found["pictures"] * many / 100), found["pictures"])
        cells = (f"{one:.2f} %", f"{many:.2f} % <small>{low:.2f}–{high:.2f}</small>", f"{found['pictures']:,}",
                 f"{macs[id]:,}", f"{most * macs[id]:,}")  # fmt: skip
        rows.append(f"<tr><th scope='row'>{title}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    values = [y for line in lines for _, y in line.points]
    most = max(x for line in lines for x, _ in line.points)
    drawn = chart(mark("averages.looks"), mark("averages.crops"), lines, Axis(1, most), around(values))
    heads = "".join(
        f"<th scope='col'>{head}</th>"
        for head in ("", mark("averages.one"), mark("averages.most", count=most), mark("averages.pictures"),
                     mark("averages.macs"), mark("averages.macs.most", count=most))
    )  # fmt: skip
    key = legend([(line.name, line.colour, line.dash) for line in lines])
    return (
        f"{key}<div class='charts-row'>{drawn}</div>{mark('averages.paper', 'p', count=most, paper=3 * most)}"
        f"<div class='training-figures'><table class='switches-table'><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _names(ids: Sequence[str]) -> str:
    return " + ".join(ARCHITECTURES[id.split(".")[0]].title for id in ids)


def _colour(ids: Sequence[str]) -> str:
    """A single network's own; grey for several."""
    return COLOURS[ids[0].split(".")[0]] if len(ids) == 1 else GREY
