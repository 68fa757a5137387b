"""The pages of the Learn tab that are computed from their sliders alone, as HTML. No gradio."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import NamedTuple

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

Place = tuple[int, int]
Bar = list[tuple[str, str]]  # width in percent and colour of each part


class Window(NamedTuple):
    """A position of the kernel: its place in the output, its corner in the padded input, and values for its text."""

    place: Place
    corner: Place
    kernel: int
    text: dict[str, int]

    def places(self) -> set[Place]:
        """The pixels of the padded input below it."""
        top, left = self.corner
        return {(top + i, left + j) for i in range(self.kernel) for j in range(self.kernel)}

    def on(self, values: Tensor) -> Tensor:
        """The values of an H x W input below it, as a vector."""
        top, left = self.corner
        return values[top : top + self.kernel, left : left + self.kernel].flatten()


def convolution(
    size: int, kernel: int, stride: int, padding: int, step: int, channels: int, filters: int, chosen: int
) -> Markup:
    """A convolution: the filter `chosen` (from 1) on all channels, at the window `step`; both modulo their number."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    padded = F.pad(torch.stack([_image(size, channel) for channel in range(channels)]), [padding] * 4)
    weights = torch.stack([torch.stack([_kernel(kernel, f + c) for c in range(channels)]) for f in range(filters)])
    biases = torch.arange(1.0, filters + 1)
    outputs = F.conv2d(padded[None], weights, biases, stride)[0]
    window, chosen = _window(side, kernel, stride, step), (chosen - 1) % filters
    found = [_channel(*each, window, padding) for each in zip(padded, weights[chosen], strict=True)]
    parameters = arithmetic.parameters(channels, filters, kernel)
    return render(
        "learn/convolution.html",
        window=window.text,
        channels=[(*rest, _number(value)) for *rest, value in found],
        chosen=chosen + 1,
        outputs=[_grid(each, {window.place} if index == chosen else ()) for index, each in enumerate(outputs)],
        sums=" + ".join(_signed(value) for *_, value in found),
        bias=_number(biases[chosen]),
        value=_number(outputs[(chosen, *window.place)]),
        sizes={"size": size, "kernel": kernel, "stride": stride, "padding": padding, "side": side},
        parameters=f"{filters}·({channels}·{kernel}·{kernel} + 1) = {parameters:,}",
        shapes={"input": shape((channels, size, size)), "output": shape((filters, side, side))},
    )


def _channel(values: Tensor, weights: Tensor, window: Window, padding: int) -> tuple[dict, dict, str, Tensor]:
    """A channel of the input, the weights for it, and the products in the window with their sum."""
    covered, own = window.on(values), weights.flatten()
    terms = " + ".join(f"{int(a)}·{_signed(b)}" for a, b in zip(covered, own, strict=True))
    return _grid(values, window.places(), padding), _grid(weights), terms, covered @ own


def pooling(size: int, kernel: int, stride: int, padding: int, step: int) -> Markup:
    """Max and average pooling, with the window of `step` marked, and whether size / stride gives the output side."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    if 2 * padding > kernel:  # which PyTorch refuses
        reason = "lesson.padding" if padding >= kernel else "lesson.half"
        return mark(reason, "p class='lesson-error'", padding=padding, kernel=kernel)
    image, window = _image(size), _window(side, kernel, stride, step)
    padded = F.pad(image, [padding] * 4, value=math.nan)  # shown empty
    pooled = {"max": F.max_pool2d, "average": F.avg_pool2d}
    usual = kernel == stride and not padding and size % stride == 0
    return render(
        "learn/pooling.html",
        window=window.text,
        input=_grid(padded, window.places(), padding),
        outputs={
            kind: _grid(pool(image[None, None], kernel, stride, padding)[0, 0], {window.place})
            for kind, pool in pooled.items()
        },
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
            "direct": _bar([(direct, "accent")], most),
            "through": _bar([(reduce, "orange"), (expand, "accent")], most),
        },
        kernel=kernel,
        middle=middle,
        ratio=f"{ratio:.2f}",
        verdict=verdict,
    )


def dense_or_average(units: int) -> Markup:
    """Parameters in the dense layers of AlexNet and GoogLeNet, and of `units` outputs on GoogLeNet's last maps."""
    networks = {name: architecture_layers(name) for name in ("alexnet", "googlenet")}
    most = max(network.parameters for network in networks.values())
    average = next(step for step in networks["googlenet"].steps() if step.kind == "global average pool")
    channels, side, _ = average.inputs[0]
    flat, mean = (arithmetic.parameters(values, units, 1) for values in (channels * side * side, channels))
    return render(
        "learn/dense.html",
        networks=[_shares(ARCHITECTURES[name].title, network, most) for name, network in networks.items()],
        maps=shape(average.inputs[0]),
        channels=channels,
        flat=f"{units}·({channels}·{side}·{side} + 1) = {flat:,}",
        mean=f"{units}·({channels} + 1) = {mean:,}",
        bars={"flat": _bar([(flat, "orange")], flat), "mean": _bar([(mean, "orange")], flat)},
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
        "bar": _bar([(counts["rest"], "accent"), *((step.parameters, "orange") for step in dense)], most),
        "formulas": [formulas(step)["parameters"] for step in dense],
    }


def _window(side: int, kernel: int, stride: int, step: int) -> Window:
    """The window at `step`, modulo the number of windows; `side` is that of the output."""
    count = side**2
    row, column = divmod(step % count, side)
    text = {"number": step % count + 1, "count": count, "row": row + 1, "column": column + 1}
    return Window((row, column), (row * stride, column * stride), kernel, text)


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


def _signed(value: Tensor) -> str:
    """A number, in parentheses if negative."""
    return _number(value) if value >= 0 else f"({_number(value)})"


def _grid(values: Tensor, marked: Collection[Place] = (), padding: int = 0) -> dict[str, object]:
    """H x H values, some of them `marked`: side with and without padding; classes, shade (0 to 1) and text of cells."""
    side, most = len(values), float(values.nan_to_num().abs().max()) or 1
    inner, cells = range(padding, side - padding), []
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            is_padding = i not in inner or j not in inner
            names = (
                ["lesson-marked"] * ((i, j) in marked)
                + ["lesson-padding"] * is_padding
                + ["lesson-negative"] * (value < 0)
            )
            cells.append((" ".join(names), f"{abs(value) / most:.2f}", _number(value)))
    return {"side": side, "own": len(inner), "cells": cells}


def _bar(parts: list[tuple[int, str]], most: int) -> Bar:
    """Values with their colours as parts of a bar, whose whole length is `most`."""
    return [(f"{100 * value / most:.3f}", colour) for value, colour in parts]
