"""Predictions of a data set's networks for its test images, and the images on which they differ."""

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
    """`labels` (N) are the classes of the test images, `predicted` those that each architecture predicts (N each)."""

    dataset: str
    labels: np.ndarray
    predicted: dict[str, np.ndarray]

    def right(self, name: str) -> np.ndarray:
        """Whether an architecture predicts the class of each image (N, bool)."""
        return self.predicted[name] == self.labels


class PairedComparison(NamedTuple):
    """How many images both, one or neither of two networks have right, and the p-value of McNemar's test."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p_value: float


def predictions_of(hub: ModelHub, dataset: str) -> Predictions:
    """The predictions of the evaluated checkpoints in `weights/`, in the order of the registry."""
    _, labels = load_test_set(dataset)
    predicted = {}
    for id, card in hub.cards().items():
        if card.dataset == dataset:
            try:
                evaluation = read_evaluation(hub.folder(id))
            except CheckpointError:
                continue
            if evaluation:
                classes = predicted[card.architecture] = labels.astype(int)
                for label, indices in enumerate(evaluation.wrong):
                    classes[list(indices)] = label
    return Predictions(dataset, labels, predicted)


def paired_comparison(found: Predictions, first: str, second: str) -> PairedComparison:
    """Two networks compared on all images. Raises KeyError for one that was not evaluated."""
    a, b = found.right(first), found.right(second)
    only_first, only_second = int((a & ~b).sum()), int((b & ~a).sum())
    p_value = mcnemar(only_first, only_second)
    return PairedComparison(int((a & b).sum()), only_first, only_second, int((~a & ~b).sum()), p_value)


def select(found: Predictions, outcomes: Mapping[str, str | int], truth: int | None = None) -> np.ndarray:
    """The indices of the images, ascending, for which each named network has the outcome: RIGHT, WRONG, or a class.

    `truth` restricts them to one class. Raises KeyError for a network that was not evaluated.
    """
    chosen = np.full(len(found.labels), True) if truth is None else found.labels == truth
    for name, outcome in outcomes.items():
        is_class = outcome not in (RIGHT, WRONG)
        chosen &= found.predicted[name] == outcome if is_class else found.right(name) == (outcome == RIGHT)
    return np.flatnonzero(chosen)


def most_divided(found: Predictions, count: int) -> list[int]:
    """The indices of at most so many images whose most frequent prediction has the fewest votes, no two with a class in
    common."""
    names, chosen, seen = list(found.predicted), [], set()
    if not names:
        return []
    classes = np.stack([found.predicted[name] for name in names], axis=1)  # N x networks
    votes = (classes[:, :, None] == classes[:, None]).sum(axis=2).max(axis=1)
    for index in np.argsort(votes, kind="stable"):
        labels = set(classes[index].tolist())
        if len(chosen) < count and len(labels) > 1 and not labels & seen:
            chosen.append(int(index))
            seen |= labels
    return chosen


def nearest_misclassified(found: Predictions, predicted: Mapping[str, int], image: np.ndarray) -> dict[int, np.ndarray]:
    """The indices of the misclassified test images that are nearest to an image, 28 x 28 uint8.

    `predicted` is the class that each named network predicts for the image. Where they disagree, the test images are
    those on which they disagree too; else, those that at least one of them has wrong. They are grouped by the number of
    networks that predict the same as for the image, the largest first, without 0. A group is in order of the Euclidean
    distance after average pooling over 3 x 3 pixels, which tolerates lines that are a pixel off. Raises KeyError for a
    network that was not evaluated.
    """
    classes = np.stack([found.predicted[name] for name in predicted])  # networks x N
    is_split = len(set(predicted.values())) > 1
    same = (classes == np.array(list(predicted.values()))[:, None]).sum(axis=0)
    (indices,) = np.nonzero(same * (classes != (classes[0] if is_split else found.labels)).any(axis=0))
    images, _ = load_test_set(found.dataset)
    smooth = avg_pool2d(torch.from_numpy(np.concatenate([image[None], images[indices]])).float(), 3, 1)
    indices = indices[(smooth[1:] - smooth[0]).norm(dim=(1, 2)).argsort(stable=True).numpy()]
    counts = sorted(set(same[indices].tolist()), reverse=True)
    return {count: indices[same[indices] == count] for count in counts}
