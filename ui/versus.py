"""LeNet-5 against AlexNet, row by row, with what changed and why. HTML, without gradio; the numbers are traced.

After sections 3 and 4 of A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep convolutional neural
networks, NIPS 2012, and section II of Y. LeCun et al.: Gradient-based learning applied to document recognition, 1998.
"""

from __future__ import annotations

from collections import Counter
from html import escape

from cnn_models import ARCHITECTURES
from cnn_models.layers import Layer, architecture_layers
from cnn_models.layers.table import shape
from ui.diagram import kind
from ui.layer_rows import window
from ui.texts import mark

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
    heads = [f"<th scope='col'>{escape(spec.title)} ({spec.year})</th>" for spec in map(ARCHITECTURES.get, PAIR)]
    body = [_row("input", [shape(network.inputs[0]) for network in networks])]
    for key, indices in ROWS.items():
        body.append(_row(key, [_cell(network, found) for network, found in zip(networks, indices, strict=True)]))
    body.append(_row("total", [_costs(network.parameters, network.macs) for network in networks]))
    body.append(_row("training", ["–", "–"]))
    return (
        f"<details class='versus'>{mark('versus.title', 'summary')}<div class='versus-scroll' tabindex='0'><table>"
        f"<thead><tr><td></td>{''.join(heads)}{mark('versus.why', 'th')}</tr></thead>"
        f"<tbody>{''.join(body)}</tbody></table></div></details>"
    )


def _row(key: str, cells: list[str]) -> str:
    values = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><th scope='row'>{mark(f'versus.row.{key}')}</th>{values}{mark(f'versus.why.{key}', 'td')}</tr>"


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
