"""The figures of the Learn tab that are computed from their sliders alone, as HTML. No gradio.

`window.js` moves the window of a convolution or of pooling, and writes out how it gives a value.
"""

from __future__ import annotations

import math

import torch
from markupsafe import Markup
from torch import Tensor
from torch.nn import functional as F

from cnn_models import ARCHITECTURES
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.layers import Layer, architecture_layers, arithmetic
from cnn_models.layers.formulas import formulas
from cnn_models.layers.table import shape
from ui.common.templates import render
from ui.common.texts import mark

Bar = list[tuple[str, str]]  # width in percent and colour of each part
ACCENT, ORANGE = "var(--color-accent)", "#b4641a"


def convolution(size: int, kernel: int, stride: int, padding: int, channels: int, filters: int, chosen: int) -> Markup:
    """A convolution: all channels, the weights of the filter `chosen` (from 1, modulo their number), all outputs."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    padded = F.pad(torch.stack([_image(size, channel) for channel in range(channels)]), [padding] * 4)
    weights = torch.stack([torch.stack([_kernel(kernel, f + c) for c in range(channels)]) for f in range(filters)])
    biases, chosen = torch.arange(1.0, filters + 1), (chosen - 1) % filters
    outputs = F.conv2d(padded[None], weights, biases, stride)[0]
    parameters = arithmetic.parameters(channels, filters, kernel)
    return render(
        "learn/convolution.html",
        channels=[(_grid(each, padding), _grid(own)) for each, own in zip(padded, weights[chosen], strict=True)],
        chosen=chosen + 1,
        outputs=list(map(_grid, outputs)),
        bias=_number(biases[chosen]),
        sizes={"size": size, "kernel": kernel, "stride": stride, "padding": padding, "side": side},
        parameters=f"{filters}·({channels}·{kernel}·{kernel} + 1) = {parameters:,}",
        shapes={"input": shape((channels, size, size)), "output": shape((filters, side, side))},
    )


def pooling(size: int, kernel: int, stride: int, padding: int) -> Markup:
    """Max and average pooling, and whether size / stride gives the side of the output."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    if 2 * padding > kernel:  # which PyTorch refuses
        reason = "lesson.padding" if padding >= kernel else "lesson.half"
        return mark(reason, "p class='lesson-error'", padding=padding, kernel=kernel)
    image = _image(size)
    padded = F.pad(image, [padding] * 4, value=math.nan)  # shown empty
    pooled = {"max": F.max_pool2d, "average": F.avg_pool2d}
    usual = kernel == stride and not padding and size % stride == 0
    return render(
        "learn/pooling.html",
        input=_grid(padded, padding),
        outputs={kind: _grid(pool(image[None, None], kernel, stride, padding)[0, 0]) for kind, pool in pooled.items()},
        sizes={"size": size, "kernel": kernel, "stride": stride, "padding": padding, "side": side},
        short=f"{size / stride:.4g}",
        verdict="right" if usual else "luck" if math.isclose(size / stride, side) else "wrong",
    )


def pointwise(channels: int, filters: int, size: int, kernel: int, middle: int) -> Markup:
    """The MACs of a convolution, directly and after a 1×1 convolution to `middle` channels, as bars to scale."""
    direct = arithmetic.multiplications(channels, filters, kernel, size)
    reduce = arithmetic.multiplications(channels, middle, 1, size)
    expand = arithmetic.multiplications(middle, filters, kernel, size)
    through = reduce + expand
    most = max(direct, through)
    first, between, last = (shape((count, size, size)) for count in (channels, middle, filters))
    sums = f"1²·{size}²·{channels}·{middle} + {kernel}²·{size}²·{middle}·{filters}"
    ratio, verdict = (direct / through, "less") if through <= direct else (through / direct, "more")
    return render(
        "learn/pointwise.html",
        direct=(f"{first} → {last}", f"{kernel}²·{size}²·{channels}·{filters} = {direct:,}"),
        through=(f"{first} → {between} → {last}", f"{sums} = {reduce:,} + {expand:,} = {through:,}"),
        bars={
            "direct": _bar([(direct, ACCENT)], most),
            "through": _bar([(reduce, ORANGE), (expand, ACCENT)], most),
        },
        kernel=kernel,
        middle=middle,
        ratio=f"{ratio:.2f}",
        verdict=verdict,
    )


def networks() -> Markup:
    """The parameters in the dense layers of AlexNet and of GoogLeNet."""
    found = {name: architecture_layers(name) for name in ("alexnet", "googlenet")}
    most = max(network.parameters for network in found.values())
    rows = [_shares(ARCHITECTURES[name].title, network, most) for name, network in found.items()]
    return render("learn/networks.html", networks=rows)


def dense_or_average(units: int) -> Markup:
    """The parameters of a dense layer of `units` outputs on GoogLeNet's last feature maps, flattened or averaged."""
    average = next(step for step in architecture_layers("googlenet").steps() if step.kind == "global average pool")
    channels, side, _ = average.inputs[0]
    flat, mean = (arithmetic.parameters(values, units, 1) for values in (channels * side * side, channels))
    return render(
        "learn/dense.html",
        maps=shape(average.inputs[0]),
        channels=channels,
        flat=f"{units}·({channels}·{side}·{side} + 1) = {flat:,}",
        mean=f"{units}·({channels} + 1) = {mean:,}",
        bars={"flat": _bar([(flat, ORANGE)], flat), "mean": _bar([(mean, ORANGE)], flat)},
        ratio=f"{flat / mean:.1f}",
    )


def _shares(title: str, network: Layer, most: int) -> dict[str, object]:
    """A network's parameters as a bar, and the formulas of its dense layers."""
    dense = [step for step in network.steps() if step.kind == "linear"]
    count = sum(step.parameters for step in dense)
    counts = {"whole": network.parameters, "dense": count, "rest": network.parameters - count}
    share = f"{100 * count / network.parameters:.1f}"
    return {
        "title": title,
        "counts": {key: f"{value:,}" for key, value in counts.items()} | {"share": share},
        "bar": _bar([(counts["rest"], ACCENT), *((step.parameters, ORANGE) for step in dense)], most),
        "formulas": [formulas(step)["parameters"] for step in dense],
    }


def _image(size: int, channel: int = 0) -> Tensor:
    """A reduced test digit, `size` x `size`, in integers from 0 (black) to 9; another digit for each channel."""
    digit = torch.tensor(load_test_set("mnist")[0][channel, 4:-4, 4:-4])  # without the margin of MNIST
    return (F.adaptive_avg_pool2d(digit[None].float(), size)[0] * 9 / 255).round()


def _kernel(size: int, turns: int) -> Tensor:
    """An edge filter: −1, 0 and 1 from left to right, rotated by `turns` quarters; 1 for size 1."""
    rising = (torch.arange(size) - (size - 1) // 2).float().sign().repeat(size, 1)
    return rising.rot90(turns) if size > 1 else torch.ones(1, 1)


def _misfit(size: int, kernel: int, padding: int) -> Markup:
    return mark("lesson.misfit", "p class='lesson-error'", size=size, kernel=kernel, padding=padding)


def _number(value: Tensor | float) -> str:
    """A number with two decimals at most; empty for NaN."""
    return f"{'−' * bool(value < 0)}{abs(round(float(value), 2)):g}".replace("nan", "")


def _grid(values: Tensor, padding: int = 0) -> dict[str, object]:
    """H x H values: side with and without padding; classes, shade (0 to 1) and text of the cells."""
    side, most = len(values), float(values.nan_to_num().abs().max()) or 1
    inner, cells = range(padding, side - padding), []
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            is_padding = i not in inner or j not in inner
            names = ["lesson-padding"] * is_padding + ["lesson-negative"] * (value < 0)
            cells.append((" ".join(names), f"{abs(value) / most:.2f}", _number(value)))
    return {"side": side, "own": len(inner), "cells": cells}


def _bar(parts: list[tuple[int, str]], most: int) -> Bar:
    """Values with their colours as parts of a bar, whose whole length is `most`."""
    return [(f"{100 * value / most:.3f}", colour) for value, colour in parts]
