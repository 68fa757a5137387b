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


def convolution(
    size: int, kernel: int, stride: int, padding: int, step: int, channels: int, filters: int, chosen: int
) -> str:
    """The `chosen` of the filters (from 1) on all channels, at the window `step`; both are counted round."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    padded = F.pad(torch.stack([_picture(size, channel) for channel in range(channels)]), [padding] * 4)
    weights = torch.stack([torch.stack([_kernel(kernel, f + c) for c in range(channels)]) for f in range(filters)])
    biases = torch.arange(1.0, filters + 1)
    outputs = F.conv2d(padded[None], weights, biases, stride)[0]
    row, column = divmod(step % (side * side), side)
    top, left = row * stride, column * stride
    marked = {(top + i, left + j) for i in range(kernel) for j in range(kernel)}
    chosen = (chosen - 1) % filters
    rows, sums = [], []
    for number, (channel, own) in enumerate(zip(padded, weights[chosen], strict=True), 1):
        products = list(zip(channel[top : top + kernel, left : left + kernel].flatten(), own.flatten(), strict=True))
        sums.append(sum(a * b for a, b in products))
        terms = " + ".join(f"{int(a)}·{_signed(b)}" for a, b in products)
        rows.append(
            "<div class='lesson-grids'>"
            + _grid(channel, marked, mark("lesson.channel.in", number=number), padding)
            + _grid(own, (), mark("lesson.filter.channel", filter=chosen + 1, number=number))
            + f"</div><p class='lesson-formula'>{terms} = {_number(sums[-1])}</p>"
        )
    made = "".join(
        _grid(output, {(row, column)} if index == chosen else (), mark("lesson.channel.out", number=index + 1))
        for index, output in enumerate(outputs)
    )
    total = f"{' + '.join(map(_signed, sums))} + {_number(biases[chosen])} {mark('lesson.bias')}"
    parameters = arithmetic.parameters(channels, filters, kernel)
    return (
        f"{''.join(rows)}<div class='lesson-grids'>{made}</div>"
        f"<p class='lesson-formula'>{total} = {_number(outputs[chosen, row, column])}</p>"
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
    if 2 * padding > kernel:  # which PyTorch refuses
        why = "lesson.padding" if padding >= kernel else "lesson.half"
        return mark(why, "p class='lesson-misfit'", padding=padding, kernel=kernel)
    picture = _picture(size)
    pool, outside = (F.max_pool2d, -math.inf) if kind == "max" else (F.avg_pool2d, 0.0)
    output = pool(picture[None, None], kernel, stride, padding)[0, 0]
    padded = F.pad(picture, [padding] * 4, value=outside)
    first = {(i, j) for i in range(kernel) for j in range(kernel)}
    agrees = math.isclose(size / stride, side)
    usual = kernel == stride and not padding and size % stride == 0
    verdict = "lesson.short.right" if usual else "lesson.short.luck" if agrees else "lesson.short.wrong"
    grids = _grid(padded, first, mark("lesson.input"), padding) + _grid(output, {(0, 0)}, mark("lesson.output"))
    return (
        f"<div class='lesson-grids'>{grids}</div>"
        f"<p class='lesson-formula'>{_formula(size, kernel, stride, padding)} = {side}</p>"
        f"<p class='lesson-formula'>{size} / {stride} = {size / stride:.4g}</p>"
        + mark(verdict, "p", side=side, short=f"{size / stride:.4g}")
        + (mark(f"lesson.padded.{kind}", "p") if padding else "")
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


def _picture(size: int, channel: int = 0) -> Tensor:
    """The same small whole numbers for everyone."""
    index = torch.arange(size)
    return ((index[:, None] * (3 + channel) + index[None] * 2 + index[:, None] * index[None] + channel) % 5).float()


def _kernel(size: int, turns: int) -> Tensor:
    """Finds edges: it rises from left to right, and is zero in the middle; turned by quarters. 1 where it is one."""
    rising = (torch.arange(size) - (size - 1) // 2).float().sign().repeat(size, 1)
    return rising.rot90(turns) if size > 1 else torch.ones(1, 1)


def _formula(size: int, kernel: int, stride: int, padding: int) -> str:
    return f"⌊({size} + 2·{padding} − {kernel}) / {stride}⌋ + 1"


def _misfit(size: int, kernel: int, padding: int) -> str:
    return mark("lesson.misfit", "p class='lesson-misfit'", size=size, kernel=kernel, padding=padding)


def _number(value: Tensor | float) -> str:
    return f"{'−' * bool(value < 0)}{abs(round(float(value), 2)):g}".replace("inf", "∞")


def _signed(value: Tensor) -> str:
    return _number(value) if value >= 0 else f"({_number(value)})"


def _grid(values: Tensor, marked: Collection[Place], title: str, padding: int = 0) -> str:
    """Numbers in squares under a title (HTML), some marked, those of the padding pale."""
    side = len(values)
    cells = []
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            pale = min(i, j) < padding or max(i, j) >= side - padding
            names = " ".join(["lesson-on"] * ((i, j) in marked) + ["lesson-pale"] * pale)
            cells.append(f"<i class='{names}'>{_number(value)}</i>")
    return (
        f"<figure><figcaption>{title} · {side}×{side}</figcaption>"
        f"<div class='lesson-grid' style='--side:{side}'>{''.join(cells)}</div></figure>"
    )


def _bar(key: str | None, parts: list[tuple[int, str]], most: int, text: str, title: str = "") -> str:
    """A bar to scale, of parts, under its name and its sum."""
    pieces = "".join(f"<i class='lesson-{kind}' style='width:{100 * value / most:.3f}%'></i>" for value, kind in parts)
    return f"<div class='lesson-bar'><b>{mark(key) if key else title}</b> <span>{text}</span><div>{pieces}</div></div>"
