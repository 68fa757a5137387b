"""Maps of 28 x 28 values as images, from blue for negative to red for positive ones."""

from __future__ import annotations

import numpy as np
from PIL import Image

SHOWN = 112  # pixels along the side of a map
HOT, COLD = np.array([226, 72, 40]), np.array([40, 110, 226])


def overlay(grid: np.ndarray, values: np.ndarray) -> Image.Image:
    """The image in grey under a 28 x 28 map from -1 (blue) to 1 (red)."""
    base = np.asarray(Image.fromarray(grid).resize((SHOWN, SHOWN), Image.Resampling.NEAREST), np.float32)
    large = np.asarray(Image.fromarray(values.astype(np.float32)).resize((SHOWN, SHOWN), Image.Resampling.BILINEAR))
    colour = np.where(large[..., None] > 0, HOT, COLD)
    strength = np.clip(np.abs(large), 0, 1)[..., None] ** 0.7 * 0.85
    pale = 255 - base[..., None] * 0.55
    return Image.fromarray(np.rint(pale * (1 - strength) + colour * strength).astype(np.uint8))


def difference(values: np.ndarray) -> Image.Image:
    """A 28 x 28 map from -1 (blue) over 0 (white) to 1 (red), pixel by pixel."""
    strength = np.clip(np.abs(values), 0, 1)[..., None]
    colour = np.where(values[..., None] > 0, HOT, COLD)
    return Image.fromarray(np.rint(255 * (1 - strength) + colour * strength).astype(np.uint8))
