"""Augmentations of a batch of images (float32, N x 1 x 28 x 28, 0 to 1), computed on its device.

They draw from torch's global generator, which the training loop seeds for every step.
"""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.transforms import v2

from training.recipes import Recipe

CUTMIX = v2.CutMix(num_classes=10)


def deform(x: Tensor, degrees: float, shift: float, scale: float, shear: float, elastic: float = 0.0) -> Tensor:
    """The images, each rotated, shifted (pixels), scaled and sheared by random amounts, uniform up to those given.

    `elastic` is the standard deviation in pixels of 5 x 5 random displacements, interpolated bicubically over the image
    (after Simard, Steinkraus & Platt 2003: Best practices for convolutional neural networks).
    """
    n, _, _, size = x.shape
    u = torch.rand(6, n).mul_(2).sub_(1)
    angle, shear_x = u[0] * math.radians(degrees), u[1] * math.radians(shear)
    scale_x, scale_y = 1 + u[2] * scale, 1 + u[3] * scale
    cos, sin = angle.cos(), angle.sin()
    # From output to input coordinates, both -1 to 1: rotation after shear after scaling, then the shift.
    matrix = torch.stack(
        [
            torch.stack([cos * scale_x, (cos * shear_x.tan() - sin) * scale_y, u[4] * 2 * shift / size], 1),
            torch.stack([sin * scale_x, (sin * shear_x.tan() + cos) * scale_y, u[5] * 2 * shift / size], 1),
        ],
        1,
    )
    weights, basis = matrix.view(2 * n, 3), coordinate_basis(size)
    if elastic:
        weights = torch.cat([weights, torch.randn(2 * n, 25).mul_(2 * elastic / size)], 1)
    # One product for all images: F.affine_grid and F.interpolate take longer than the sampling itself.
    grid = (weights @ basis[: weights.shape[1]]).view(n, 2, size, size)
    return F.grid_sample(x, grid.to(x.device).permute(0, 2, 3, 1), align_corners=False)


@functools.cache
def coordinate_basis(size: int) -> Tensor:
    """The basis of sampling coordinates, 28 x (size * size): x, y (-1 to 1), 1, and 5 x 5 bicubic kernels."""
    line = (2 * torch.arange(size) + 1) / size - 1
    spread = F.interpolate(torch.eye(5)[None, None], (size, 5), mode="bicubic", align_corners=True)[0, 0]  # size x 5
    plane = [line.repeat(size), line.repeat_interleave(size), torch.ones(size * size)]
    return torch.cat([torch.stack(plane), torch.kron(spread, spread).T])


def erase(x: Tensor, side: int) -> Tensor:
    """The images, each with a black square of `side` pixels centred anywhere in it (DeVries & Taylor 2017: Cutout)."""
    n, _, _, size = x.shape
    first = torch.randint(size, (2, n, 1)).to(x.device) - side // 2
    line = torch.arange(size, device=x.device)
    rows, columns = (first <= line) & (line < first + side)
    return x.masked_fill((rows[:, :, None] & columns[:, None])[:, None], 0)


def flip(x: Tensor) -> Tensor:
    """The images, each mirrored left to right with probability 1/2."""
    mirrored = (torch.rand(len(x)) < 0.5).to(x.device)
    return torch.where(mirrored[:, None, None, None], x.flip(3), x)


def cutmix(x: Tensor, targets: Tensor, probability: float) -> tuple[Tensor, Tensor]:
    """With this probability, the batch with a rectangle of every image taken from another (Yun et al. 2019: CutMix).

    Images may have any size. Targets, labels N or probabilities N x 10, become probabilities, mixed by the area of the
    rectangle.
    """
    return CUTMIX(x, targets) if torch.rand(()) < probability else (x, targets)


def augmented(images: Tensor, recipe: Recipe) -> Tensor:
    """A batch of images (uint8, N x 28 x 28) augmented by a recipe: float32, N x 1 x 28 x 28, 0 to 1."""
    x = images[:, None].float().div_(255)
    deformation = (recipe.degrees, recipe.shift, recipe.scale, recipe.shear, recipe.elastic)
    if any(deformation):
        x = deform(x, *deformation)
    if recipe.flip:
        x = flip(x)
    if recipe.erase:
        x = erase(x, recipe.erase)
    return x
