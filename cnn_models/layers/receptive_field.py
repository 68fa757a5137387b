"""Receptive fields: the pixels of the input that a unit of a feature map depends on.

A. Araujo, W. Norris, J. Sim: Computing receptive fields of convolutional neural networks, Distill, 2019,
doi:10.23915/distill.00021. Along one side, as images and windows are square.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ReceptiveField(NamedTuple):
    """The fields of the units of a map, in pixels.

    `size` is the side of each, `jump` the distance between those of neighbours, and `start` where the first begins,
    negative in the padding.
    """

    size: float
    jump: float
    start: float

    def after(self, reach: int, stride: float, padding: int) -> ReceptiveField:
        """The fields after a window; `reach` is dilation (kernel - 1)."""
        return ReceptiveField(self.size + reach * self.jump, stride * self.jump, self.start - padding * self.jump)

    def span(self, unit: int) -> tuple[int, int]:
        """The first pixel of a unit's field, and the first after it."""
        first = self.start + unit * self.jump
        return round(first), round(first + self.size)


INPUT = ReceptiveField(1, 1, 0)


def joined(fields: Iterable[ReceptiveField]) -> ReceptiveField:
    """The fields of a sum or a concatenation: each covers those of its inputs."""
    fields = list(fields)
    start, end = min(f.start for f in fields), max(f.start + f.size for f in fields)
    return ReceptiveField(end - start, max(f.jump for f in fields), start)
