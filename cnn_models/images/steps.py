"""What the parts of the preprocessing return: a step with its image, and what was found in a photograph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Box = tuple[int, int, int, int]  # left, top, right and bottom in pixels; the last two are exclusive


class Step(NamedTuple):
    """A step and its result, H x W or H x W x 3 (RGB) uint8.

    `boxes` are those of the foreground or of its components, `outline` the polygon of the sheet or of the garment; both
    are in pixels of the image.
    """

    name: str
    image: np.ndarray
    boxes: tuple[Box, ...] = ()
    outline: tuple[tuple[int, int], ...] = ()


class Found(NamedTuple):
    """What was found in a photograph: `images`, H x W uint8, bright on black (0), one for each digit from the left.

    `images` has one garment at most. `doubt` is the code of a warning if the photograph may not show what was found.
    """

    steps: tuple[Step, ...]
    images: tuple[np.ndarray, ...]
    doubt: str = ""
