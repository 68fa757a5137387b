"""OOD detection by the nearest training images: what networks are sure of though it is unlike all they were trained on.

Sun et al. 2022, Out-of-distribution detection with deep nearest neighbors, with two changes. k-means centroids replace
the training images, which takes 200 KB instead of 30 MB and detects as many. And distances in pixels join those in
features, as features of an image that networks misclassify with confidence are those of the class predicted:
a 9 whose loop begins at the left has the features of an 8, and the pixels of no digit.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_models.analysis.ood import ood_score
from cnn_models.checkpoints.centroids import Centroids
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import REFERENCE_MODEL
from cnn_models.datasets import DATASETS
from cnn_models.hub.errors import MissingCheckpoint
from cnn_models.hub.model_hub import LoadedModel, ModelHub
from cnn_models.images.decode import ImageError
from cnn_models.images.preprocess import to_dataset_form
from cnn_models.network import BATCH, Network

TOPS, SHOES = {"T-shirt/top", "Pullover", "Coat", "Shirt"}, {"Sandal", "Sneaker", "Ankle boot"}
# Classes that people confuse too, so that a low probability of one of them is no sign of an OOD image.
GROUPS = {
    "fashion_mnist": (TOPS, SHOES),
    "mnist": (),
}
TURNS = (90, 180, 270)  # degrees clockwise
# The most that each score adds to their sum: a low probability and a distance in pixels alone make no image unsure, as
# networks waver between 1 and 7 for a 1 with a flag, and thin script has pixels like no training image's.
MOST = torch.tensor([2.25, 1.5, math.inf])
# What distances in pixels and in features count for turns: photographed texture has features far from those of the
# training images, whichever way up the garment is.
TURN_WEIGHTS = torch.tensor([1, 0.5])
CERTAIN = -0.5  # the OOD score of a turned image; clothing that is turned among digits has more, digits have -1 or less
NEAR = 3  # the greatest `turn_score` of an image that may be the right way up

T = TypeVar("T")

log = logging.getLogger(__name__)


def pixel_vectors(images: Tensor) -> Tensor:
    """Images N x 28 x 28 uint8 as unit vectors N x 196 of their pixels, blurred by one pixel and halved in size."""
    x = images[:, None].float()
    return F.normalize(F.avg_pool2d(F.avg_pool2d(x, 3, stride=1, padding=1), 2).flatten(1))


def feature_vectors(net: Network, images: Tensor) -> Tensor:
    """The features of images N x 28 x 28 uint8 in the reference model as unit vectors N x 512, on the CPU."""
    return F.normalize(net.features(images))


def distances(net: Network, centroids: Centroids, images: Tensor) -> Tensor:
    """The cosine distances of images N x 28 x 28 uint8 to the nearest centroid, N x 2: in pixels and in features."""
    vectors = (pixel_vectors(images), centroids.pixels), (feature_vectors(net, images), centroids.features)
    return torch.stack([1 - (each @ those.T).amax(1) for each, those in vectors], 1)


def tail_scores(values: Tensor, tails: Tensor) -> Tensor:
    """Values N x S on one scale: 1 is what a tenth of the validation images exceed, 2 what a hundredth do, and so on.

    That is -log10 of the share of images beyond, interpolated linearly between the quantiles `tails` S x 2 and
    extrapolated; below 0 it is 0. The sum over S is Fisher's (1932) statistic for combining tests.
    """
    low, high = tails.T
    return (1 + (values - low) / (high - low).clamp(min=1e-6)).clamp(min=0)


def unsure_scores(values: Tensor, tails: Tensor) -> Tensor:
    """The sum N of the `tail_scores` of values N x 3: 1 - the `group_share`, and the `distances`."""
    return tail_scores(values, tails).minimum(MOST).sum(1)


def group_share(probabilities: Mapping[str, float], dataset: str) -> float:
    """The probability, by class, of the likeliest class and of those that people confuse with it."""
    likeliest = max(probabilities, key=probabilities.__getitem__)
    group = next((group for group in GROUPS[dataset] if likeliest in group), {likeliest})
    return sum(probabilities[name] for name in group)


class Turn(NamedTuple):
    """A clockwise turn, 90, 180 or 270 degrees, and the prediction of the reference model after it."""

    degrees: int
    label: str


class Unlikeness(NamedTuple):
    """How an image compares with the training images.

    Above an `unsure` of 0, it is so far from them that the prediction may be wrong. `turn` is the one by which it comes
    much nearer to them; None for none.
    """

    unsure: float
    turn: Turn | None

    @property
    def is_unsure(self) -> bool:
        return self.unsure > 0


def unlikeness(hub: ModelHub, dataset: str, grid: np.ndarray, probabilities: Mapping[str, float]) -> Unlikeness:
    """The comparison of an image, 28 x 28 uint8 in its data set's form, with the training images.

    `probabilities`, by class, are the soft vote of all predictions. Where the reference model has no centroids, nothing
    is unsure or turned. Its thresholds are fitted on the validation images: `python -m training.centroids`.
    """

    def compare(net: LoadedModel, centroids: Centroids) -> Unlikeness:
        share = torch.tensor([[1 - group_share(probabilities, dataset)]])
        apart = distances(net, centroids, torch.tensor(grid)[None])
        unsure = unsure_scores(torch.cat([share, apart], 1), centroids.tails).item() - centroids.unsure
        is_far = turn_score(apart, centroids).item() > centroids.turned  # else no turn gains so much
        return Unlikeness(unsure, _turn(net, centroids, dataset, grid) if is_far else None)

    return _with_reference(hub, dataset, compare) or Unlikeness(0, None)


def _turn(net: LoadedModel, centroids: Centroids, dataset: str, grid: np.ndarray) -> Turn | None:
    try:
        gains, best = turn_gains(turn_scores(net, centroids, dataset, [grid]))
    except ImageError:  # after omitted steps, nothing may stand out of the ground
        return None
    if gains.item() <= centroids.turned:
        return None
    degrees = TURNS[int(best)]
    logits = net.run(torch.tensor(_turned(grid, degrees, dataset))[None]).logits[0]
    is_certain = ood_score(logits, net.card) < CERTAIN
    return Turn(degrees, net.card.classes[int(logits.argmax())]) if is_certain else None


def _turned(grid: np.ndarray, degrees: int, dataset: str) -> np.ndarray:
    return to_dataset_form(np.ascontiguousarray(np.rot90(grid, -degrees // 90)), DATASETS[dataset])


def turn_score(apart: Tensor, centroids: Centroids) -> Tensor:
    """The weighted sum N of the `tail_scores` of `distances` N x 2."""
    return tail_scores(apart, centroids.tails[1:]) @ TURN_WEIGHTS


def turn_scores(net: Network, centroids: Centroids, dataset: str, grids: Sequence[np.ndarray]) -> Tensor:
    """The `turn_score` N x 4 of the images as they are, and turned by each of TURNS."""
    images = [*grids, *(_turned(grid, degrees, dataset) for degrees in TURNS for grid in grids)]
    parts = torch.tensor(np.stack(images)).split(BATCH)
    apart = torch.cat([distances(net, centroids, part) for part in parts])
    return turn_score(apart, centroids).view(-1, len(grids)).T


def turn_gains(scores: Tensor) -> tuple[Tensor, Tensor]:
    """By how much the best turn lowers `turn_scores` N x 4, and its index in TURNS, each N; no gain above NEAR."""
    best, index = scores[:, 1:].min(1)
    return torch.where(best < NEAR, scores[:, 0] - best, 0), index


def _with_reference(hub: ModelHub, dataset: str, use: Callable[[LoadedModel, Centroids], T]) -> T | None:
    """The result of `use` on a data set's reference model and its centroids; None where one of them is missing."""
    id = f"{REFERENCE_MODEL}.{dataset}"
    try:
        centroids = hub.centroids(id)
        return hub.run(id, lambda net: use(net, centroids)) if centroids else None
    except MissingCheckpoint:
        return None
    except CheckpointError as error:
        _warn_once(str(error))
        return None


@cache
def _warn_once(error: str) -> None:
    """Log an error that every drawing would repeat."""
    log.warning("no distances to training images: %s", error)
