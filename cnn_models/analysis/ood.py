"""Out-of-distribution (OOD) detection: OOD scores by energy, and the other data set that an image may belong to."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from cnn_models.analysis.verdict import Prediction, is_ood
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import REFERENCE_MODEL
from cnn_models.datasets import DATASETS
from cnn_models.hub.model_hub import ModelHub
from cnn_models.images.decode import Decoded, ImageError
from cnn_models.images.preprocess import preprocess
from cnn_models.specs import Card

ENERGY_TEMPERATURE = 3
# The OOD score from which an image is out of distribution for a network. Thresholds are fitted on scanned digits, among
# which a 1 with a flag is rare: with a margin of 0, most networks classify 39 of 126 drawn 1s with a flag as OOD, and
# 175 of 200 scribbles; with 0.1, 12 and 161; with this one, 3 and 155 (`python -m tests.benchmarks.ood`).
MARGIN = 0.15
LOOKALIKES = {"fashion_mnist": "mnist", "mnist": "fashion_mnist"}
# Networks of clothing classify most digits as in distribution, so the digits' reference model scores all their images.
# Networks of digits classify clothing as OOD; only such images are scored, as thin digits would be taken for clothing.
ALWAYS_COMPARED = {"fashion_mnist"}


def energy(logits: Tensor) -> Tensor:
    """-3 log sum exp(logits / 3) over the last dimension, higher for images that are farther from the training data.

    Liu et al. 2020, Energy-based out-of-distribution detection, eq. 4, of logits already divided by their card's
    `energy_scale`. `training.metrics` gives the reason for 3.
    """
    return -ENERGY_TEMPERATURE * (logits / ENERGY_TEMPERATURE).logsumexp(-1)


def ood_score(logits: Tensor, card: Card) -> float:
    """The energy of the logits (10) of one image minus the card's threshold; NaN where the card has none."""
    threshold = math.nan if card.energy_threshold is None else card.energy_threshold
    return energy(logits / card.energy_scale).item() - threshold


def is_dot(image: np.ndarray, dataset: str) -> bool:
    """Whether a 28 x 28 image, in the form of digits, is a filled round dot, which networks take for a 0.

    True for 1 of MNIST's 10,000 test digits. False for bold print, which is not convex or has holes, and for a bright
    ground, which an omitted step may leave.
    """
    if DATASETS[dataset].kind != "digits":
        return False
    rows, columns = np.nonzero(image > 127)
    if not len(rows) or image[0, 0] > 127:
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    is_full = len(rows) > 0.85 * (cv2.contourArea(hull) + cv2.arcLength(hull, True) / 2 + 1)  # with its edge: Pick
    is_round = min(height, width) > 0.8 * max(height, width)
    return bool(is_full and is_round and len(rows) > 0.65 * height * width)


def lookalike(
    hub: ModelHub, dataset: str, image: Decoded, form: np.ndarray, off: Collection[str], models: Sequence[Prediction]
) -> str:
    """The other data set that an image belongs to; "" for none.

    It belongs to it if the OOD score of that data set's reference model is below 0 and below that of its own data set's
    (accuracy on the test sets: `python -m tests.benchmarks.ood`). `models` are the predictions for `form`, 28 x 28
    uint8, from which the steps `off` were omitted.
    """
    if not (dataset in ALWAYS_COMPARED or is_ood(models)):
        return ""
    other = LOOKALIKES[dataset]
    try:
        own = reference_score(hub, dataset, preprocess(image, DATASETS[dataset]).images[0] if off else form)
        others = reference_score(hub, other, preprocess(image, DATASETS[other]).images[0])
    except (CheckpointError, ImageError):  # no reference model, or a blank image
        return ""
    return other if others < min(own, 0) else ""


def reference_score(hub: ModelHub, dataset: str, form: np.ndarray) -> float:
    """The OOD score of an image, 28 x 28 uint8, by a data set's reference model. Raises CheckpointError."""
    image = torch.tensor(form)[None]
    return hub.run(f"{REFERENCE_MODEL}.{dataset}", lambda net: ood_score(net.run(image).logits[0], net.card))
