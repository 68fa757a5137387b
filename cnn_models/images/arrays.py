"""Operations on arrays of pixels that the parts of the preprocessing share."""

from __future__ import annotations

from functools import reduce

import cv2
import numpy as np


def over_white(pixels: np.ndarray) -> np.ndarray:
    """An image H x W, H x W x 3 or H x W x 4 uint8 in RGB, H x W x 3, with transparency over white."""
    if pixels.ndim == 2:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.uint16)
    return ((pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """The image averaged down so that its longer edge is `side` at most."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(scale * length)) for length in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)


def largest(values: np.ndarray) -> np.ndarray:
    """The greatest channel, H x W; by channel, as numpy reduces short axes slowly."""
    return reduce(np.maximum, (values[..., i] for i in range(values.shape[2])))


def mean(values: np.ndarray) -> np.ndarray:
    """The mean of the channels, H x W, of an image of float32."""
    return values @ np.full(values.shape[2], 1 / values.shape[2], np.float32)


def filled(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The image H x W x channels with the pixels of the mask, H x W uint8, replaced by the nearest others."""
    labels = cv2.distanceTransformWithLabels(mask, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)[1].astype(np.intp)
    others = mask == 0
    if not others.any():
        return image
    values = np.zeros((labels.max() + 1, image.shape[2]), np.uint8)
    values[labels[others]] = image[others]
    return values[labels]


def border_of(image: np.ndarray) -> np.ndarray:
    """The pixels of an image at its border, N or N x channels."""
    return np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])


def bright_on_dark(image: np.ndarray) -> np.ndarray:
    """The image, negated if the mean of its border is nearer to its greatest than to its least value.

    Correct for the 70,000 images of both data sets and their negatives; the median fails for clothes at the border.
    """
    middle = (int(image.min()) + int(image.max())) / 2
    return image if border_of(image).mean() < middle else 255 - image
