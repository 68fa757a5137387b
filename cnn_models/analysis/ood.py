"""How unlike the pictures of its training a picture is to a network, and whether it is rather of another data set."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.datasets import DATASETS
from cnn_models.hub.model_hub import LoadedModel, ModelHub
from cnn_models.images.decode import PictureError
from cnn_models.images.preprocess import to_dataset_form, to_input
from cnn_models.specs import Card

ENERGY_TEMPERATURE = 3
# How far above its threshold an energy is unusual: thresholds are of scanned digits, and ones drawn with a flag, which
# these hardly have, lie at the edge. At 0, most networks find 39 of 126 such ones unusual, and 175 of 200 scribbles; at
# 0.1, 12 and 161; here, 3 and 155 (`python -m tests.benchmarks.ood`).
EDGE = 0.15
LOOKALIKES = {"fashion_mnist": "mnist", "mnist": "fashion_mnist"}
# Networks of clothing find most digits usual, one of digits knows them. The other way round only what is
# unusual anyway is asked for: those of digits find clothing so by themselves, and would lose digits drawn thinly.
DOUBTED = {"fashion_mnist"}
WITNESS = "mini_resnet"  # is asked in both data sets; it tells them apart as well as three networks together


def energy(logits: Tensor) -> Tensor:
    """-3 log sum exp(logits / 3) over the last dimension: the higher, the less a picture is like the training data.

    Liu et al. 2020, Energy-based out-of-distribution detection, eq. 4, of logits already divided by their card's
    temperature, which gives those of all networks one scale. For why 3, see `training.metrics`.
    """
    return -ENERGY_TEMPERATURE * (logits / ENERGY_TEMPERATURE).logsumexp(-1)


def surprise(logits: Tensor, card: Card) -> float:
    """How far the energy of the logits of one picture is above the card's threshold; NaN where it has none."""
    threshold = math.nan if card.energy_threshold is None else card.energy_threshold
    return energy(logits / card.temperature).item() - threshold


def is_dot(picture: np.ndarray, dataset: str) -> bool:
    """Whether a 28 x 28 picture of digits, in their form, is a filled round dot, which networks take for a 0.

    So are 4 of MNIST's 10,000 test digits. A bright sheet, as left by a step that is switched off, is none.
    """
    if DATASETS[dataset].kind != "digits":
        return False
    rows, columns = np.nonzero(picture > 127)
    if not len(rows) or picture[0, 0] > 127:
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return len(rows) > 0.65 * height * width and min(height, width) > 0.8 * max(height, width)


def lookalike(hub: ModelHub, dataset: str, grey: np.ndarray, is_strange: bool) -> str:
    """The data set, other than its own, that a picture (H x W uint8, as decoded) belongs to; "" for none.

    It does if, in the form of that data set, the witness is not surprised, and less than by it in its own. What this
    is worth on the test sets is measured by `python -m tests.benchmarks.ood`. `is_strange` says that most networks
    find it unusual.
    """
    if not (is_strange or dataset in DOUBTED):
        return ""
    other = LOOKALIKES[dataset]
    try:
        own, others = (witness(hub, name, grey) for name in (dataset, other))
    except (CheckpointError, PictureError):  # no witness is there, or nothing is left to see
        return ""
    return other if others < min(own, 0) else ""


def witness(hub: ModelHub, dataset: str, grey: np.ndarray) -> float:
    """The `surprise` of a data set's WITNESS at a picture, H x W uint8. Raises CheckpointError, BlankPicture."""
    grid = to_dataset_form(grey, DATASETS[dataset])

    @torch.inference_mode()
    def ask(loaded: LoadedModel) -> float:
        card, pictures = loaded.card, torch.tensor(grid, device=loaded.device)[None]
        logits = loaded.model(to_input(pictures, card.input_size, card.mean, card.std))[0]
        return surprise(logits.cpu().double(), card)  # MPS has no float64

    return hub.run(f"{WITNESS}.{dataset}", ask)
