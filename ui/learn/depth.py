"""Plain and residual networks of two depths on the Learn tab: the results of `python -m training.depth_study`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import gradio as gr
from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.specs import Split
from ui.common.chart import Axis, Line, around, chart, legend
from ui.common.colours import PALETTE
from ui.common.reading import flag, known
from ui.common.recipe import split_words
from ui.common.templates import render
from ui.common.texts import Text, attribute, mark, say
from ui.learn.findings import EVENT, found_html

FILE = "depth_study.json"  # of training.depth_study
KINDS = {False: PALETTE[6], True: PALETTE[5]}  # colours of plain and residual, not used by the architectures
DEPTHS = {20: "", 56: "6 3"}  # layers to dash
CURVE = 3  # epochs from which on there is a curve to see
WHENS = ("start", "end")  # gradients before and after training
NETWORKS = 2 * 2 * len(DEPTHS)  # with and without shortcuts, with and without batch norm
# Any of these may be raised by a damaged file.
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def depth_page(weights: Path, tabs: tuple[gr.Tab, gr.Tab], found: gr.HTML) -> None:
    """Choosers of batch norm and of the time of the gradients, and the study, read when one of `tabs` opens."""
    with gr.Row(elem_classes="lesson-row"):
        with gr.Column():
            gr.HTML(
                mark("depth.why", "p class='lesson-why'", few=min(DEPTHS), many=max(DEPTHS)), apply_default_css=False
            )
            norm = gr.Radio(
                [(say("en", "depth.norm"), True), (say("en", "depth.no_norm"), False)], value=True,
                label=say("en", "depth.batch_norm"), show_label=False, container=False, elem_id="depth-norm",
            )  # fmt: skip
            when = gr.Radio(
                [(say("en", f"depth.{name}"), name) for name in WHENS], value=WHENS[0],
                label=say("en", "depth.gradients"), show_label=False, container=False, elem_id="depth-when",
            )  # fmt: skip
        shown = gr.HTML(elem_id="depth-shown", apply_default_css=False)

    def show(norm: object, when: object) -> tuple[Markup, Markup]:
        return depth_html(weights / FILE, flag("batch norm", norm), known("when", when, WHENS))

    gr.on([norm.input, when.input, *(tab.select for tab in tabs)], show, [norm, when], [shown, found], **EVENT)


def depth_html(path: Path, norm: bool, when: str) -> tuple[Markup, Markup]:
    """HTML of the curves with or without batch norm, the gradients at `start` or `end` and the figures of all runs;
    and of what was found.

    A sentence with the command that runs the study, if there is none or the file is damaged.
    """
    try:
        study = json.loads(path.read_text(encoding="utf-8"))
        runs = [run for run in study["runs"] if run["batch_norm"] == norm]
        findings = (("depth.found", _found(runs)), ("depth.chain", _chain(runs, when)))
        of = {"norm": Text("depth.norm" if norm else "depth.no_norm"), "when": Text(f"depth.{when}")}
        return _study(study, runs, when), found_html((key, values | of) for key, values in findings if values)
    except DAMAGED:
        why = "depth.damaged" if path.exists() else "depth.none"
        text = render("learn/missing.html", text=mark(why), command="python -m training.depth_study")
        return text, found_html([])


def _study(study: dict, runs: Sequence[dict], when: str) -> Markup:
    return render(
        "learn/depth.html",
        done=len(study["runs"]),
        all=NETWORKS,
        legend=legend([(_network(run), KINDS[run["shortcuts"]], _dash(run)) for run in runs]),
        bars=[_reached(run) for run in runs if run["history"]],
        charts=[*_curves(runs), _gradients(runs, when)],
        left_out=_left_out(runs, when),
        rows=[_row(run) for run in study["runs"]],
        facts=[
            DATASETS[study["dataset"]].title,
            split_words(Split.from_json(study["split"])),
            mark("depth.facts", epochs=study["recipe"]["epochs"], date=study["date"]),
        ],
    )


def _found(runs: Sequence[dict]) -> dict[str, object]:
    """Training accuracy of 56 less that of 20 layers, without and with shortcuts; empty if a network is missing."""
    whole = [run for run in runs if run["history"] and not run.get("diverged")]
    reached = {(run["shortcuts"], run["depth"]): run["history"][-1]["train_accuracy"] for run in whole}
    few, many = min(DEPTHS), max(DEPTHS)
    if any((kind, depth) not in reached for kind in KINDS for depth in DEPTHS):
        return {}
    plain, residual = (f"{reached[kind, many] - reached[kind, few]:+.2f}".replace("-", "−") for kind in KINDS)
    return {"few": few, "many": many, "plain": plain, "residual": residual}


def _chain(runs: Sequence[dict], when: str) -> dict[str, object]:
    """Gradient norm of the first layer over the last convolution's, without and with shortcuts; empty if unknown."""
    many = max(DEPTHS)
    found = {run["shortcuts"]: run["gradients"][when] for run in runs if run["depth"] == many}
    ratios = {kind: norms[0] / norms[-2] for kind, norms in found.items() if any(norms[-2:-1])}
    if ratios.keys() != KINDS.keys() or not all(map(math.isfinite, ratios.values())):
        return {}
    plain, residual = (f"{ratio:,.0f}" if (ratio := ratios[kind]) >= 10 else f"{ratio:.2g}" for kind in KINDS)
    return {"many": many, "plain": plain, "residual": residual}


def _reached(run: dict) -> tuple[Markup, str, list[tuple[str, str]]]:
    """A network with its training accuracy in the last epoch, as text and as a bar."""
    accuracy = run["history"][-1]["train_accuracy"]
    return _network(run), f"{accuracy:.2f} %", [(f"{accuracy:.2f}", KINDS[run["shortcuts"]])]


def _curves(runs: Sequence[dict]) -> list[Markup]:
    """A chart of the training accuracy, and one of the validation accuracy; none if the study is too short."""
    longest = max((len(run["history"]) for run in runs), default=0)
    if longest < CURVE:
        return []
    charts, epochs = [], Axis(1, longest, whole=True)
    for part in ("train", "val"):
        lines = []
        for run in runs:
            points = [(row["epoch"], row[f"{part}_accuracy"]) for row in run["history"]]
            lines.append(_line(run, points, [f"{_name(run)}: {value:.2f} %" for _, value in points]))
        values = [y for line in lines for _, y in line.points]
        title, label = mark(f"depth.{part}"), attribute("aria-label", f"depth.{part}")
        charts.append(chart(title, mark("training.epoch"), lines, epochs, around(values), label=label))
    return charts


def _gradients(runs: Sequence[dict], when: str) -> Markup:
    """A chart of the gradient norms of the layers, on a logarithmic axis, which cannot show zero and infinity."""
    lines = []
    for run in runs:
        found = enumerate(run["gradients"][when], 1)
        lines.append(_line(run, [(layer, norm) for layer, norm in found if norm > 0 and math.isfinite(norm)]))
    values = [y for line in lines for _, y in line.points]
    layers = Axis(1, max([2, *(run["depth"] for run in runs)]), whole=True)
    title, label = mark("depth.gradients"), attribute("aria-label", "depth.gradients")
    return chart(title, mark("depth.layer"), lines, layers, around(values, log=True), label=label)


def _left_out(runs: Sequence[dict], when: str) -> list[tuple[Markup, str, dict[str, int]]]:
    """The networks whose gradients the chart cannot show, with key and values of the sentence."""
    found = []
    for run in runs:
        norms = run["gradients"][when]
        infinite = sum(not math.isfinite(norm) for norm in norms)
        for key, count in (("depth.zero", norms.count(0)), ("depth.not_finite", infinite)):
            if count:
                found.append((_network(run), key, {"count": count, "all": len(norms)}))
    return found


def _row(run: dict) -> dict[str, object]:
    """A network: shortcuts and batch norm or not, figures of the last epoch, the epoch in which it diverged or 0."""
    figures = ("–", "–", "–")
    if run["history"]:
        last = run["history"][-1]
        figures = (f"{last['train_loss']:.3f}", f"{last['train_accuracy']:.2f} %", f"{last['val_accuracy']:.2f} %")
    diverged = len(run["history"]) + 1 if run.get("diverged") else 0
    flags = (run["shortcuts"], run["batch_norm"])
    return {"depth": int(run["depth"]), "flags": flags, "figures": figures, "diverged": diverged}


def _line(run: dict, points: list[tuple[float, float]], dots: Sequence[str] = ()) -> Line:
    return Line(_name(run), KINDS[run["shortcuts"]], points, _dash(run), dots)


def _dash(run: dict) -> str:
    return DEPTHS.get(run["depth"], "2 3")


def _network(run: dict) -> Markup:
    """`56 layers, plain`, as HTML."""
    return mark("depth.run", layers=run["depth"]) + " " + mark("depth.residual" if run["shortcuts"] else "depth.plain")


def _name(run: dict) -> str:
    """`56: F(x) + x`."""
    return f"{run['depth']}: {'F(x) + x' if run['shortcuts'] else 'F(x)'}"
