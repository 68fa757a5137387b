"""Multi-crop test-time augmentation.

C. Szegedy et al.: Going deeper with convolutions, CVPR 2015, section 7; here at 28 pixels instead of 224.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cnn_models.datasets import DATASETS
from cnn_models.images.preprocess import SIDE
from cnn_models.network import Network

SCALES = (256, 288, 320, 352)  # pixels of the shorter side, for crops of 224
SQUARES = 3  # of an image: left, centre and right, which coincide where the image is square


class MultiCrop(NamedTuple):
    """The mean of the probabilities over `crops` different crops, which are `paper_crops` of the paper's.

    `milliseconds` are those of the forward passes alone.
    """

    probabilities: dict[str, float]
    crops: int
    paper_crops: int
    milliseconds: float


def crops(grids: Tensor, mirror: bool) -> Tensor:
    """The different crops of each of N x 28 x 28 uint8 images: N x crops x 28 x 28 floats from 0 to 1.

    At each scale the four corners, the centre and the whole image resized; with `mirror`, their mirror images too.
    """
    images, views = grids[:, None].float() / 255, []
    for scale in SCALES:
        large = _resized(images, round(SIDE * scale / 224))
        last = large.shape[-1] - SIDE
        places = (0, 0), (0, last), (last, 0), (last, last), (round(last / 2), round(last / 2))
        views += [large[..., top : top + SIDE, left : left + SIDE] for top, left in places]
        views.append(_resized(large, SIDE))
    if mirror:
        views += [view.flip(-1) for view in views]
    return torch.cat(views, 1)


def _resized(images: Tensor, side: int) -> Tensor:
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


def multi_crop(net: Network, grid: np.ndarray) -> MultiCrop:
    """The prediction averaged over the `crops` of a 28 x 28 uint8 image; those of digits are not mirrored."""
    views = crops(torch.tensor(grid)[None], mirror=DATASETS[net.card.dataset].kind != "digits")[0]
    found = net.run(views)
    mean = dict(zip(net.card.classes, found.probabilities.mean(0).tolist(), strict=True))
    return MultiCrop(mean, len(views), SQUARES * len(views), found.milliseconds)
