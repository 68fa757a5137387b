"""The pages of the Learn tab: each a picture and a paragraph, computed from its controls. HTML, without gradio."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_models import ARCHITECTURES
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.layers import Layer, architecture_layers, arithmetic
from cnn_models.layers.formulas import formulas
from cnn_models.layers.table import shape
from ui.common.texts import mark

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
    (row, column), (top, left), told = _window(step, side, stride)
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
    parameters = f"{filters}·({channels}·{kernel}·{kernel} + 1) = {arithmetic.parameters(channels, filters, kernel):,}"
    shapes = {"input": shape((channels, size, size)), "output": shape((filters, side, side))}
    return "".join(
        (
            f"{told}{''.join(rows)}<div class='lesson-grids'>{made}</div>",
            _formula("value", f"{total} = {_number(outputs[chosen, row, column])}"),
            _side(size, kernel, stride, padding, side),
            _formula("parameters", parameters),
            mark("lesson.convolution", "p", **shapes),
        )
    )


def pooling(size: int, kernel: int, stride: int, padding: int, step: int) -> str:
    """Maximum and average of each window, that of `step` marked, and whether the short formula would have done."""
    try:
        side = arithmetic.output_size(size, kernel, stride, padding)
    except ValueError:
        return _misfit(size, kernel, padding)
    if 2 * padding > kernel:  # which PyTorch refuses
        why = "lesson.padding" if padding >= kernel else "lesson.half"
        return mark(why, "p class='lesson-misfit'", padding=padding, kernel=kernel)
    picture = _picture(size)
    padded = F.pad(picture, [padding] * 4, value=math.nan)  # which is no number of the picture, and shown as none
    place, (top, left), told = _window(step, side, stride)
    marked = {(top + i, left + j) for i in range(kernel) for j in range(kernel)}
    pooled = {"max": F.max_pool2d, "average": F.avg_pool2d}
    outputs = "".join(
        _grid(pool(picture[None, None], kernel, stride, padding)[0, 0], {place}, mark(f"lesson.{kind}"))
        for kind, pool in pooled.items()
    )
    agrees = math.isclose(size / stride, side)
    usual = kernel == stride and not padding and size % stride == 0
    verdict = "lesson.short.right" if usual else "lesson.short.luck" if agrees else "lesson.short.wrong"
    return "".join(
        (
            f"{told}<div class='lesson-grids'>{_grid(padded, marked, mark('lesson.input'), padding)}{outputs}</div>",
            _side(size, kernel, stride, padding, side),
            _formula("short", f"{size} / {stride} = {size / stride:.4g}"),
            mark(verdict, "p", side=side, short=f"{size / stride:.4g}"),
            (mark("lesson.padded", "p") if padding else ""),
            mark("lesson.pooling", "p"),
        )
    )


def pointwise(channels: int, filters: int, size: int, kernel: int, middle: int) -> str:
    """What a convolution costs straight, and through a 1×1 convolution to `middle` channels, drawn to scale."""
    straight = arithmetic.multiplications(channels, filters, kernel, size)
    reduce = arithmetic.multiplications(channels, middle, 1, size)
    expand = arithmetic.multiplications(middle, filters, kernel, size)
    through = reduce + expand
    most = max(straight, through)
    first, between, last = (shape((count, size, size)) for count in (channels, middle, filters))
    sum_of_both = f"{reduce:,} + {expand:,} = {through:,}"
    one = f"{first} → {last}<br>{kernel}²·{size}²·{channels}·{filters} = {straight:,}"
    two = f"{first} → {between} → {last}<br>1²·{size}²·{channels}·{middle} + {kernel}²·{size}²·{middle}·{filters}"
    ratio, verdict = (straight / through, "less") if through <= straight else (through / straight, "more")
    return "".join(
        (
            _bar("lesson.straight", [(straight, "a")], most, one),
            _bar("lesson.through", [(reduce, "b"), (expand, "a")], most, f"{two} = {sum_of_both}"),
            mark(f"lesson.pointwise.{verdict}", "p", ratio=f"{ratio:.2f}", middle=middle),
            mark("lesson.pointwise", "p", kernel=kernel),
        )
    )


def dense_or_average(units: int) -> str:
    """Where AlexNet's and GoogLeNet's parameters are, and what `units` dense values on GoogLeNet's maps would cost."""
    networks = {name: architecture_layers(name) for name in ("alexnet", "googlenet")}
    most = max(network.parameters for network in networks.values())
    shares = "".join(_shares(ARCHITECTURES[name].title, network, most) for name, network in networks.items())
    average = next(step for step in networks["googlenet"].steps() if step.kind == "global average pool")
    channels, side, _ = average.inputs[0]
    flat, mean = (arithmetic.parameters(values, units, 1) for values in (channels * side * side, channels))
    maps = shape(average.inputs[0])
    return "".join(
        (
            shares,
            mark("lesson.last", "h2", maps=maps),
            _bar("lesson.flat", [(flat, "b")], flat, f"{units}·({channels}·{side}·{side} + 1) = {flat:,}"),
            _bar("lesson.mean", [(mean, "b")], flat, f"{units}·({channels} + 1) = {mean:,}"),
            mark("lesson.dense", "p", ratio=f"{flat / mean:.1f}", maps=maps, channels=channels),
        )
    )


def _shares(title: str, network: Layer, most: int) -> str:
    """A network's parameters as a bar, and how those of its dense layers come about."""
    dense = [step for step in network.steps() if step.kind == "linear"]
    count = sum(step.parameters for step in dense)
    values = {"whole": network.parameters, "dense": count, "rest": network.parameters - count}
    share = f"{100 * count / network.parameters:.1f}"
    text = mark("lesson.shares", **{key: f"{value:,}" for key, value in values.items()}, share=share)
    parts = [(values["rest"], "a"), *((step.parameters, "b") for step in dense)]
    lines = "".join(f"<p class='lesson-formula'>{formulas(step)['parameters']}</p>" for step in dense)
    return _bar(None, parts, most, text, title) + lines


def _window(step: int, side: int, stride: int) -> tuple[Place, Place, str]:
    """The place of a window's value on a map of `side`, of its corner on the padded input, and both told as HTML."""
    count = side * side
    row, column = divmod(step % count, side)
    values = {"number": step % count + 1, "count": count, "row": row + 1, "column": column + 1}
    return (row, column), (row * stride, column * stride), mark("lesson.window", "p", **values)


def _picture(size: int, channel: int = 0) -> Tensor:
    """A digit of the test set made small, in whole numbers from 0 (black) to 9; another one for each channel."""
    digit = torch.tensor(load_test_set("mnist")[0][channel, 4:-4, 4:-4])  # without the margin that all of them have
    return (F.adaptive_avg_pool2d(digit[None].float(), size)[0] * 9 / 255).round()


def _kernel(size: int, turns: int) -> Tensor:
    """Finds edges: it rises from left to right, and is zero in the middle; turned by quarters. 1 where it is one."""
    rising = (torch.arange(size) - (size - 1) // 2).float().sign().repeat(size, 1)
    return rising.rot90(turns) if size > 1 else torch.ones(1, 1)


def _formula(name: str, text: str) -> str:
    return f"<p class='lesson-formula'>{mark(f'lesson.formula.{name}', 'b')} {text}</p>"


def _side(size: int, kernel: int, stride: int, padding: int, side: int) -> str:
    return _formula("side", f"= ⌊({size} + 2·{padding} − {kernel}) / {stride}⌋ + 1 = {side}")


def _misfit(size: int, kernel: int, padding: int) -> str:
    return mark("lesson.misfit", "p class='lesson-misfit'", size=size, kernel=kernel, padding=padding)


def _number(value: Tensor | float) -> str:
    return f"{'−' * bool(value < 0)}{abs(round(float(value), 2)):g}".replace("nan", "")


def _signed(value: Tensor) -> str:
    return _number(value) if value >= 0 else f"({_number(value)})"


def _grid(values: Tensor, marked: Collection[Place], title: str, padding: int = 0) -> str:
    """Numbers in squares under a title (HTML), shaded by their size; some marked, those of the padding pale."""
    side, most = len(values), float(values.nan_to_num().abs().max()) or 1
    own = side - 2 * padding
    cells = []
    for i, row in enumerate(values.tolist()):
        for j, value in enumerate(row):
            pale = min(i, j) < padding or max(i, j) >= side - padding
            names = " ".join(
                ["lesson-on"] * ((i, j) in marked) + ["lesson-pale"] * pale + ["lesson-minus"] * (value < 0)
            )
            cells.append(f"<i class='{names}' style='--v:{abs(value) / most:.2f}'>{_number(value)}</i>")
    return "".join(
        (
            f"<figure><figcaption>{title} · {own}×{own}</figcaption>"
            f"<div class='lesson-grid' style='--side:{side}'>{''.join(cells)}</div></figure>",
        )
    )


def _bar(key: str | None, parts: list[tuple[int, str]], most: int, text: str, title: str = "") -> str:
    """A bar to scale, of parts, under its name and its sum."""
    pieces = "".join(f"<i class='lesson-{kind}' style='width:{100 * value / most:.3f}%'></i>" for value, kind in parts)
    return f"<div class='lesson-bar'><b>{mark(key) if key else title}</b> <span>{text}</span><div>{pieces}</div></div>"
