"""Multi-crop test-time augmentation.

C. Szegedy et al.: Going deeper with convolutions, CVPR 2015, section 7; here at 28 pixels instead of 224.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

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
    from torchvision.transforms.v2.functional import five_crop, hflip, resize  # as in `robustness`

    images, views = grids.float() / 255, []
    for scale in SCALES:
        large = resize(images, [round(SIDE * scale / 224)] * 2, antialias=True)
        views += [*five_crop(large, [SIDE, SIDE]), resize(large, [SIDE, SIDE], antialias=True)]
    if mirror:
        views += [hflip(view) for view in views]
    return torch.stack(views, 1)


def multi_crop(net: Network, grid: np.ndarray) -> MultiCrop:
    """The prediction averaged over the `crops` of a 28 x 28 uint8 image; those of digits are not mirrored."""
    views = crops(torch.tensor(grid)[None], mirror=DATASETS[net.card.dataset].kind != "digits")[0]
    found = net.run(views)
    mean = dict(zip(net.card.classes, found.probabilities.mean(0).tolist(), strict=True))
    return MultiCrop(mean, len(views), SQUARES * len(views), found.milliseconds)
