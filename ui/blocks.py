"""The pages of the Learn tab on Inception blocks and on shortcuts: real networks with parts switched off."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import gradio as gr
import torch

from cnn_models import ModelHub, create_model
from cnn_models.ablation import BRANCHES, blocks, derivatives, norms
from cnn_models.checkpoint import CheckpointError
from cnn_models.hub import LoadedModel
from ui.chart import Axis, Line, around, chart, legend
from ui.colours import COLOURS, DASHES, PALETTE
from ui.drawing import Drawing
from ui.recipe import split_words
from ui.switches import switches
from ui.texts import mark, mark_sentence, say
from ui.verdict import class_mark

STUDY = "depth_study.json"  # of training.depth_study
KINDS = {False: PALETTE[6], True: PALETTE[5]}  # plain and residual; no colours of the line-up
DEPTHS = {20: "", 56: "6 3"}


def inception_page(hub: ModelHub, tab: gr.Tab, whole: gr.Tab) -> None:
    """Which branch matters?"""

    @lru_cache(16)
    def history(id: str, weights: str) -> list[dict[str, float]]:
        snapshots = hub.snapshots(id)
        if snapshots is None:
            return []
        with torch.device("meta"):
            model = create_model(id.split(".")[0])
        epochs = range(len(next(iter(snapshots.values()))))
        return [norms({name: tensor[epoch] for name, tensor in snapshots.items()}, model) for epoch in epochs]

    def more(net: LoadedModel, drawing: Drawing, label: str) -> str:
        try:
            return norms_html(net, history(net.id, net.card.weights_sha256))
        except CheckpointError as error:
            return f"<p>{mark_sentence(error)}</p>"

    switches(hub, (tab, whole), ("mini_inception", "googlenet"), "inception", more)


def norms_html(net: LoadedModel, history: list[dict[str, float]]) -> str:
    """The norm of each branch's weights over the epochs, a chart for each block."""
    if not history:
        return f"<h2>{mark('blocks.norms')}</h2><p>{mark('blocks.norms.none')}</p>"
    colour, found = COLOURS[net.card.architecture], blocks(net.model)
    branches = list(BRANCHES[type(next(iter(found.values())))])
    charts = []
    for name in found:
        lines = [
            Line(branch, colour, [(epoch, row[f"{name}/{branch}"]) for epoch, row in enumerate(history)], dash)
            for branch, dash in zip(branches, DASHES, strict=False)
        ]
        highest = max(value for line in lines for _, value in line.points)
        charts.append(
            chart(name, mark("training.epoch"), lines, Axis(0, len(history) - 1, whole=True), Axis(0, highest))
        )
    key = legend([(branch, colour, dash) for branch, dash in zip(branches, DASHES, strict=False)])
    return f"<h2>{mark('blocks.norms')}</h2>{key}<div class='charts-row'>{''.join(charts)}</div>"


def shortcuts_page(hub: ModelHub, tab: gr.Tab, whole: gr.Tab) -> None:
    """Shortcuts: on the real network, and what depth alone does."""

    def more(net: LoadedModel, drawing: Drawing, label: str) -> str:
        index = net.card.classes.index(label)
        rows = "".join(
            f"<tr><th scope='row'>{name}</th>{''.join(f'<td>{value:.3g}</td>' for value in found)}</tr>"
            for name, found in derivatives(net.model, net.card, drawing.grid, index).items()
        )
        heads = "".join(
            f"<th scope='col'>{head}</th>"
            for head in ("", mark("blocks.through"), mark("blocks.straight"), mark("blocks.both"))
        )
        return (
            f"<h2>dH/dx = dF/dx + 1</h2><p>{mark('blocks.derivatives')} {class_mark(label)}</p>"
            f"<table class='switches-table'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )

    switches(hub, (tab, whole), ("mini_resnet",), "shortcuts", more)
    gr.HTML(
        mark("depth.title", "h2") + mark("depth.why", "p class='lesson-why'", few=min(DEPTHS), many=max(DEPTHS)),
        apply_default_css=False,
    )
    with gr.Row():
        norm = gr.Radio(
            [(say("en", "depth.norm"), True), (say("en", "depth.bare"), False)], value=False, show_label=False,
            container=False,
        )  # fmt: skip
        when = gr.Radio(
            [(say("en", "depth.start"), "start"), (say("en", "depth.end"), "end")], value="start", show_label=False,
            container=False,
        )  # fmt: skip
    path = hub.weights_dir / STUDY
    shown = gr.HTML(depth_html(path, False, "start"), elem_id="learn-depth", apply_default_css=False)

    def show(norm: bool, when: str) -> str:
        return depth_html(path, norm, when)

    gr.on(
        [norm.input, when.input], show, [norm, when], shown, queue=False, show_progress="hidden",
        trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip


def depth_html(path: Path, norm: bool, when: str) -> str:
    """The depth study's curves, with or without batch normalisation, and its gradients at `start` or `end`."""
    try:
        study = json.loads(path.read_text(encoding="utf-8"))
        runs = [run for run in study["runs"] if run["batch_norm"] == norm]
    except (OSError, ValueError, KeyError, TypeError):
        runs = []
    if not runs:
        return f"<p class='lesson-misfit'>{mark('depth.none')} <code>python -m training.depth_study</code></p>"

    def line(run: dict, points: list[tuple[float, float]]) -> Line:
        return Line(_name(run), KINDS[run["shortcuts"]], points, DEPTHS.get(run["depth"], "2 3"))

    charts = []
    epochs = Axis(1, max(2, len(runs[0]["history"])), whole=True)
    for part in ("train", "val"):
        lines = [line(run, [(row["epoch"], row[f"{part}_accuracy"]) for row in run["history"]]) for run in runs]
        values = [y for each in lines for _, y in each.points]
        charts.append(chart(mark(f"depth.{part}"), mark("training.epoch"), lines, epochs, around(values)))
    # At the start the first convolution of a block that begins as the identity has no gradient at all.
    lines = [line(run, [(at, norm) for at, norm in enumerate(run["gradients"][when], 1) if norm > 0]) for run in runs]
    values = [y for each in lines for _, y in each.points]
    layers = Axis(1, max(run["depth"] for run in runs), whole=True)
    charts.append(chart(mark("depth.gradients"), mark("depth.layer"), lines, layers, around(values, log=True)))
    key = legend([
        (mark("depth.run", layers=run["depth"]) + " " + mark(f"depth.{'residual' if run['shortcuts'] else 'plain'}"),
         KINDS[run["shortcuts"]], DEPTHS.get(run["depth"], "2 3"))
        for run in runs
    ])  # fmt: skip
    facts = mark("depth.facts", epochs=len(runs[0]["history"]), date=study.get("date", ""))
    facts = f"<p>{split_words(study.get('split', ''))}{mark('list.semicolon')}{facts}</p>"
    return f"{key}<div class='charts-row'>{''.join(charts)}</div>{facts}"


def _name(run: dict) -> str:
    return f"{run['depth']}: {'F(x) + x' if run['shortcuts'] else 'F(x)'}"
