"""From the photograph of a page to its ink: uneven light and shadows are divided out, and the ink is told by colour."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import cv2
import numpy as np

ROUNDS, WINDOW = 4, 11
NEAR, SAME = 19, 0.05
SPARSE = 3  # of so many rows and columns, one is enough for a median
LOW_SIDE = 192  # pixels; light varies slowly, so that it is estimated on a small image
DARK = 12.0  # grey levels; added to the background, so that noise on black is not divided by 0
FAINTEST = 0.06  # of the background, at least, between ink and page
TOLERANCE = 16  # grey levels that the border may differ from a smooth surface


class Ink(NamedTuple):
    """The ink of a page: its strength, H x W float32, 0 for none; the std of the noise; the page under even light."""

    strength: np.ndarray
    noise: np.ndarray
    page: np.ndarray


def find_ink(pixels: np.ndarray, keep_light: bool = False) -> Ink:
    """The ink of a page H x W x channels uint8, darker or brighter than its ground or of another colour.

    With `keep_light`, the background is the median colour of the page, whatever the light.
    """
    values = pixels.astype(np.float32)
    ground = np.broadcast_to(np.median(values[::SPARSE, ::SPARSE], axis=(0, 1)), values.shape) if keep_light else background(pixels)
    change = (values - ground) / (ground + DARK)
    strength, noise = _along_ink(cv2.GaussianBlur(change, (0, 0), max(pixels.shape[:2]) / 500).reshape(values.shape))
    page = 255 * (1 + np.minimum(change, 0))
    level = mean(ground)
    noise = noise * float(np.median(level[::SPARSE, ::SPARSE] + DARK)) / (level + DARK)
    return Ink(strength, noise, page.clip(0, 255).astype(np.uint8))


def background(pixels: np.ndarray) -> np.ndarray:
    """The page without its ink, H x W x channels float32: a smooth surface, or the median where light has edges."""
    height, width, channels = pixels.shape
    scale = LOW_SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    low = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], channels)
    ground = _surface(low)
    if ground is None:
        ground = _median(low)
    return cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR).reshape(pixels.shape)


def _surface(low: np.ndarray) -> np.ndarray | None:
    """The quadratic surface fitted to the border, or None if the border or most of the image deviates from it."""
    height, width, channels = low.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), y, x, y * y, x * x, x * y], axis=-1).astype(np.float32)
    smooth = cv2.GaussianBlur(low.astype(np.float32), (0, 0), 1.5).reshape(low.shape)
    weights = np.linalg.lstsq(_border(terms), _border(smooth), rcond=None)[0]
    if np.abs(_border(smooth) - _border(terms) @ weights).max() > TOLERANCE:
        return None
    ground = terms @ weights
    return ground if np.median(np.abs(smooth - ground)) < TOLERANCE / 2 else None


def largest(values: np.ndarray) -> np.ndarray:
    """The greatest channel, H x W; as numpy reduces short axes slowly, by channel."""
    return reduce(np.maximum, (values[..., i] for i in range(values.shape[2])))


def mean(values: np.ndarray) -> np.ndarray:
    """The mean of the channels, H x W float32."""
    return values @ np.full(values.shape[2], 1 / values.shape[2], np.float32)


def _border(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def _median(low: np.ndarray) -> np.ndarray:
    """The median in a window that is larger than the digit, then in small ones, which keep the corners of shadows.

    For the small windows, what differs from the estimate before, as ink does, is filled from around it.
    """
    logs = np.log(low + np.float32(DARK))
    ground = cv2.medianBlur(low, _odd(0.4 * min(low.shape[:2])))
    for _ in range(ROUNDS):
        change = largest(np.abs(logs - np.log(ground.reshape(low.shape) + np.float32(DARK))))
        level = (100 * np.minimum(change, 2.55)).astype(np.uint8)
        cut = max(cv2.threshold(level, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] / 2, 6)
        # where a pixel has the colour of the darkest page nearby, it is page in shadow
        shade = np.log(cv2.erode(ground, np.ones((NEAR, NEAR), np.uint8)).reshape(low.shape) + np.float32(DARK))
        in_shadow = (largest(np.abs(logs - shade)) < SAME).astype(np.uint8)
        in_shadow = cv2.morphologyEx(in_shadow, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        mask = cv2.dilate(((level > cut) & (in_shadow == 0)).astype(np.uint8), np.ones((5, 5), np.uint8))
        ground = cv2.medianBlur(_filled(low, mask), WINDOW)
    return ground.reshape(low.shape).astype(np.float32)


def _filled(low: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image with the pixels of the mask replaced by the nearest others."""
    labels = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)[1]
    others = mask == 0
    if not others.any():
        return low
    values = np.zeros((labels.max() + 1, low.shape[2]), np.uint8)
    values[labels[others]] = low[others]
    return values[labels]


def _odd(size: float) -> int:
    return 2 * int(size / 2) + 1


def _along_ink(change: np.ndarray) -> tuple[np.ndarray, float]:
    """The change along the ink's colour, which is that of the greatest changes, and the std of its noise."""
    noise = np.maximum(1.05 * np.median(np.abs(np.diff(change[::SPARSE], axis=1)[:, ::SPARSE]), axis=(0, 1)), 0.004)  # of normal noise
    flat = (change / noise).reshape(-1, change.shape[2])
    size = np.sqrt(np.square(flat) @ np.ones(flat.shape[1], np.float32))
    strong = flat[size > max(6.0, 0.5 * float(np.percentile(size[::SPARSE], 99.5)))]
    if not len(strong):
        return np.zeros(change.shape[:2], np.float32), 1.0
    direction = np.linalg.eigh(strong.T @ strong)[1][:, -1]
    along = (np.log1p(strong * noise) / noise) @ direction  # as logarithms, darker and brighter count the same
    direction *= np.sign((along * np.abs(along)).sum())
    weights = (direction / noise / np.abs(direction / noise).sum()).astype(np.float32)
    values = change @ weights
    # the first is the noise from pixel to pixel, the second also that of the blocks of a JPEG
    std = max(float(np.sqrt(np.sum((weights * noise) ** 2))), 1.48 * float(np.median(np.abs(values[::SPARSE, ::SPARSE]))))
    return np.maximum(values, 0), std
