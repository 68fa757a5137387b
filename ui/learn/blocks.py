"""The pages of the Learn tab on Inception blocks and on shortcuts: real networks with parts switched off."""

from __future__ import annotations

from functools import lru_cache

import gradio as gr
import torch

from cnn_models import ModelHub, create_model
from cnn_models.analysis.ablation import BRANCHES, blocks, derivatives, sizes
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.hub.model_hub import LoadedModel
from ui.common.chart import Axis, Line, chart, legend
from ui.common.colours import COLOURS, DASHES
from ui.common.drawing import Drawing
from ui.common.names import class_mark
from ui.common.texts import attribute, mark, mark_error
from ui.learn.depth import depth_page
from ui.learn.switch_grid import branch_key, branch_mark
from ui.learn.switches import switches


def inception_page(hub: ModelHub, tab: gr.Tab, whole: gr.Tab) -> None:
    """Which branch matters?"""

    @lru_cache(16)
    def history(id: str, snapshots_sha256: str) -> list[dict[str, float]]:
        tensors = hub.snapshots(id)
        with torch.device("meta"):
            model = create_model(hub.card(id).architecture)
        epochs = range(len(next(iter(tensors.values()))))
        return [sizes({name: tensor[epoch] for name, tensor in tensors.items()}, model) for epoch in epochs]

    def more(net: LoadedModel, drawing: Drawing, label: str) -> str:
        try:
            sha256 = net.card.snapshots_sha256
            return weights_html(net, history(net.card.id, sha256) if sha256 else [])
        except CheckpointError as error:
            return f"<p>{mark_error(error)}</p>"

    switches(hub, (tab, whole), ("mini_inception", "googlenet"), "inception", more)


def weights_html(net: LoadedModel, history: list[dict[str, float]]) -> str:
    """The size of each branch's weights over the epochs, a chart for each block."""
    if not history:
        return f"<h2>{mark('blocks.weights')}</h2><p>{mark('blocks.weights.none')}</p>"
    colour, found = COLOURS[net.card.architecture], blocks(net.model)
    branches = list(BRANCHES[type(next(iter(found.values())))])
    charts = []
    for name in found:
        lines = []
        for branch, dash in zip(branches, DASHES, strict=False):
            points = [(epoch, row[f"{name}/{branch}"]) for epoch, row in enumerate(history)]
            lines.append(Line(branch_key(branch), colour, points, dash))
        x = Axis(0, len(history) - 1, whole=True)
        y = Axis(0, max(value for line in lines for _, value in line.points))
        label = attribute("aria-label", "blocks.weights")
        charts.append(chart(name, mark("training.epoch"), lines, x, y, label=label))
    key = legend([(branch_mark(branch), colour, dash) for branch, dash in zip(branches, DASHES, strict=False)])
    return f"<h2>{mark('blocks.weights')}</h2>{key}<div class='charts-row'>{''.join(charts)}</div>"


def shortcuts_page(hub: ModelHub, tab: gr.Tab, whole: gr.Tab) -> None:
    """Shortcuts: on the real network, and what depth alone does."""
    switches(hub, (tab, whole), ("mini_resnet",), "shortcuts", derivatives_html)
    depth_page(hub.weights_dir, (tab, whole))


def derivatives_html(net: LoadedModel, drawing: Drawing, label: str) -> str:
    """How an answer depends on the input of each residual block, of a network that may have parts off."""
    index = net.card.classes.index(label)
    rows = "".join(
        f"<tr><th scope='row'>{name}</th>{''.join(f'<td>{value:.3g}</td>' for value in found)}</tr>"
        for name, found in derivatives(net, drawing.grid, index).items()
    )
    heads = "".join(
        f"<th scope='col'>{head}</th>"
        for head in ("", mark("blocks.through"), mark("blocks.straight"), mark("blocks.both"))
    )
    return (
        f"<h2>dH/dx = dF/dx + 1</h2><p>{mark('blocks.derivatives')} {class_mark(label)}</p>"
        f"<table class='switches-table'><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )
