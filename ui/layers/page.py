"""The networks of the Layers tab: totals, diagram and table, and the activations of the drawing. HTML, no gradio."""

from __future__ import annotations

from functools import partial

import numpy as np
from markupsafe import Markup

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.decode import ImageError
from cnn_models.layers import Layer
from cnn_models.layers.channels import activations
from cnn_models.layers.run import RUNS
from cnn_models.layers.table import FIRST_STAGE, Column, as_csv, markdown, shape
from ui.common.drawing import drawing_of
from ui.common.numbers import memory, milliseconds, whole_percent
from ui.common.strips import png, strips
from ui.common.templates import render
from ui.layers.diagram import diagram
from ui.layers.names import family
from ui.layers.rows import QUANTITIES, rows

Strips = dict[int, Markup]  # step index to the step's channels as HTML


def flows(columns: list[Column], value: object, dataset: object, hub: ModelHub) -> tuple[list[Strips], Markup]:
    """The activations of the drawing in each network, and the drawing with the errors of networks without weights.

    `value` (of the sketchpad) and `dataset` come from the visitor. If nothing is drawn, a test image stands in.
    """
    try:
        grid, dataset, is_drawn = drawing_of(value, dataset)
    except ImageError as error:
        return [{}] * len(columns), render("layers/drawing.html", refused=error)
    found, missing = [], []
    for each in columns:
        try:
            found.append(hub.run(f"{each.name}.{dataset}", partial(_strips, each.network, grid)))
        except CheckpointError as error:
            found.append({})
            missing.append((ARCHITECTURES[each.name].title, error))
    values = {"image": png(grid), "is_drawn": is_drawn, "missing": missing}
    return found, render("layers/drawing.html", refused=None, **values)


def _strips(network: Layer, grid: np.ndarray, net: LoadedModel) -> Strips:
    return strips(net.model, net.card, network, activations(net.model, net.card, grid, network.inputs[0][-1]))


def page(columns: list[Column], found: list[Strips], drawing: str) -> Markup:
    """Summary, totals and diagram of each network, and the table with the results of `flows`; a sentence for none."""
    return render(
        "layers/page.html",
        networks=[_facts(each, index) for index, each in enumerate(columns)],
        copies={"markdown": markdown(columns), "csv": as_csv(columns)},
        drawing=drawing,
        rows=rows(columns, found),
        first_stage=FIRST_STAGE,
        runs=RUNS,
    )


def _facts(column: Column, index: int) -> dict[str, object]:
    """The values of page.html for a network."""
    spec, network = ARCHITECTURES[column.name], column.network
    return {
        "spec": spec,
        "quantities": [_quantity(network, key) for key in QUANTITIES],
        "facts": {
            "memory": memory(network.memory),
            "time": milliseconds(column.time(network)),
            "depth": network.depth,
            "input": shape(network.inputs[0]),
            "receptive_field": f"{_last_map(network).field.size:.0f} px",
        },
        "diagram": diagram(network, spec.title, index),
    }


def _last_map(network: Layer) -> Layer:
    """The last step whose output is a feature map, before a global pool."""
    return [step for step in network.steps() if len(step.output) == 3 and "global" not in step.kind][-1]


def _quantity(network: Layer, key: str) -> dict[str, object]:
    """A total, its parts by layer, and the shares of linear and of other layers."""
    total = getattr(network, key)
    parts = [
        (family(layer), value, f"{layer.name}: {value:,} ({whole_percent(value / total)})")
        for layer in network.children
        if (value := getattr(layer, key))
    ]
    linear = sum(getattr(step, key) for step in network.steps() if step.kind == "linear") / total
    shares = {"linear": whole_percent(linear), "rest": whole_percent(1 - linear)}
    return {"key": key, "total": f"{total:,}", "parts": parts, **shares}
