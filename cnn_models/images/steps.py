"""A step of an image's way to the networks, and what was found in a photograph."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Box = tuple[int, int, int, int]  # left, top, right and bottom in pixels; the last two are exclusive


class Step(NamedTuple):
    """A step and its result, H x W or H x W x 3 uint8.

    `boxes` are what was found in it, and `outline` is the polygon of the sheet or the garment, in pixels of the image.
    """

    name: str
    image: np.ndarray
    boxes: tuple[Box, ...] = ()
    outline: tuple[tuple[int, int], ...] = ()


class Found(NamedTuple):
    """What was found in a photograph: the steps, and the images, H x W uint8, bright on black.

    There is one image per digit, left to right, and none where nothing was found. `doubt` is a code of what is wrong
    with the photograph, or "".
    """

    steps: tuple[Step, ...]
    images: tuple[np.ndarray, ...]
    doubt: str = ""
