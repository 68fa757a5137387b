"""Many looks at one image, averaged: the crops of Szegedy et al. 2015, section 7, at 28 pixels for 224."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from cnn_models.datasets import DATASETS
from cnn_models.images.preprocess import SIDE
from cnn_models.network import Network

SCALES = (256, 288, 320, 352)  # of the shorter side, where the network sees 224
SQUARES = 3  # left, centre and right, which are one and the same in a square image


class MultiCrop(NamedTuple):
    """The mean of the probabilities over `count` different looks, which stand for `paper` of the paper's.

    `milliseconds` are those of the forward pass alone, as an `Answer` has them.
    """

    probabilities: dict[str, float]
    crops: int
    paper_crops: int
    milliseconds: float


def crops(grids: Tensor, mirror: bool) -> Tensor:
    """The different looks at each of N x 28 x 28 uint8 images: N x looks x 28 x 28 floats from 0 to 1.

    At each scale the four corners, the centre, and the whole made small again; each mirrored too if asked for.
    """
    from torchvision.transforms.v2.functional import five_crop, hflip, resize  # as in `robustness`, late

    images, views = grids.float() / 255, []
    for scale in SCALES:
        large = resize(images, [round(SIDE * scale / 224)] * 2, antialias=True)
        views += [*five_crop(large, [SIDE, SIDE]), resize(large, [SIDE, SIDE], antialias=True)]
    if mirror:
        views += [hflip(view) for view in views]
    return torch.stack(views, 1)


def multi_crop(net: Network, grid: np.ndarray) -> MultiCrop:
    """The network's answer averaged over `looks`. Digits are not mirrored: a mirrored 2 is no 2."""
    views = crops(torch.tensor(grid)[None], mirror=DATASETS[net.card.dataset].kind != "digits")[0]
    found = net.run(views)
    mean = dict(zip(net.card.classes, found.probabilities.mean(0).tolist(), strict=True))
    return MultiCrop(mean, len(views), SQUARES * len(views), found.milliseconds)
