"""What depth alone does: the study of `python -m training.depth_study`, on the Learn tab's page on shortcuts."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from cnn_models import DATASETS
from cnn_models.specs import Split
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.colours import PALETTE
from ui.common.reading import flag, known
from ui.common.recipe import split_words
from ui.common.texts import attribute, mark, say

FILE = "depth_study.json"  # of training.depth_study
KINDS = {False: PALETTE[6], True: PALETTE[5]}  # plain and residual; no colours of the line-up
DEPTHS = {20: "", 56: "6 3"}
WHENS = ("start", "end")  # of the gradients
NETWORKS = 2 * 2 * len(DEPTHS)  # of a whole study: with and without shortcuts, with and without batch norm
DAMAGED = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
)  # by a file with anything in it


def depth_page(weights: Path, tabs: tuple[gr.Tab, gr.Tab]) -> None:
    """Choosers of normalisation and of when; what is in the file whenever one of the tabs around it is opened."""
    gr.HTML(
        mark("depth.title", "h2") + mark("depth.why", "p class='lesson-why'", few=min(DEPTHS), many=max(DEPTHS)),
        apply_default_css=False,
    )
    with gr.Row():
        norm = gr.Radio(
            [(say("en", "depth.norm"), True), (say("en", "depth.bare"), False)], value=True,
            label=say("en", "depth.normed"), show_label=False, container=False, elem_id="depth-norm",
        )  # fmt: skip
        when = gr.Radio(
            [(say("en", f"depth.{name}"), name) for name in WHENS], value=WHENS[0],
            label=say("en", "depth.gradients"), show_label=False, container=False, elem_id="depth-when",
        )  # fmt: skip

    def show(norm: object, when: object) -> str:
        return depth_html(weights / FILE, flag(norm), known(when, WHENS))

    shown = gr.HTML(show(True, WHENS[0]), elem_id="learn-depth", apply_default_css=False)

    gr.on(
        [norm.input, when.input, *(tab.select for tab in tabs)], show, [norm, when], shown, queue=False,
        show_progress="hidden", trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip


def depth_html(path: Path, norm: bool, when: str) -> str:
    """The study's curves, with or without batch normalisation, its gradients at `start` or `end`, and its figures.

    Where there is no study, or the file is damaged, a sentence with the command that makes it.
    """
    try:
        return _study(json.loads(path.read_text(encoding="utf-8")), norm, when)
    except DAMAGED:
        why = "depth.damaged" if path.exists() else "depth.none"
        return f"<p class='lesson-misfit'>{mark(why)} <code>python -m training.depth_study</code></p>"


def _study(study: dict, norm: bool, when: str) -> str:
    runs = [run for run in study["runs"] if run["batch_norm"] == norm]
    key = legend([(_network(run), KINDS[run["shortcuts"]], _dash(run)) for run in runs])
    part = mark("depth.part", "p class='lesson-misfit'", done=len(study["runs"]), all=NETWORKS)
    facts = (
        DATASETS[study["dataset"]].title,
        split_words(Split.from_json(study["split"])),
        mark("depth.facts", epochs=study["recipe"]["epochs"], date=study["date"]),
    )
    return (
        f"{part if len(study['runs']) < NETWORKS else ''}{_found(runs)}{_chain(runs, when)}{key}"
        f"<div class='charts-row'>{_curves(runs)}{_gradients(runs, when)}</div>{_left_out(runs, when)}"
        f"{_figures(study['runs'])}<p>{mark('list.semicolon').join(filter(None, facts))}</p>"
    )


def _found(runs: Sequence[dict]) -> str:
    """What more layers change, without shortcuts and with them, in a sentence; none where networks are missing."""
    reached = {(run["shortcuts"], run["depth"]): run["history"][-1]["train_accuracy"] for run in runs if run["history"]}
    few, many = min(DEPTHS), max(DEPTHS)
    if any((kind, depth) not in reached for kind in KINDS for depth in DEPTHS):
        return ""
    plain, residual = (f"{reached[kind, many] - reached[kind, few]:+.2f}".replace("-", "−") for kind in KINDS)
    return mark("depth.found", "p class='lesson-why'", few=few, many=many, plain=plain, residual=residual)


def _chain(runs: Sequence[dict], when: str) -> str:
    """What becomes of the gradient on its way back from the last convolution, in a sentence; none if it is unknown."""
    many = max(DEPTHS)
    found = {run["shortcuts"]: run["gradients"][when] for run in runs if run["depth"] == many}
    ratios = {kind: norms[0] / norms[-2] for kind, norms in found.items() if any(norms[-2:-1])}
    if ratios.keys() != KINDS.keys() or not all(map(math.isfinite, ratios.values())):
        return ""
    plain, residual = (f"{ratio:,.0f}" if (ratio := ratios[kind]) >= 10 else f"{ratio:.2g}" for kind in KINDS)
    return mark("depth.chain", "p class='lesson-why'", many=many, plain=plain, residual=residual)


def _curves(runs: Sequence[dict]) -> str:
    """A chart of the accuracy on the pictures trained on, and one on those held out."""
    charts, epochs = [], Axis(1, max([2, *(len(run["history"]) for run in runs)]), whole=True)
    for part in ("train", "val"):
        lines = []
        for run in runs:
            points = [(row["epoch"], row[f"{part}_accuracy"]) for row in run["history"]]
            lines.append(_line(run, points, [f"{_name(run)}: {value:.2f} %" for _, value in points]))
        values = [y for line in lines for _, y in line.points]
        title, label = mark(f"depth.{part}"), attribute("aria-label", f"depth.{part}")
        charts.append(chart(title, mark("training.epoch"), lines, epochs, around(values), label=label))
    return "".join(charts)


def _gradients(runs: Sequence[dict], when: str) -> str:
    """A chart; a logarithmic axis has no place for a zero, and none has one for what is not finite."""
    lines = []
    for run in runs:
        found = enumerate(run["gradients"][when], 1)
        lines.append(_line(run, [(layer, norm) for layer, norm in found if norm > 0 and math.isfinite(norm)]))
    values = [y for line in lines for _, y in line.points]
    layers = Axis(1, max([2, *(run["depth"] for run in runs)]), whole=True)
    title, label = mark("depth.gradients"), attribute("aria-label", "depth.gradients")
    return chart(title, mark("depth.layer"), lines, layers, around(values, log=True), label=label)


def _left_out(runs: Sequence[dict], when: str) -> str:
    """What the chart of gradients cannot show, in sentences."""
    said = []
    for run in runs:
        found = run["gradients"][when]
        wild = sum(not math.isfinite(norm) for norm in found)
        for key, count in (("depth.zero", found.count(0)), ("depth.wild", wild)):
            if count:
                said.append(f"<li>{_network(run)}{mark('list.colon')}{mark(key, count=count, all=len(found))}</li>")
    return f"<ul>{''.join(said)}</ul>" if said else ""


def _figures(runs: Sequence[dict]) -> str:
    """A row for each network: what it is, and what its last epoch reached."""
    yes = {True: mark("depth.yes"), False: mark("depth.no")}
    heads = ("layers", "shortcuts", "normed", "loss", "fitted", "held")
    rows = []
    for run in runs:
        cells = [yes[run["shortcuts"]], yes[run["batch_norm"]]]
        if run["history"]:
            last = run["history"][-1]
            cells += f"{last['train_loss']:.3f}", f"{last['train_accuracy']:.2f} %", f"{last['val_accuracy']:.2f} %"
        else:
            cells += ["–"] * 3
        if run.get("diverged"):
            cells[2] += f" <small>{mark('depth.diverged', epoch=len(run['history']) + 1)}</small>"
        rows.append(f"<tr><th scope='row'>{int(run['depth'])}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return (
        "<div class='training-figures'><table class='switches-table'><thead><tr>"
        f"{''.join(mark(f'depth.{head}', 'th scope=col') for head in heads)}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _line(run: dict, points: list[tuple[float, float]], dots: Sequence[str] = ()) -> Line:
    return Line(_name(run), KINDS[run["shortcuts"]], points, _dash(run), dots)


def _dash(run: dict) -> str:
    return DEPTHS.get(run["depth"], "2 3")


def _network(run: dict) -> str:
    """`56 layers, plain`, as HTML."""
    return f"{mark('depth.run', layers=run['depth'])} {mark('depth.residual' if run['shortcuts'] else 'depth.plain')}"


def _name(run: dict) -> str:
    return f"{run['depth']}: {'F(x) + x' if run['shortcuts'] else 'F(x)'}"
