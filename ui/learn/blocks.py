"""The pages of the Learn tab on Inception and residual blocks: branch ablation, size of weights, gradients."""

from __future__ import annotations

import gradio as gr
from markupsafe import Markup

from cnn_models import ModelHub
from cnn_models.analysis.ablation import BRANCHES, blocks, derivatives
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.hub.model_hub import LoadedModel
from ui.common.chart import Axis, Line, chart, legend
from ui.common.colours import COLOURS, DASHES
from ui.common.drawing import Drawing
from ui.common.templates import render
from ui.common.texts import attribute, mark
from ui.learn.ablation_grid import branch_key, branch_mark
from ui.learn.ablation_page import ablation_page
from ui.learn.branch_sizes import branch_sizes
from ui.learn.depth import depth_page


def inception_page(hub: ModelHub, tab: gr.Tab, learn: gr.Tab, found: gr.HTML) -> None:
    """Branch ablation of Inception blocks, and the size of each branch's weights over the epochs."""

    def weights(net: LoadedModel, drawing: Drawing, label: str) -> Markup:
        try:
            return weights_html(net, branch_sizes(hub, net.card))
        except CheckpointError as error:
            return render("learn/branch_weights.html", error=error)

    ablation_page(hub, (tab, learn), ("mini_inception", "googlenet"), "inception", weights)


def weights_html(net: LoadedModel, history: list[dict[str, float]]) -> Markup:
    """A chart for each block: the root mean square of each branch's weights over the epochs."""
    colour, found = COLOURS[net.card.architecture], blocks(net.model)
    dashes = dict(zip(BRANCHES[type(next(iter(found.values())))], DASHES, strict=False))
    charts = []
    for name in found if history else ():
        lines = []
        for branch, dash in dashes.items():
            points = [(epoch, row[f"{name}/{branch}"]) for epoch, row in enumerate(history)]
            lines.append(Line(branch_key(branch), colour, points, dash))
        x = Axis(0, len(history) - 1, whole=True)
        y = Axis(0, max(value for line in lines for _, value in line.points))
        label = attribute("aria-label", "blocks.weights")
        charts.append(chart(name, mark("training.epoch"), lines, x, y, label=label))
    key = legend([(branch_mark(branch), colour, dash) for branch, dash in dashes.items()])
    return render("learn/branch_weights.html", error=None, legend=key, charts=charts)


def shortcuts_page(hub: ModelHub, tab: gr.Tab, learn: gr.Tab, found: gr.HTML) -> None:
    """The study of depth, which `found` is of; ablation of the shortcuts and convolutions of residual blocks."""
    depth_page(hub.weights_dir, (tab, learn), found)
    gr.HTML(mark("ablation.title", "h3"), apply_default_css=False)
    ablation_page(hub, (tab, learn), ("mini_resnet",), "shortcuts", derivatives_html)


def derivatives_html(net: LoadedModel, drawing: Drawing, label: str) -> Markup:
    """HTML of the gradient norms of a logit at the input of each residual block; the network may be ablated."""
    rows = derivatives(net, drawing.grid, net.card.classes.index(label))
    return render("learn/derivatives.html", label=label, rows=rows)
