"""The pages of the Learn tab that are computed from their sliders: an image and a paragraph each; without gradio."""

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
Bar = list[tuple[str, str]]  # its parts: width in percent, colour


class Sizes(NamedTuple):
    """Sides in pixels of an input, of the window on it, and of the output."""

    size: int
    kernel: int
    stride: int
    padding: int
    side: int


class Window(NamedTuple):
    """One position of a window: its place in the output, its corner in the padded input, and the values of its text."""

    place: Place
    corner: Place
    kernel: int
    text: dict[str, int]

    def places(self) -> set[Place]:
        """All that it covers of the padded input."""
        top, left = self.corner
        return {(top + i, left + j) for i in range(self.kernel) for j in range(self.kernel)}

    def on(self, values: Tensor) -> Tensor:
        """What it covers of H x W values, as a vector."""
        top, left = self.corner
        return values[top : top + self.kernel, left : left + self.kernel].flatten()


class Grid(NamedTuple):
    """Numbers in squares: classes, shade from 0 to 1, and text of each; `own` is the side without the padding."""

    side: int
    own: int
    cells: list[tuple[str, str, str]]


def convolution(
    size: int, kernel: int, stride: int, padding: int, step: int, channels: int, filters: int, chosen: int
) -> Markup:
    """The `chosen` of the filters (from 1) on all channels, at the window `step`, both modulo their number."""
    try:
        sizes = Sizes(size, kernel, stride, padding, arithmetic.output_size(size, kernel, stride, padding))
    except ValueError:
        return _misfit(size, kernel, padding)
    padded = F.pad(torch.stack([_image(size, channel) for channel in range(channels)]), [padding] * 4)
    weights = torch.stack([torch.stack([_kernel(kernel, f + c) for c in range(channels)]) for f in range(filters)])
    biases = torch.arange(1.0, filters + 1)
    outputs = F.conv2d(padded[None], weights, biases, stride)[0]
    window, chosen = _window(sizes, step), (chosen - 1) % filters
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
        sizes=sizes._asdict(),
        parameters=f"{filters}·({channels}·{kernel}·{kernel} + 1) = {parameters:,}",
        shapes={"input": shape((channels, size, size)), "output": shape((filters, sizes.side, sizes.side))},
    )


def _channel(values: Tensor, weights: Tensor, window: Window, padding: int) -> tuple[Grid, Grid, str, Tensor]:
    """A channel of the input, the filter's weights on it, and their products in a window with the sum."""
    covered, own = window.on(values), weights.flatten()
    terms = " + ".join(f"{int(a)}·{_signed(b)}" for a, b in zip(covered, own, strict=True))
    return _grid(values, window.places(), padding), _grid(weights), terms, covered @ own


def pooling(size: int, kernel: int, stride: int, padding: int, step: int) -> Markup:
    """Maximum and average of each window, that of `step` marked, and whether size / stride gives the same side."""
    try:
        sizes = Sizes(size, kernel, stride, padding, arithmetic.output_size(size, kernel, stride, padding))
    except ValueError:
        return _misfit(size, kernel, padding)
    if 2 * padding > kernel:  # which PyTorch refuses
        why = "lesson.padding" if padding >= kernel else "lesson.half"
        return mark(why, "p class='lesson-misfit'", padding=padding, kernel=kernel)
    image, window = _image(size), _window(sizes, step)
    padded = F.pad(image, [padding] * 4, value=math.nan)  # which is no number of the image, and shown as none
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
        sizes=sizes._asdict(),
        short=f"{size / stride:.4g}",
        verdict="right" if usual else "luck" if math.isclose(size / stride, sizes.side) else "wrong",
    )


def pointwise(channels: int, filters: int, size: int, kernel: int, middle: int) -> Markup:
    """The MACs of a convolution alone, and of one behind a 1×1 convolution to `middle` channels, drawn to scale."""
    straight = arithmetic.multiplications(channels, filters, kernel, size)
    reduce = arithmetic.multiplications(channels, middle, 1, size)
    expand = arithmetic.multiplications(middle, filters, kernel, size)
    through = reduce + expand
    most = max(straight, through)
    first, between, last = (shape((count, size, size)) for count in (channels, middle, filters))
    sums = f"1²·{size}²·{channels}·{middle} + {kernel}²·{size}²·{middle}·{filters}"
    ratio, verdict = (straight / through, "less") if through <= straight else (through / straight, "more")
    return render(
        "learn/pointwise.html",
        straight=(f"{first} → {last}", f"{kernel}²·{size}²·{channels}·{filters} = {straight:,}"),
        through=(f"{first} → {between} → {last}", f"{sums} = {reduce:,} + {expand:,} = {through:,}"),
        bars={"straight": _bar([(straight, "a")], most), "through": _bar([(reduce, "b"), (expand, "a")], most)},
        kernel=kernel,
        middle=middle,
        ratio=f"{ratio:.2f}",
        verdict=verdict,
    )


def dense_or_average(units: int) -> Markup:
    """Where AlexNet's and GoogLeNet's parameters are, and what `units` dense values on GoogLeNet's maps would cost."""
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
        bars={"flat": _bar([(flat, "b")], flat), "mean": _bar([(mean, "b")], flat)},
        ratio=f"{flat / mean:.1f}",
    )


def _shares(title: str, network: Layer, most: int) -> dict[str, object]:
    """A network's parameters as a bar, and the formulas for those of its dense layers."""
    dense = [step for step in network.steps() if step.kind == "linear"]
    count = sum(step.parameters for step in dense)
    counts = {"whole": network.parameters, "dense": count, "rest": network.parameters - count}
    share = f"{100 * count / network.parameters:.1f}"
    return {
        "title": title,
        "counts": {key: f"{value:,}" for key, value in counts.items()} | {"share": share},
        "bar": _bar([(counts["rest"], "a"), *((step.parameters, "b") for step in dense)], most),
        "formulas": [formulas(step)["parameters"] for step in dense],
    }


def _window(sizes: Sizes, step: int) -> Window:
    """The window at `step`, modulo the number of windows."""
    count = sizes.side**2
    row, column = divmod(step % count, sizes.side)
    text = {"number": step % count + 1, "count": count, "row": row + 1, "column": column + 1}
    return Window((row, column), (row * sizes.stride, column * sizes.stride), sizes.kernel, text)


def _image(size: int, channel: int = 0) -> Tensor:
    """A digit of the test set made small, in whole numbers from 0 (black) to 9; another one for each channel."""
    digit = torch.tensor(load_test_set("mnist")[0][channel, 4:-4, 4:-4])  # without the margin that all of them have
    return (F.adaptive_avg_pool2d(digit[None].float(), size)[0] * 9 / 255).round()


def _kernel(size: int, turns: int) -> Tensor:
    """An edge filter: −1, 0 and 1 from left to right, rotated by quarters; a 1 where it is 1×1."""
    rising = (torch.arange(size) - (size - 1) // 2).float().sign().repeat(size, 1)
    return rising.rot90(turns) if size > 1 else torch.ones(1, 1)


def _misfit(size: int, kernel: int, padding: int) -> Markup:
    return mark("lesson.misfit", "p class='lesson-misfit'", size=size, kernel=kernel, padding=padding)


def _number(value: Tensor | float) -> str:
    """With two decimals at most; empty for nan."""
    return f"{'−' * bool(value < 0)}{abs(round(float(value), 2)):g}".replace("nan", "")


def _signed(value: Tensor) -> str:
    """In parentheses below zero."""
    return _number(value) if value >= 0 else f"({_number(value)})"


def _grid(values: Tensor, marked: Collection[Place] = (), padding: int = 0) -> Grid:
    """H x H values, shaded by their size; some marked, those of the padding pale."""
    side, most = len(values), float(values.nan_to_num().abs().max()) or 1
    inner, cells = range(padding, side - padding), []
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            pale = i not in inner or j not in inner
            names = ["lesson-on"] * ((i, j) in marked) + ["lesson-pale"] * pale + ["lesson-minus"] * (value < 0)
            cells.append((" ".join(names), f"{abs(value) / most:.2f}", _number(value)))
    return Grid(side, len(inner), cells)


def _bar(parts: list[tuple[int, str]], most: int) -> Bar:
    """Parts with their colours as a bar to scale, `most` as long as possible."""
    return [(f"{100 * value / most:.3f}", colour) for value, colour in parts]
