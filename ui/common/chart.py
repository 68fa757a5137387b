"""Charts of lines as SVG in HTML; `chart.js` shows their values and switches lines off."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from markupsafe import Markup

from ui.common.chart_notes import notes
from ui.common.templates import render

WIDTH, HEIGHT = 420, 210
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 8, 22  # pixels around the plot


# Of a symbol, its outline around 0, 0.
SYMBOLS = {
    "●": "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z",
    "■": "M-3-3h6v6h-6z",
    "◆": "M0-4 4 0 0 4-4 0z",
    "✚": "M-4-1h3v-3h2v3h3v2h-3v3h-2v-3h-3z",
    "★": "M0-5 1.2-1.6 4.8-1.5 1.9.6 2.9 4 0 2-2.9 4-1.9.6-4.8-1.5-1.2-1.6z",
}
MOST = 12  # symbols on a line
FEW = 8  # times its low end up to which a logarithmic axis has too few of its own ticks


class Line(NamedTuple):
    """A line through points; its name is a text, the key of one, or HTML, and empty where no values are to be shown.

    `dots` are texts shown for the points instead of name and value; such a line has a symbol at every point, another
    one at some. `spread` is the lowest and the highest value at each point, drawn as a band, or as the error bar of a
    single point. `switch` is the entry of a legend that switches the line off, `note` a text beside the last point.
    """

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    dash: str = ""
    dots: Sequence[str] = ()
    symbol: str = ""
    spread: Sequence[tuple[float, float]] = ()
    switch: str = ""
    note: str = ""


class Level(NamedTuple):
    """A dashed line at a value, from side to side; its name is a text or HTML."""

    name: str
    colour: str
    value: float


class Axis(NamedTuple):
    """From where to where; of `whole` numbers, or logarithmic, with both ends above zero."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    def at(self, value: float) -> float:
        """The place of a value, 0 to 1; beyond that of a value off the axis."""
        low, high, value = (math.log(max(v, 1e-300)) if self.log else v for v in (self.low, self.high, value))
        return (value - low) / (high - low or 1)

    def ticks(self) -> list[float]:
        """Round values: multiples of 1, 2 or 5 times a power of ten, or these themselves on a long logarithmic axis."""
        if self.log and self.high > FEW * self.low:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            digits = (1, 2, 5) if len(powers) <= 4 else (1,)
            ticks = [digit * 10.0**power for power in powers[:: -(-len(powers) // 7)] for digit in digits]
            return [tick for tick in ticks if self.low <= tick * (1 + 1e-9) and tick <= self.high * (1 + 1e-9)]
        rough = max((self.high - self.low) / 5, 1 if self.whole else 0) or 1
        unit = 10 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(step * index, 12) for index in range(first, last + 1)]


def around(values: Sequence[float], log: bool = False, margin: float = 0) -> Axis:
    """The axis that holds all values, with a margin at both ends as a share of their range."""
    if not values:
        return Axis(1, 10, log)
    low, high = min(values), max(values)
    if log:
        factor = (high / low) ** margin if high > low else 2
        return Axis(low / factor, high * factor, log)
    return Axis(low - margin * (high - low), high + margin * (high - low))


def decades(values: Sequence[float], whole: bool = False) -> Axis:
    """The logarithmic axis from a power of ten to another that holds all values."""
    low, high = (math.log10(value) for value in (min(values, default=1), max(values, default=1)))
    return Axis(10.0 ** math.floor(low), 10.0 ** max(math.ceil(high), math.floor(low) + 1), True, whole)


def chart(
    title: str, below: str, lines: Sequence[Line], x: Axis, y: Axis, cursor: bool = False, label: str = "",
    levels: Sequence[Level] = (), height: int = HEIGHT,
) -> Markup:  # fmt: skip
    """Lines under a title and over the values at one place of the horizontal axis.

    A `cursor` is a line that a script moves: it lies at the end, and `data-left` and `data-width` say where x does.
    `label` is an aria-label (an attribute) where the names of the lines, which it has otherwise, are keys.
    """
    right, bottom = WIDTH - RIGHT, height - BOTTOM

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return round(LEFT + (right - LEFT) * x.at(point[0]), 1), round(bottom - (bottom - TOP) * y.at(point[1]), 1)

    def placed(line: Line) -> dict[str, object]:
        points = list(map(place, line.points))
        spread = [(x, *bounds) for (x, _), bounds in zip(line.points, line.spread, strict=False)]
        outline = [(x, high) for x, _, high in spread] + [(x, low) for x, low, _ in reversed(spread)]
        values = line.dots or [f"{value:.5g}" for _, value in line.points]
        texts = [(_number(at, x.whole), text) for (at, _), text in zip(line.points, values, strict=True)]
        symbol = line.symbol or ("●" if line.dots or len(points) == 1 else "")
        return line._asdict() | {
            "path": _path(points),
            "area": _path(map(place, outline)),
            "texts": texts if line.name or line.dots else (),
            "outline": SYMBOLS.get(symbol),
            "marks": points[:: 1 if line.dots else -(-len(points) // MOST) or 1] if symbol else (),
        }

    return render(
        "common/chart.html",
        title=title,
        below=below,
        label=label,
        cursor=cursor,
        lines=list(map(placed, lines)),
        notes=notes(
            [(line.note, place(line.points[-1]), [place((line.points[-1][0], y))[1] for y in chain(*line.spread[-1:])])
             for line in lines if line.note],
            [(place(a), place(b)) for line in lines if not line.note for a, b in pairwise(line.points)],
            (LEFT, right), bottom,
        ),
        levels=[(*level, place((x.low, level.value))[1], f"{level.value:.5g}") for level in levels],
        rows=[(place((x.low, tick))[1], _number(tick, y.whole)) for tick in y.ticks()],
        columns=[(place((tick, y.low))[0], _number(tick, x.whole)) for tick in x.ticks()],
        width=WIDTH, height=height, left=LEFT, right=right, top=TOP, bottom=bottom,
    )  # fmt: skip


def legend(entries: Sequence[tuple[str, str, str]], switches: Sequence[str] = ()) -> Markup:
    """Names with their colours and dashes; with `switches`, each switches the lines of its `switch` on and off."""
    return render("common/legend.html", entries=entries, switches=switches)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{a},{b}" for a, b in points)


def _number(value: float, whole: bool) -> str:
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if whole and value >= unit:
            return f"{value / unit:.4g}{letter}"
    if 1e-3 <= abs(value) < 1e5 or not value:
        return f"{value:.5g}"
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")
