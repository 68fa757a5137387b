"""Figures that others report for these networks: quoted, never measured here."""

from __future__ import annotations

from typing import NamedTuple


class Quoted(NamedTuple):
    """A test accuracy in percent. `source` is `course` (a course text, whose run the recipe `source` repeats) or
    `elsewhere` (the best that was found published for the same network); `epochs` 0 where that isn't told."""

    accuracy: float
    source: str
    epochs: int = 0


QUOTED: dict[str, tuple[Quoted, ...]] = {
    "lenet5.mnist": (Quoted(98.52, "course", 5), Quoted(99.2, "elsewhere")),
    "lenet5.fashion_mnist": (Quoted(88.0, "elsewhere"),),
    "alexnet.fashion_mnist": (Quoted(91.22, "course", 10), Quoted(89.9, "elsewhere")),
    "googlenet.fashion_mnist": (Quoted(88.6, "elsewhere", 10),),
    "mini_inception.mnist": (Quoted(98.9, "elsewhere"),),
    "mini_inception.fashion_mnist": (Quoted(89.59, "course", 10),),
    "mini_resnet.mnist": (Quoted(99.1, "elsewhere"),),
    "mini_resnet.fashion_mnist": (Quoted(90.04, "course", 10),),
}
