"""Small charts of lines as SVG in HTML, for pages that draw many of them or move a cursor over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from ui.common.templates import render

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 8, 22  # pixels around the plot


class Line(NamedTuple):
    """A line through points; its name is a text, or the key of one.

    `dots` says what hovering over each of the points tells, none for a line without dots.
    """

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    dash: str = ""
    dots: Sequence[str] = ()


class Axis(NamedTuple):
    """From where to where; of `whole` numbers, or logarithmic, with both ends above zero."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, value: float) -> float:
        """The place of a value, 0 to 1."""
        low, high, value = (math.log(max(v, 1e-300)) if self.log else v for v in (self.low, self.high, value))
        return min(1.0, max(0.0, (value - low) / (high - low or 1)))

    def ticks(self) -> list[float]:
        """Round values: multiples of 1, 2 or 5 times a power of ten, or these themselves on a logarithmic axis."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            digits = (1, 2, 5) if len(powers) <= 4 else (1,)
            ticks = [digit * 10.0**power for power in powers[:: -(-len(powers) // 7)] for digit in digits]
            return [tick for tick in ticks if self.low <= tick * (1 + 1e-9) and tick <= self.high * (1 + 1e-9)]
        rough = max((self.high - self.low) / 5, 1 if self.whole else 0) or 1
        unit = 10 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(step * index, 12) for index in range(first, last + 1)]


def around(values: Sequence[float], log: bool = False) -> Axis:
    """The axis that holds all values."""
    return Axis(min(values), max(values), log) if values else Axis(1, 10, log)


def chart(
    title: str, below: str, lines: Sequence[Line], x: Axis, y: Axis, cursor: bool = False, label: str = ""
) -> Markup:
    """Lines under a title and over what is told of the horizontal axis.

    A `cursor` is a line that a script moves: it lies at the end, and `data-left` and `data-width` say where x does.
    `label` is an aria-label (an attribute) where the names of the lines, which it has otherwise, are keys.
    """
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return round(LEFT + (right - LEFT) * x.at(point[0]), 1), round(bottom - (bottom - TOP) * y.at(point[1]), 1)

    def placed(line: Line) -> tuple:
        points = list(map(place, line.points))
        path = " ".join(f"{a},{b}" for a, b in points)
        return line.name, line.colour, line.dash, path, list(zip(points, line.dots, strict=False))

    return render(
        "common/chart.html",
        title=title,
        below=below,
        label=label,
        cursor=cursor,
        lines=list(map(placed, lines)),
        rows=[(place((x.low, tick))[1], _number(tick)) for tick in y.ticks()],
        columns=[(place((tick, y.low))[0], _number(tick)) for tick in x.ticks()],
        width=WIDTH, height=HEIGHT, left=LEFT, right=right, top=TOP, bottom=bottom,
    )  # fmt: skip


def legend(entries: Sequence[tuple[str, str, str]]) -> Markup:
    """Names with their colours and dashes."""
    return render("common/legend.html", entries=entries)


def _number(value: float) -> str:
    return (
        f"{value:g}"
        if 1e-3 <= abs(value) < 1e5 or not value
        else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    )
