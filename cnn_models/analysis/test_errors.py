"""What the networks of a data set answer to its test images, and the images on which they differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from cnn_models.analysis.statistics import mcnemar
from cnn_models.checkpoints.folder import CheckpointError, read_evaluation
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.hub.model_hub import ModelHub

RIGHT, WRONG = "right", "wrong"


class Predictions(NamedTuple):
    """`labels` (N) are the classes of the test images, `said` what each architecture takes them for (N each)."""

    dataset: str
    labels: np.ndarray
    predicted: dict[str, np.ndarray]

    def right(self, name: str) -> np.ndarray:
        """Whether an architecture has each image right."""
        return self.predicted[name] == self.labels


class PairedComparison(NamedTuple):
    """How many images two networks have right and wrong, and McNemar's probability that it is by chance."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def predictions_of(hub: ModelHub, dataset: str) -> Predictions:
    """The answers of the evaluated checkpoints in `weights/`, in the order of the line-up."""
    _, labels = load_test_set(dataset)
    said = {}
    for id, card in hub.cards().items():
        if card.dataset == dataset:
            try:
                evaluation = read_evaluation(hub.folder(id))
            except CheckpointError:
                continue
            if evaluation:
                found = labels.astype(int)
                for label, numbers in enumerate(evaluation.wrong):
                    found[list(numbers)] = label
                said[card.architecture] = found
    return Predictions(dataset, labels, said)


def paired_comparison(answers: Predictions, first: str, second: str) -> PairedComparison:
    """Two networks against each other on all images. Raises KeyError for one that was not evaluated."""
    a, b = answers.right(first), answers.right(second)
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    return PairedComparison(
        int((a & b).sum()), only_first, only_second, int((~a & ~b).sum()), mcnemar(only_first, only_second)
    )


def select(answers: Predictions, says: Mapping[str, str | int], truth: int | None = None) -> np.ndarray:
    """The numbers of the images that each named network has `right` or `wrong`, or takes for a class, ascending.

    `truth` leaves those of one class. Raises KeyError for a network that was not evaluated.
    """
    chosen = np.full(len(answers.labels), True) if truth is None else answers.labels == truth
    for name, what in says.items():
        chosen &= answers.right(name) == (what == RIGHT) if what in (RIGHT, WRONG) else answers.predicted[name] == what
    return np.flatnonzero(chosen)


def nearest_misclassified(answers: Predictions, says: Mapping[str, int], image: np.ndarray) -> dict[int, np.ndarray]:
    """The numbers of the images on which the named networks go wrong as they do on a `image`, 28 x 28 uint8.

    `says` is what each takes it for. Where they disagree, these are images on which they disagree too; else, those
    that at least one has wrong. They come by how many of the networks say the same as of the image, the most first
    and at least one; within these, the nearest first: by the Euclidean distance after averaging over 3 x 3 pixels,
    so that a line that is a pixel off still counts as near. Raises KeyError for a network that was not evaluated.
    """
    said = np.stack([answers.predicted[name] for name in says])  # networks x N
    is_split = len(set(says.values())) > 1
    same = (said == np.array(list(says.values()))[:, None]).sum(axis=0)
    (found,) = np.nonzero(same * (said != (said[0] if is_split else answers.labels)).any(axis=0))
    images, _ = load_test_set(answers.dataset)
    smooth = avg_pool2d(torch.from_numpy(np.concatenate([image[None], images[found]])).float(), 3, 1)
    found = found[(smooth[1:] - smooth[0]).norm(dim=(1, 2)).argsort(stable=True).numpy()]
    counts = sorted(set(same[found].tolist()), reverse=True)
    return {count: found[same[found] == count] for count in counts}
