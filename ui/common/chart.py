"""Small charts of lines as SVG in HTML, for pages that draw many of them or move a cursor over them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from ui.common.texts import TEXTS, mark

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
) -> str:
    """Lines under a title and over what is told of the horizontal axis, both HTML.

    A `cursor` is a line that a script moves: it lies at the end, and `data-left` and `data-width` say where x does.
    `label` is an aria-label (an attribute) where the names of the lines, which it has otherwise, are keys.
    """
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return round(LEFT + wide * x.at(point[0]), 1), round(TOP + high * (1 - y.at(point[1])), 1)

    parts = []
    for tick in y.ticks():
        _, at = place((x.low, tick))
        parts.append(f"<line x1='{LEFT}' x2='{WIDTH - RIGHT}' y1='{at}' y2='{at}'/>")
        parts.append(f"<text x='{LEFT - 5}' y='{at + 3.5}' text-anchor='end'>{_number(tick)}</text>")
    for tick in x.ticks():
        at, _ = place((tick, y.low))
        parts.append(f"<text x='{at}' y='{HEIGHT - 6}' text-anchor='middle'>{_number(tick)}</text>")
    if cursor:
        parts.append(
            f"<line class='chart-cursor' x1='{LEFT + wide}' x2='{LEFT + wide}' y1='{TOP}' y2='{TOP + high}' "
            f"data-left='{LEFT}' data-width='{wide}'/>"
        )
    for line in lines:
        path = " ".join(f"{a},{b}" for a, b in map(place, line.points))
        style = f"stroke='{line.colour}' stroke-dasharray='{line.dash}'"
        parts.append(f"<polyline points='{path}' {style}>{title_of(line.name)}</polyline>")
        for point, said in zip(line.points, line.dots, strict=False):
            a, b = place(point)
            parts.append(f"<circle cx='{a}' cy='{b}' r='3' fill='{line.colour}'><title>{escape(said)}</title></circle>")
    name = f"{re.sub('<[^>]*>', '', title)}: {escape(', '.join(line.name for line in lines), quote=True)}"
    label = label or f"aria-label='{name}'"
    return (
        f"<figure class='chart'><figcaption>{title}</figcaption><svg viewBox='0 0 {WIDTH} {HEIGHT}' "
        f"role='img' {label}>{''.join(parts)}</svg>"
        f"<small>{below}</small></figure>"
    )


def title_of(name: str) -> str:
    """An SVG title; the name is a text, or the key of one."""
    return mark(name, "title") if name in TEXTS["en"] else f"<title>{escape(name)}</title>"


def legend(entries: Sequence[tuple[str, str, str]]) -> str:
    """Names (HTML) with their colours and dashes."""
    items = "".join(
        f"<li><svg width='28' height='8' aria-hidden='true'><line x2='28' y1='4' y2='4' stroke='{colour}' "
        f"stroke-width='2' stroke-dasharray='{dash}'/></svg> {name}</li>"
        for name, colour, dash in entries
    )
    return f"<ul class='chart-legend'>{items}</ul>"


def _number(value: float) -> str:
    return (
        f"{value:g}"
        if 1e-3 <= abs(value) < 1e5 or not value
        else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
    )
