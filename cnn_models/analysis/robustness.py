"""Robustness of a prediction to corruptions of growing severity.

After D. Hendrycks, T. Dietterich: Benchmarking neural network robustness to common corruptions and perturbations, 2019.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnn_models.network import Network

SEED = 0


class Corruption(NamedTuple):
    """A corruption of a 1 x 28 x 28 image of floats from 0 to 1, and its severities, the mildest (none) first."""

    severities: tuple[float, ...]
    apply: Callable[[Tensor, float], Tensor]


def _affine(image: Tensor, angle: float = 0.0, shift: int = 0, scale: float = 1.0) -> Tensor:
    """The image turned clockwise by an angle in degrees, shifted to the right by pixels, and scaled."""
    cos, sin = (f(math.radians(angle)) / scale for f in (math.cos, math.sin))
    x = -2 * shift / image.shape[-1]  # the inverse map, from -1 to 1 across the image
    grid = functional.affine_grid(torch.tensor([[[cos, sin, x], [-sin, cos, 0.0]]]), [1, *image.shape], False)
    return functional.grid_sample(image[None], grid, align_corners=False)[0]


def _dilate(image: Tensor, radius: float) -> Tensor:
    """The image dilated by a square of this radius in pixels; between whole radii, interpolated."""
    whole = int(radius)
    thinner, thicker = (functional.max_pool2d(image, 2 * n + 1, 1, n) for n in (whole, whole + 1))
    return torch.lerp(thinner, thicker, radius - whole)


def _blur(image: Tensor, sigma: float) -> Tensor:
    return torch.tensor(cv2.GaussianBlur(image[0].numpy(), (25, 25), sigma))[None] if sigma else image


def _noise(image: Tensor, std: float) -> Tensor:
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(SEED))
    return (image + std * noise).clamp(0, 1)


CORRUPTIONS = {
    "shift": Corruption((0, 1, 2, 3, 4, 6, 8), lambda image, pixels: _affine(image, shift=int(pixels))),
    "rotate": Corruption((0, 10, 20, 30, 45, 60, 90), lambda image, degrees: _affine(image, angle=degrees)),
    "scale": Corruption((1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4), lambda image, factor: _affine(image, scale=factor)),
    "thicken": Corruption((0, 0.5, 1, 1.5, 2, 2.5, 3), _dilate),
    "blur": Corruption((0, 0.5, 1, 1.5, 2, 3, 4), _blur),
    "noise": Corruption((0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8), _noise),
}


class Robustness(NamedTuple):
    """The probability of the original prediction at each severity, and the first at which the prediction changes."""

    probabilities: tuple[float, ...]
    changes_at: float | None


def corrupted(grid: np.ndarray) -> Tensor:
    """A 28 x 28 uint8 image under all corruptions at all severities, in order: N x 28 x 28 floats from 0 to 1."""
    image = torch.tensor(grid)[None].float() / 255
    return torch.cat([each.apply(image, severity) for each in CORRUPTIONS.values() for severity in each.severities])


def measure_robustness(net: Network, images: Tensor) -> dict[str, Robustness]:
    """The robustness of a network to each corruption, on the images that `corrupted` returns."""
    probabilities = net.run(images).probabilities
    original, found, start = probabilities[0].argmax(), {}, 0
    for name, (severities, _) in CORRUPTIONS.items():
        rows = probabilities[start : start + len(severities)]
        start += len(severities)
        changed = (rows.argmax(1) != original).nonzero()
        changes_at = severities[int(changed[0])] if len(changed) else None
        found[name] = Robustness(tuple(rows[:, original].tolist()), changes_at)
    return found
