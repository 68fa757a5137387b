"""The pages of the Learn tab: each a picture and a paragraph, computed from its controls. HTML, without gradio."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_models import ARCHITECTURES, arithmetic
from cnn_models.layers import Layer, architecture_layers
from cnn_models.layers.table import shape
from ui.texts import mark

Place = tuple[int, int]


def convolution(size: int, kernel: int, stride: int, padding: int, step: int, channels: int, filters: int) -> str:
    """A kernel on a picture, at the window `step` (counted round), and what several channels and filters cost."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    picture, weights = _picture(size), _kernel(kernel)
    padded = F.pad(picture, [padding] * 4)
    output = F.conv2d(padded[None, None], weights[None, None], stride=stride)[0, 0]
    row, column = divmod(step % (side * side), side)
    top, left = row * stride, column * stride
    window = padded[top : top + kernel, left : left + kernel]
    terms = " + ".join(f"{int(a)}·{_signed(b)}" for a, b in zip(window.flatten(), weights.flatten(), strict=True))
    grids = (
        _grid(padded, {(top + i, left + j) for i in range(kernel) for j in range(kernel)}, "lesson.input", padding),
        _grid(weights, (), "lesson.kernel"),
        _grid(output, {(row, column)}, "lesson.output"),
    )
    parameters = arithmetic.parameters(channels, filters, kernel)
    return (
        f"<div class='lesson-grids'>{''.join(grids)}</div>"
        f"<p class='lesson-formula'>{terms} = {int(output[row, column])}</p>"
        f"<p class='lesson-formula'>{_formula(size, kernel, stride, padding)} = {side}</p>"
        f"<p class='lesson-formula'>{filters}·({channels}·{kernel}·{kernel} + 1) = {parameters:,}</p>"
        + mark(
            "lesson.convolution",
            "p",
            filters=filters,
            channels=channels,
            kernel=kernel,
            parameters=f"{parameters:,}",
            output=shape((filters, side, side)),
        )
    )


def pooling(size: int, kernel: int, stride: int, padding: int, kind: str) -> str:
    """The maximum or the average of each window, and whether the short formula H / S would have done."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    if 2 * padding > kernel:  # a window would lie in the padding alone
        return mark("lesson.padding", "p class='lesson-misfit'", padding=padding, kernel=kernel)
    picture = _picture(size)
    pool = F.max_pool2d if kind == "max" else F.avg_pool2d
    output = pool(picture[None, None], kernel, stride, padding)[0, 0]
    first = {(i, j) for i in range(kernel - padding) for j in range(kernel - padding)}
    agrees = math.isclose(size / stride, side)
    usual = kernel == stride and not padding and size % stride == 0
    verdict = "lesson.short.right" if usual else "lesson.short.luck" if agrees else "lesson.short.wrong"
    grids = _grid(picture, first, "lesson.input") + _grid(output, {(0, 0)}, "lesson.output")
    return (
        f"<div class='lesson-grids'>{grids}</div>"
        f"<p class='lesson-formula'>{_formula(size, kernel, stride, padding)} = {side}</p>"
        f"<p class='lesson-formula'>{size} / {stride} = {size / stride:.4g}</p>"
        + mark(verdict, "p", side=side, short=f"{size / stride:.4g}")
        + mark("lesson.pooling", "p")
    )


def pointwise(channels: int, filters: int, size: int, kernel: int, middle: int) -> str:
    """What a convolution costs straight, and through a 1×1 convolution to `middle` channels, drawn to scale."""
    straight = arithmetic.multiplications(channels, filters, kernel, size)
    reduce = arithmetic.multiplications(channels, middle, 1, size)
    expand = arithmetic.multiplications(middle, filters, kernel, size)
    through = reduce + expand
    most = max(straight, through)
    one = f"{kernel}²·{size}²·{channels}·{filters} = {straight:,}"
    two = f"1²·{size}²·{channels}·{middle} + {kernel}²·{size}²·{middle}·{filters}"
    return (
        _bar("lesson.straight", [(straight, "a")], most, one)
        + _bar("lesson.through", [(reduce, "b"), (expand, "a")], most, f"{two} = {reduce:,} + {expand:,} = {through:,}")
        + mark("lesson.pointwise", "p", ratio=f"{straight / through:.2f}", middle=middle)
    )


def dense_or_average(units: int) -> str:
    """Where AlexNet's and GoogLeNet's parameters are, and what `units` dense values on GoogLeNet's maps would cost."""
    networks = {name: architecture_layers(name) for name in ("alexnet", "googlenet")}
    most = max(network.parameters for network in networks.values())
    bars = [_shares(name, network, most) for name, network in networks.items()]
    average = next(step for step in networks["googlenet"].steps() if step.kind == "global average pool")
    channels, side, _ = average.inputs[0]
    flat, mean = (arithmetic.parameters(values, units, 1) for values in (channels * side * side, channels))
    widest = max(flat, mean)
    return (
        "".join(bars)
        + _bar("lesson.flat", [(flat, "b")], widest, f"{units}·({channels}·{side}·{side} + 1) = {flat:,}")
        + _bar("lesson.mean", [(mean, "a")], widest, f"{units}·({channels} + 1) = {mean:,}")
        + mark("lesson.dense", "p", ratio=f"{flat / mean:.1f}", maps=shape(average.inputs[0]), channels=channels)
    )


def _shares(name: str, network: Layer, most: int) -> str:
    dense = sum(step.parameters for step in network.steps() if step.kind == "linear")
    rest = network.parameters - dense
    text = mark("lesson.shares", dense=f"{dense:,}", rest=f"{rest:,}", share=f"{100 * dense / network.parameters:.1f}")
    return _bar(None, [(dense, "b"), (rest, "a")], most, text, ARCHITECTURES[name].title)


def _picture(size: int) -> Tensor:
    """The same small whole numbers for everyone."""
    index = torch.arange(size)
    return ((index[:, None] * 3 + index[None] * 2 + index[:, None] * index[None]) % 5).float()


def _kernel(size: int) -> Tensor:
    """Finds edges: it rises from left to right, and is zero in the middle."""
    return (torch.arange(size) - (size - 1) // 2).float().sign().repeat(size, 1)


def _formula(size: int, kernel: int, stride: int, padding: int) -> str:
    return f"⌊({size} + 2·{padding} − {kernel}) / {stride}⌋ + 1"


def _misfit(size: int, kernel: int, padding: int) -> str:
    return mark("lesson.misfit", "p class='lesson-misfit'", size=size, kernel=kernel, padding=padding)


def _signed(value: Tensor) -> str:
    return f"{int(value)}" if value >= 0 else f"(−{-int(value)})"


def _grid(values: Tensor, marked: Collection[Place], title: str, padding: int = 0) -> str:
    """Numbers in squares, some marked, those of the padding pale."""
    side = len(values)
    cells = []
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            pale = min(i, j) < padding or max(i, j) >= side - padding
            names = " ".join(["lesson-on"] * ((i, j) in marked) + ["lesson-pale"] * pale)
            cells.append(f"<i class='{names}'>{'−' * (value < 0)}{abs(value):.3g}</i>")
    return (
        f"<figure><figcaption>{mark(title)} {side}×{side}</figcaption>"
        f"<div class='lesson-grid' style='--side:{side}'>{''.join(cells)}</div></figure>"
    )


def _bar(key: str | None, parts: list[tuple[int, str]], most: int, text: str, title: str = "") -> str:
    """A bar to scale, of parts, under its name and its sum."""
    pieces = "".join(f"<i class='lesson-{kind}' style='width:{100 * value / most:.3f}%'></i>" for value, kind in parts)
    return f"<div class='lesson-bar'><b>{mark(key) if key else title}</b> <span>{text}</span><div>{pieces}</div></div>"
