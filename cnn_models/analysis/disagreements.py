"""Test images that two networks disagree on: one predicts one class, the other another."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np

from cnn_models.analysis.test_errors import Predictions, select
from cnn_models.datasets import DATASETS
from cnn_models.datasets.test_sets import load_test_set

LEAST = 2  # test images; those of a single one are often out of reach of a pen, see `tests/benchmarks/splits.py`
BRIGHT = 128  # grey level from which a pixel counts as ink
USUAL = 0.95  # share of the test images of a class that have no more than the usual ink


class Disagreement(NamedTuple):
    """Two architectures, and the index of the class that each of them has to predict."""

    first: str
    second: str
    label: int
    other: int


def disagreements(found: Predictions, least: int = LEAST) -> dict[Disagreement, int]:
    """The number of test images of every disagreement that has at least so many, each in one order of its networks."""
    count = len(DATASETS[found.dataset].classes)
    counted = {}
    for first, second in combinations(found.predicted, 2):
        pairs = found.predicted[first] * count + found.predicted[second]
        table = np.bincount(pairs, minlength=count**2).reshape(count, count)
        np.fill_diagonal(table, 0)
        for label, other in np.argwhere(table >= least).tolist():
            counted[Disagreement(first, second, label, other)] = int(table[label, other])
    return counted


def images_of(found: Predictions, which: Disagreement) -> np.ndarray:
    """The indices of its test images, ascending. Raises KeyError for a network that was not evaluated."""
    return select(found, {which.first: which.label, which.second: which.other})


def ink(images: np.ndarray) -> np.ndarray:
    """The share of bright pixels, from 0 to 1, of images (... x 28 x 28 uint8, bright on black)."""
    return (images >= BRIGHT).mean(axis=(-2, -1))


@cache
def usual_ink(dataset: str) -> tuple[float, ...]:
    """The share of bright pixels that 95 % of the test images of each class do not exceed. Raises UnknownName."""
    images, labels = load_test_set(dataset)
    shares = ink(images)
    return tuple(float(np.quantile(shares[labels == label], USUAL)) for label in range(len(DATASETS[dataset].classes)))
