"""What an image is: a drawing, which is taken as it is, or a photograph, whose digits or garment are to be found.

A drawing is small, or grey on a ground of one level, as the page's canvas, scans of the data sets and screenshots are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from cnn_models.images.decode import Decoded
from cnn_models.images.steps import Found
from cnn_models.specs import Dataset

SMALLEST = 64  # pixels along the longer edge of a photograph
CANVAS = 112  # pixels along the edge of a drawing on the page's canvas, which may have ink all along its border
FLAT = 0.9  # of a drawing's border has one level
SEGMENTS = {"digits": ("sheet", "light", "components"), "clothing": ("ground",)}
"""The steps of the segmentation by the kind of the data set."""
FINDERS: dict[str, Callable[[np.ndarray, Collection[str]], Found]] = {}


def segment(image: Decoded, dataset: Dataset, off: Collection[str] = ()) -> Found:
    """The digits or the garment of a photograph, without the steps `off`; nothing of a drawing."""
    find = FINDERS.get(dataset.kind)
    if not find or not is_photograph(image.pixels) or set(SEGMENTS[dataset.kind]).issubset(off):
        return Found((), ())
    return find(image.pixels, off)


def is_photograph(pixels: np.ndarray) -> bool:
    """Whether an image, uint8 of H x W (x 3 or 4), is no drawing."""
    longest = max(pixels.shape[:2])
    if longest < SMALLEST or (pixels.ndim == 2 and longest <= CANVAS):
        return False
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return pixels.ndim == 3 or np.bincount(border).max() < FLAT * len(border)
