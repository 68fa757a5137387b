"""The effect of depth, with and without shortcuts: the study of `python -m training.depth_study`, on the Learn tab."""

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
from ui.common.texts import attribute, mark, say

FILE = "depth_study.json"  # of training.depth_study
KINDS = {False: PALETTE[6], True: PALETTE[5]}  # plain and residual; no colours of the line-up
DEPTHS = {20: "", 56: "6 3"}
WHENS = ("start", "end")  # of the training: when gradients were measured
NETWORKS = 2 * 2 * len(DEPTHS)  # of a whole study: with and without shortcuts, with and without batch norm
# By a file with anything in it.
DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


def depth_page(weights: Path, tabs: tuple[gr.Tab, gr.Tab]) -> None:
    """Choosers of batch norm and of when gradients were measured, and the study, read when one of `tabs` is opened."""
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

    def show(norm: object, when: object) -> Markup:
        return depth_html(weights / FILE, flag(norm), known(when, WHENS))

    shown = gr.HTML(show(True, WHENS[0]), elem_id="learn-depth", apply_default_css=False)

    gr.on(
        [norm.input, when.input, *(tab.select for tab in tabs)], show, [norm, when], shown, queue=False,
        show_progress="hidden", trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip


def depth_html(path: Path, norm: bool, when: str) -> Markup:
    """The study's curves, with or without batch norm, its gradients at `start` or `end`, and its figures.

    Where there is no study, or the file is damaged, a sentence with the command that makes it.
    """
    try:
        return _study(json.loads(path.read_text(encoding="utf-8")), norm, when)
    except DAMAGED:
        why = "depth.damaged" if path.exists() else "depth.none"
        return render("learn/missing.html", text=mark(why), command="python -m training.depth_study")


def _study(study: dict, norm: bool, when: str) -> Markup:
    runs = [run for run in study["runs"] if run["batch_norm"] == norm]
    return render(
        "learn/depth.html",
        done=len(study["runs"]),
        all=NETWORKS,
        found=_found(runs),
        chain=_chain(runs, when),
        legend=legend([(_network(run), KINDS[run["shortcuts"]], _dash(run)) for run in runs]),
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
    """How more layers change the training accuracy, without and with shortcuts; empty where networks are missing."""
    reached = {(run["shortcuts"], run["depth"]): run["history"][-1]["train_accuracy"] for run in runs if run["history"]}
    few, many = min(DEPTHS), max(DEPTHS)
    if any((kind, depth) not in reached for kind in KINDS for depth in DEPTHS):
        return {}
    plain, residual = (f"{reached[kind, many] - reached[kind, few]:+.2f}".replace("-", "−") for kind in KINDS)
    return {"few": few, "many": many, "plain": plain, "residual": residual}


def _chain(runs: Sequence[dict], when: str) -> dict[str, object]:
    """The first layer's gradient norm, as a multiple of the last convolution's; empty if it is unknown."""
    many = max(DEPTHS)
    found = {run["shortcuts"]: run["gradients"][when] for run in runs if run["depth"] == many}
    ratios = {kind: norms[0] / norms[-2] for kind, norms in found.items() if any(norms[-2:-1])}
    if ratios.keys() != KINDS.keys() or not all(map(math.isfinite, ratios.values())):
        return {}
    plain, residual = (f"{ratio:,.0f}" if (ratio := ratios[kind]) >= 10 else f"{ratio:.2g}" for kind in KINDS)
    return {"many": many, "plain": plain, "residual": residual}


def _curves(runs: Sequence[dict]) -> list[Markup]:
    """A chart of the training accuracy, and one of the validation accuracy."""
    charts, epochs = [], Axis(1, max([2, *(len(run["history"]) for run in runs)]), whole=True)
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
    """A chart of the norms; without zeros and infinite ones, which have no place on a logarithmic axis."""
    lines = []
    for run in runs:
        found = enumerate(run["gradients"][when], 1)
        lines.append(_line(run, [(layer, norm) for layer, norm in found if norm > 0 and math.isfinite(norm)]))
    values = [y for line in lines for _, y in line.points]
    layers = Axis(1, max([2, *(run["depth"] for run in runs)]), whole=True)
    title, label = mark("depth.gradients"), attribute("aria-label", "depth.gradients")
    return chart(title, mark("depth.layer"), lines, layers, around(values, log=True), label=label)


def _left_out(runs: Sequence[dict], when: str) -> list[tuple[Markup, str, dict[str, int]]]:
    """The gradients that their chart cannot show: network, and key and values of the sentence."""
    said = []
    for run in runs:
        found = run["gradients"][when]
        wild = sum(not math.isfinite(norm) for norm in found)
        for key, count in (("depth.zero", found.count(0)), ("depth.wild", wild)):
            if count:
                said.append((_network(run), key, {"count": count, "all": len(found)}))
    return said


def _row(run: dict) -> dict[str, object]:
    """A network: whether it has shortcuts and batch norm, the figures of its last epoch, and when it diverged, or 0."""
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
