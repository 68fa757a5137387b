"""LeNet-5 against AlexNet, row by row, with what changed and why. HTML, without gradio; the numbers are traced.

After sections 3 and 4 of A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep convolutional neural
networks, NIPS 2012, and section II of Y. LeCun et al.: Gradient-based learning applied to document recognition, 1998.
"""

from __future__ import annotations

from collections import Counter
from html import escape

import torch
from torch import nn

from cnn_models import ARCHITECTURES, create_model
from cnn_models.layers import Layer, architecture_layers
from cnn_models.layers.table import shape
from ui.common.texts import mark
from ui.layers.diagram import kind
from ui.layers.rows import window

PAIR = ("lenet5", "alexnet")
# What stands beside each other: the indices of the steps of both; every step is in one row.
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


def versus() -> str:
    """The comparison as a table that folds."""
    networks = [architecture_layers(name) for name in PAIR]
    papers = " · ".join(
        f"<a href='{escape(spec.url)}' target='_blank' rel='noopener'>{escape(spec.paper)}</a>"
        for spec in map(ARCHITECTURES.get, PAIR)
    )
    heads = [f"<th scope='col'>{escape(spec.title)} ({spec.year})</th>" for spec in map(ARCHITECTURES.get, PAIR)]
    figures = _figures(*networks)
    body = [_row("input", [shape(network.inputs[0]) for network in networks], **figures["input"])]
    for key, indices in ROWS.items():
        cells = [_cell(network, found) for network, found in zip(networks, indices, strict=True)]
        body.append(_row(key, cells, **figures.get(key, {})))
    body.append(_row("total", [_costs(network.parameters, network.macs) for network in networks]))
    body.append(_row("training", [mark("versus.original"), mark("versus.augmented")]))
    return (
        f"<details class='versus'>{mark('versus.title', 'summary')}<div class='versus-scroll' tabindex='0'><table>"
        f"<thead><tr><td></td>{''.join(heads)}{mark('versus.why', 'th')}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div>"
        f"<p class='layers-facts'>{papers}</p></details>"
    )


def _figures(lenet: Layer, alexnet: Layer) -> dict[str, dict[str, object]]:
    """What the reasons of some rows name."""
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


def _row(key: str, cells: list[str], **figures: object) -> str:
    titles = [escape(ARCHITECTURES[name].title) for name in PAIR]
    values = "".join(f"<td data-network='{title}'>{cell}</td>" for title, cell in zip(titles, cells, strict=True))
    why = mark(f"versus.why.{key}", "td", **figures)
    return f"<tr><th scope='row'>{mark(f'versus.row.{key}')}</th>{values}{why}</tr>"


def _cell(network: Layer, indices: tuple[int, ...]) -> str:
    """The steps as lines, those alike counted, and what they cost together; a dash for none."""
    steps = {step.index: step for step in network.steps()}
    chosen = [steps[index] for index in indices]
    lines = Counter(_line(step) for step in chosen)
    texts = [f"{count} × {line}" if count > 1 else line for line, count in lines.items()]
    parameters, macs = sum(step.parameters for step in chosen), sum(step.macs for step in chosen)
    return "<br>".join(texts + [_costs(parameters, macs)] * bool(macs)) or "–"


def _line(step: Layer) -> str:
    changes = step.kernel or step.macs or step.output != step.inputs[0]
    return f"{kind(step)} {window(step)}" + (f" → {shape(step.output)}" if changes else "")


def _costs(parameters: int, macs: int) -> str:
    return f"<small>{mark('versus.costs', parameters=f'{parameters:,}', macs=f'{macs:,}')}</small>"
