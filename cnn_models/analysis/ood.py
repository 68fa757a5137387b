"""Out-of-distribution (OOD) detection: OOD scores by energy, and the other data set that an image may belong to."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import torch
from torch import Tensor

from cnn_models.analysis.verdict import Prediction, is_ood
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.datasets import DATASETS
from cnn_models.hub.model_hub import ModelHub
from cnn_models.images.decode import ImageError
from cnn_models.images.preprocess import to_dataset_form
from cnn_models.specs import Card

ENERGY_TEMPERATURE = 3
# An image is unusual to a network from this OOD score: thresholds are fitted on scanned digits, and ones drawn with a
# flag, which these hardly have, lie at the edge. At 0, most networks find 39 of 126 such ones unusual, and 175 of 200
# scribbles; at 0.1, 12 and 161; here, 3 and 155 (`python -m tests.benchmarks.ood`).
MARGIN = 0.15
LOOKALIKES = {"fashion_mnist": "mnist", "mnist": "fashion_mnist"}
# Networks of clothing find most digits usual, so their images are always compared with the reference model of digits.
# Those of digits find clothing unusual, and only such images are compared: digits drawn thinly would be lost else.
ALWAYS_COMPARED = {"fashion_mnist"}
REFERENCE_MODEL = "mini_resnet"  # tells the data sets apart as well as three networks together


def energy(logits: Tensor) -> Tensor:
    """-3 log sum exp(logits / 3) over the last dimension: the higher, the less an image is like the training data.

    Liu et al. 2020, Energy-based out-of-distribution detection, eq. 4, of logits already divided by their card's
    temperature, which gives those of all networks one scale. For why 3, see `training.metrics`.
    """
    return -ENERGY_TEMPERATURE * (logits / ENERGY_TEMPERATURE).logsumexp(-1)


def ood_score(logits: Tensor, card: Card) -> float:
    """How far the energy of the logits of one image is above the card's threshold; NaN where it has none."""
    threshold = math.nan if card.energy_threshold is None else card.energy_threshold
    return energy(logits / card.temperature).item() - threshold


def is_dot(image: np.ndarray, dataset: str) -> bool:
    """Whether a 28 x 28 image of digits, in their form, is a filled round dot, which networks take for a 0.

    So are 4 of MNIST's 10,000 test digits. A bright sheet, as left by a step that is switched off, is none.
    """
    if DATASETS[dataset].kind != "digits":
        return False
    rows, columns = np.nonzero(image > 127)
    if not len(rows) or image[0, 0] > 127:
        return False
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    return bool(len(rows) > 0.65 * height * width and min(height, width) > 0.8 * max(height, width))


def lookalike(
    hub: ModelHub, dataset: str, grey: np.ndarray, form: np.ndarray, off: Collection[str], answers: Sequence[Prediction]
) -> str:
    """The data set, other than its own, that an image (H x W uint8, as decoded) belongs to; "" for none.

    It does if the OOD score of that data set's reference model is below 0 and below that of its own one. The accuracy
    of this on the test sets is measured by `python -m tests.benchmarks.ood`. `answers` are to `form`, 28 x 28 uint8,
    which with steps `off` is not the image in the form of its data set.
    """
    if not (dataset in ALWAYS_COMPARED or is_ood(answers)):
        return ""
    other = LOOKALIKES[dataset]
    try:
        own = reference_score(hub, dataset, to_dataset_form(grey, DATASETS[dataset]) if off else form)
        others = reference_score(hub, other, to_dataset_form(grey, DATASETS[other]))
    except (CheckpointError, ImageError):  # there is no reference model, or nothing stands out in the image
        return ""
    return other if others < min(own, 0) else ""


def reference_score(hub: ModelHub, dataset: str, form: np.ndarray) -> float:
    """The OOD score of an image, 28 x 28 uint8, by a data set's reference model. Raises CheckpointError."""
    image = torch.tensor(form)[None]
    return hub.run(f"{REFERENCE_MODEL}.{dataset}", lambda net: ood_score(net.run(image).logits[0], net.card))
