"""Places for texts beside the points of a chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

LETTER, HEIGHT = 8, 15  # of a text, at most
GAP = 8  # from a point to its text
FAR = 1e4  # beyond any chart
Point = tuple[float, float]


class Box(NamedTuple):
    left: float
    right: float
    top: float
    bottom: float

    def overlap(self, other: Box) -> float:
        """The area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)


def notes(
    texts: Sequence[tuple[str, Point, Sequence[float]]],
    segments: Sequence[tuple[Point, Point]],
    across: tuple[float, float],
    bottom: float,
) -> list[tuple[str, float, float, str]]:
    """Each text with its x, its y and its `text-anchor`, beside its point where it covers least of all else.

    Texts come with the point and the ends of its error bar; `segments` are lines to leave free, `across` and `bottom`
    the ends of the plot.
    """
    bars = [Box(x - 5, x + 5, min([y - 5, *ends]), max([y + 5, *ends])) for _, (x, y), ends in texts]
    lines = [Box(min(a, c) - 1, max(a, c) + 1, min(b, d) - 1, max(b, d) + 1) for (a, b), (c, d) in segments]
    outside = [Box(-FAR, across[0], -FAR, FAR), Box(across[1], FAR, -FAR, FAR), Box(-FAR, FAR, bottom, FAR)]
    taken, found = [*bars, *lines, *outside], []
    for (text, (x, y), _), bar in zip(texts, bars, strict=True):
        width = LETTER * len(text)
        places = [
            (x + GAP, y + 4, "start"),
            (x - GAP, y + 4, "end"),
            (x, bar.top - 5, "middle"),
            (x, bar.bottom + HEIGHT, "middle"),
            (x + GAP, bar.top, "start"),
            (x - GAP, bar.top, "end"),
            (x + GAP, bar.bottom + HEIGHT, "start"),
            (x - GAP, bar.bottom + HEIGHT, "end"),
        ]
        boxes = [_box(place, width) for place in places]
        best = min(range(len(places)), key=lambda index: sum(boxes[index].overlap(other) for other in taken))
        taken.append(boxes[best])
        found.append((text, *places[best]))
    return found


def _box(place: tuple[float, float, str], width: float) -> Box:
    x, y, anchor = place
    left = x - {"start": 0, "middle": width / 2, "end": width}[anchor]
    return Box(left, left + width, y - HEIGHT + 3, y + 3)
