"""What an image is: a drawing, which is taken as it is, or a photograph, whose digits or garment are to be found.

A drawing is small, or grey on a ground of one level, as the page's canvas, scans of the data sets and screenshots are.
Only where it shows several digits, or one within a filled shape, are they separated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import cv2
import numpy as np

from cnn_models.images.arrays import border_of, bright_on_dark
from cnn_models.images.decode import Decoded
from cnn_models.images.garment import find_garment
from cnn_models.images.paper import find_digits, find_in_shape, separated
from cnn_models.images.steps import Found
from cnn_models.specs import Dataset

SMALLEST = 64  # pixels along the longer edge of a photograph
CANVAS = 112  # pixels along the edge of a drawing on the page's canvas, which may have ink all along its border
FLAT = 0.9  # of a drawing's border has one level
ROW = 40  # pixels along the longer edge, below which an image may be one of the data sets, which are not separated
WHITE = 254  # the brightest pixel of these, at least; drawings of the page may be as small, but their ink is no black
SEGMENTS = {"digits": ("sheet", "light", "components"), "clothing": ("ground",)}
"""The steps of the segmentation by the kind of the data set."""
FINDERS: dict[str, Callable[[np.ndarray, Collection[str]], Found]] = {"digits": find_digits, "clothing": find_garment}

cv2.setNumThreads(1)  # requests run beside each other, and the images are small


def segment(image: Decoded, dataset: Dataset, off: Collection[str] = ()) -> Found:
    """The digits or the garment of a photograph, without the steps `off`, or the digits of a drawing."""
    if set(SEGMENTS[dataset.kind]).issubset(off):
        return Found((), ())
    if is_photograph(image.pixels):
        return FINDERS[dataset.kind](image.pixels, off)
    if dataset.kind == "digits" and "components" not in off:
        drawing = bright_on_dark(image.luminance)
        if max(drawing.shape) < ROW and drawing.max() >= WHITE:
            return Found((), ())
        found = separated(drawing)
        return found if found.images or max(drawing.shape) <= CANVAS else find_in_shape(drawing, off)
    return Found((), ())


def is_photograph(pixels: np.ndarray) -> bool:
    """Whether an image, uint8 of H x W (x 3 or 4), is no drawing."""
    longest = max(pixels.shape[:2])
    if longest < SMALLEST or (pixels.ndim == 2 and longest <= CANVAS):
        return False
    border = border_of(pixels)
    return pixels.ndim == 3 or np.bincount(border).max() < FLAT * len(border)
