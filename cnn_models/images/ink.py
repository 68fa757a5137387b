"""From the photograph of a page to its ink: uneven light and shadows are divided out, and the ink differs in colour."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from cnn_models.images.arrays import border_of, filled, largest, mean, shrink

LOW_SIDE = 192  # pixels; light varies slowly, so that it is estimated on a small image
WIDE = 0.5  # of its shorter side, the window of a median that removes digits
ROUNDS, WINDOW = 4, 11  # how often, and in which window, the median is then refined
SETTLED = 0.0005  # of the pixels still change: the estimate is final
NEAR, SAME = 19, 0.05  # pixels from a shadow to its corner, and log ratio of brightness of the same page
SPARSE = 3  # of so many rows and columns, one is enough for a median
DARK = np.float32(12)  # grey levels; added to the background, so that noise on black is not divided by 0
LOGS = np.log(np.arange(256, dtype=np.float32) + DARK)
EDGE = 0.05  # of the shorter side, the width of the border of a page
TOLERANCE = 16  # grey levels that the border may differ from a smooth surface


class Ink(NamedTuple):
    """The ink of a page: its strength, H x W float32, 0 for none; the std of the noise; the page under even light."""

    strength: np.ndarray
    noise: np.ndarray
    page: np.ndarray


def find_ink(pixels: np.ndarray, keeps_light: bool = False) -> Ink:
    """The ink of a page H x W x channels uint8, darker or brighter than its ground or of another colour.

    With `keeps_light`, the ground is the median colour of the page, whatever the light.
    """
    values = pixels.astype(np.float32) + DARK
    paper = np.median(values[::SPARSE, ::SPARSE], axis=(0, 1))
    # at the edge of a shadow, whatever is between light and shadow is page
    ground = np.broadcast_to(paper, values.shape) if keeps_light else np.clip(values, *background(pixels))
    evened = cv2.GaussianBlur(values / ground, (0, 0), max(pixels.shape[:2]) / 500).reshape(values.shape)
    strength, noise = _along_ink(evened - 1)
    level = mean(ground)
    noise = noise * float(np.median(level[::SPARSE, ::SPARSE])) / level  # in the dark, it is larger beside the light
    return Ink(strength, noise, (evened * paper - DARK).clip(0, 255).astype(np.uint8))


def background(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The darkest and the brightest page around each pixel, without ink, plus DARK: H x W x channels float32 each."""
    low = shrink(pixels, LOW_SIDE)
    ground = _surface(low)
    if ground is None:
        ground = cv2.medianBlur(low, _odd(WIDE * min(low.shape[:2]))).reshape(low.shape)
    ground = _refined(low, ground)
    near, size = np.ones((3, 3), np.uint8), pixels.shape[1::-1]
    darkest, brightest = (
        cv2.resize(extreme(ground, near), size, interpolation=cv2.INTER_LINEAR).reshape(pixels.shape) + DARK
        for extreme in (cv2.erode, cv2.dilate)
    )
    return darkest, brightest


def _surface(low: np.ndarray) -> np.ndarray | None:
    """The quadratic surface fitted to the border, or None if the border or most of the image deviates from it."""
    height, width = low.shape[:2]
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), y, x, y * y, x * x, x * y], axis=-1).astype(np.float32)
    smooth = cv2.GaussianBlur(low.astype(np.float32), (0, 0), 1.5).reshape(low.shape)
    weights = np.linalg.lstsq(border_of(terms), border_of(smooth), rcond=None)[0]
    if np.abs(border_of(smooth) - border_of(terms) @ weights).max() > TOLERANCE:
        return None
    ground = (terms @ weights).clip(0, 255).astype(np.uint8)
    return ground if np.median(np.abs(smooth - ground)[::SPARSE, ::SPARSE]) < TOLERANCE / 2 else None


def _refined(low: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """The median in small windows, which keep the corners of shadows; what differs from `ground`, as ink, is filled."""
    logs, before = LOGS[low], None
    for _ in range(ROUNDS):
        change = largest(np.abs(logs - LOGS[ground]))
        level = (100 * np.minimum(change, 2.55)).astype(np.uint8)
        cut = max(cv2.threshold(level, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] / 2, 6)
        # where a pixel has the colour of the darkest page nearby, it is page in shadow
        darkest = cv2.erode(ground, np.ones((NEAR, NEAR), np.uint8)).astype(np.uint8)
        shade = LOGS[darkest.reshape(low.shape)]
        in_shadow = (largest(np.abs(logs - shade)) < SAME).astype(np.uint8)
        in_shadow = cv2.morphologyEx(in_shadow, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        mask = cv2.dilate(((level > cut) & (in_shadow == 0)).astype(np.uint8), np.ones((5, 5), np.uint8))
        if before is not None and np.count_nonzero(mask != before) < SETTLED * mask.size:
            break
        before = mask
        ground = cv2.medianBlur(filled(low, mask), WINDOW).reshape(low.shape)
    return ground


def _odd(size: float) -> int:
    return 2 * int(size / 2) + 1


def _along_ink(change: np.ndarray) -> tuple[np.ndarray, float]:
    """The change along the ink's colour, which is that of the greatest changes, and the std of its noise."""
    steps = np.abs(np.diff(change[::SPARSE], axis=1)[:, ::SPARSE])
    noise = np.maximum(1.05 * np.median(steps, axis=(0, 1)), 0.004)  # the std of normal noise
    edge = 1 + int(EDGE * min(change.shape[:2]))
    # at the border, other things are in the photograph too, so they count only where nothing else does
    for part in (change[edge:-edge, edge:-edge], change):
        strong = _strong((part / noise).reshape(-1, change.shape[2]))
        if len(strong):
            break
    else:
        return np.zeros(change.shape[:2], np.float32), 1.0
    direction = np.linalg.eigh(strong.T @ strong)[1][:, -1]
    along = (np.log1p(strong * noise) / noise) @ direction  # as logarithms, darker and brighter count the same
    direction *= np.sign((along * np.abs(along)).sum())
    weights = (direction / noise / np.abs(direction / noise).sum()).astype(np.float32)
    values = change @ weights
    # the first is the noise from pixel to pixel, the second also that of the blocks of a JPEG
    wide = 1.48 * np.median(np.abs(values[::SPARSE, ::SPARSE]))
    return np.maximum(values, 0), float(max(np.linalg.norm(weights * noise), wide))


def _strong(changes: np.ndarray) -> np.ndarray:
    """The greatest of the changes N x channels, in units of their noise."""
    if not len(changes):
        return changes
    size = np.sqrt(np.square(changes) @ np.ones(changes.shape[1], np.float32))
    return changes[size > max(6.0, 0.5 * float(np.percentile(size[::SPARSE], 99.5)))]
