"""The table that compares LeNet-5 and AlexNet row by row, with figures from the traced layers. HTML, no gradio.

After sections 3 and 4 of A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep convolutional neural
networks, NIPS 2012, and section II of Y. LeCun et al.: Gradient-based learning applied to document recognition, 1998.
"""

from __future__ import annotations

from collections import Counter

import torch
from markupsafe import Markup
from torch import nn

from cnn_models import ARCHITECTURES, create_model
from cnn_models.layers import Layer, architecture_layers
from cnn_models.layers.table import shape
from ui.common.templates import render
from ui.layers.names import Window, heading, window

PAIR = ("lenet5", "alexnet")
# Text key of a row to the indices of the steps of both networks in it; every step is in one row.
ROWS = {
    "conv1": ((0,), (0,)),
    "activation": ((1, 4, 7, 10), (1, 4, 7, 9, 11, 16, 19)),
    "pool1": ((2,), (2,)),
    "conv2": ((3,), (3,)),
    "pool2": ((5,), (5,)),
    "deep": ((6,), (6, 8, 10)),
    "pool3": ((), (12, 13)),
    "flatten": ((8,), (14,)),
    "dense": ((9,), (15, 18)),
    "dropout": ((), (17, 20)),
    "output": ((11,), (21,)),
}


def comparison() -> Markup:
    """The table in a closed `<details>`."""
    networks = [architecture_layers(name) for name in PAIR]
    return render(
        "layers/comparison.html",
        specs=[ARCHITECTURES[name] for name in PAIR],
        figures=_figures(*networks),
        inputs=[shape(network.inputs[0]) for network in networks],
        rows={key: list(map(_cell, networks, indices)) for key, indices in ROWS.items()},
        totals=[_costs(network.parameters, network.macs) for network in networks],
    )


def _figures(lenet: Layer, alexnet: Layer) -> dict[str, dict[str, object]]:
    """Row to the values of its text in the last column."""
    old, new = list(lenet.steps()), list(alexnet.steps())
    conv, pool = new[ROWS["conv1"][1][0]], new[ROWS["pool1"][1][0]]
    wider = {key: new[ROWS[key][1][0]].output[0] / old[ROWS[key][0][0]].output[0] for key in ("conv1", "flatten")}
    dense = [new[index] for index in ROWS["dense"][1]]
    with torch.device("meta"):
        dropout = next(module for module in create_model("alexnet").modules() if isinstance(module, nn.Dropout))
    return {
        "input": {"size": lenet.inputs[0][-1]},
        "conv1": {"stride": conv.stride[0], "times": f"{wider['conv1']:.0f}"},
        "pool1": {"kernel": pool.kernel[0], "stride": pool.stride[0]},
        "deep": {"count": len(ROWS["deep"][1])},
        "pool3": {"size": alexnet.inputs[0][-1]},
        "flatten": {"times": f"{wider['flatten']:.0f}"},
        "dense": {
            "parameters": f"{sum(step.parameters for step in dense) / alexnet.parameters:.0%}",
            "macs": f"{sum(step.macs for step in dense) / alexnet.macs:.0%}",
            "years": ARCHITECTURES["googlenet"].year - ARCHITECTURES["alexnet"].year,
        },
        "dropout": {"share": f"{dropout.p:.0%}"},
        "output": {"count": alexnet.output[0]},
    }


def _cell(network: Layer, indices: tuple[int, ...]) -> tuple[Counter[tuple], dict[str, str]]:
    """The distinct steps among these indices with their counts, and the sum of their costs; empty without MACs."""
    steps = {step.index: step for step in network.steps()}
    chosen = [steps[index] for index in indices]
    parameters, macs = sum(step.parameters for step in chosen), sum(step.macs for step in chosen)
    return Counter(map(_step, chosen)), _costs(parameters, macs) if macs else {}


def _step(step: Layer) -> tuple[Markup, Window | None, str]:
    """Kind, window, and output shape, which is empty for an elementwise step."""
    changes = step.kernel or step.macs or step.output != step.inputs[0]
    return heading(step), window(step), shape(step.output) if changes else ""


def _costs(parameters: int, macs: int) -> dict[str, str]:
    return {"parameters": f"{parameters:,}", "macs": f"{macs:,}"}
