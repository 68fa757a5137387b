"""Metrics (loss, accuracy, calibration error, AUROC), and the constants fitted on the validation images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import chain, combinations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_models import DATASETS
from cnn_models.analysis.ensemble import weighted
from cnn_models.analysis.ood import energy
from cnn_models.checkpoints.evaluation import BINS, Bin
from cnn_models.checkpoints.folder import TEMPERATURES
from cnn_models.images.preprocess import to_dataset_form, to_input
from cnn_models.network import BATCH
from training.data import LabelledImages, load

STANDARD_ERRORS = 2  # of the gain of a temperature, from which it is used; see `gains_significantly`
ABOVE_THRESHOLD = 0.005  # of the validation images; see `fit_threshold`
NOISE = 2_000  # images


def score(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """`loss` (mean cross-entropy in nats) and `accuracy` (percent)."""
    correct = (logits.argmax(1) == labels).sum().item()
    return {"loss": F.cross_entropy(logits, labels).item(), "accuracy": 100 * correct / len(labels)}


@torch.no_grad()
def measure(model: nn.Module, examples: LabelledImages, size: int, mean: float, std: float) -> dict[str, float]:
    """The `score` of a network during its training, in evaluation mode."""
    was_training = model.training
    model.eval()
    logits = torch.cat([model(to_input(part, size, mean, std)) for part in examples.images.split(BATCH)])
    model.train(was_training)
    return score(logits, examples.labels)


def fit_factors(logits: Tensor, labels: Tensor) -> Tensor:
    """The factors (M, not negative) of the log-linear ensemble of M networks with the least cross-entropy.

    `logits` are M x N x 10, `labels` N. The loss is convex in the factors. At its minimum, some factors are zero, and
    without the bound the others would be the same: so every subset is fitted without it, and the best is returned.
    """
    logits, count = logits.double(), len(logits)
    found = [torch.zeros(count, dtype=torch.float64)]
    for subset in chain.from_iterable(combinations(range(count), size) for size in range(1, count + 1)):
        members = torch.tensor(subset)
        if (factors := _fit_unbounded(logits[members], labels)).min() >= 0:
            found.append(found[0].index_copy(0, members, factors))
    return min(found, key=lambda factors: F.cross_entropy(weighted(logits, factors), labels).item())


def _fit_unbounded(logits: Tensor, labels: Tensor) -> Tensor:
    """The factors of `fit_factors` if they may be negative."""
    factors = torch.full((len(logits),), 1 / len(logits), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([factors], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(weighted(logits, factors), labels)
        value.backward()
        return value

    optimizer.step(loss)
    return factors.detach()


def fit_temperature(logits: Tensor, labels: Tensor) -> float:
    """The temperature that minimises the cross-entropy of logits N x 10 divided by it, limited to `TEMPERATURES`.

    Guo et al. 2017: On calibration of modern neural networks, section 4.2.
    """
    (inverse,) = fit_factors(logits[None], labels)
    return 1 / inverse.clamp(1 / TEMPERATURES, TEMPERATURES).item()


def gain(temperature: float, logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """By how much a temperature lowers the cross-entropy of logits N x 10, and the standard error of that mean."""
    before, after = (F.cross_entropy(logits.double() / each, labels, reduction="none") for each in (1, temperature))
    gains = before - after
    return gains.mean().item(), gains.std().item() / math.sqrt(len(gains))


def gains_significantly(temperature: float, logits: Tensor, labels: Tensor) -> bool:
    """Whether a temperature lowers the cross-entropy of logits N x 10 by more than `STANDARD_ERRORS`.

    A network of MNIST has about 20 errors among 5,000 validation images, and these alone decide its temperature:
    another 5,000 would have given another one.
    """
    mean, error = gain(temperature, logits, labels)
    return mean > STANDARD_ERRORS * error


def reliability(probabilities: Tensor, labels: Tensor) -> tuple[Bin, ...]:
    """The reliability diagram of probabilities N x 10, in equal bins of confidence (Guo et al. 2017, section 2)."""
    confidence, predictions = probabilities.double().max(1)
    bins = (confidence * BINS).long().clamp(max=BINS - 1)
    right = bins[predictions == labels].bincount(minlength=BINS).tolist()
    added = torch.zeros(BINS, dtype=torch.float64).index_add(0, bins, confidence).tolist()
    counts = bins.bincount(minlength=BINS).tolist()
    return tuple(Bin(*values) for values in zip(counts, right, (round(value, 4) for value in added), strict=True))


def calibration_error(bins: Sequence[Bin]) -> float:
    """The expected calibration error in percent (Guo et al. 2017, eq. 3).

    It is the mean over the bins of |confidence - accuracy|, weighted by the number of predictions.
    """
    return 100 * math.fsum(abs(bin.confidence - bin.right) for bin in bins) / sum(bin.count for bin in bins)


def fit_threshold(logits: Tensor) -> float:
    """The energy that one in 200 validation images exceeds; `logits` N x 10 are divided by the fitted temperature.

    One in 200, and the 3 in `ood.energy`, were chosen on training images of Fashion-MNIST and on drawings, by a vote
    (two of lenet5, mini_inception and mini_resnet): 88 % of the clothing and half of 200 scribbles exceed the threshold
    of MNIST, and none of 576 neat digits in the sketchpad's pen. At one in 100, 95 % and 62 % do, but so do ones with a
    flag, which are rare in MNIST; with 1 instead of 3, these do at one in 200 already. The mean AUROC (validation
    images against the other data set and noise, for both data sets) is 0.907, 0.911, 0.911 and 0.906 with 1, 2, 3 and
    4, and 0.838 for the largest probability in place of the energy.
    """
    return energy(logits.double()).quantile(1 - ABOVE_THRESHOLD).item()


def auroc(negatives: Tensor, positives: Tensor) -> float:
    """The probability that a positive's score (OOD) is above a negative's (in distribution); a tie counts half."""
    ordered = negatives.sort().values
    below, not_above = (torch.searchsorted(ordered, positives.contiguous(), right=right) for right in (False, True))
    return (below + not_above).double().mean().item() / (2 * len(negatives))


def ood_images(dataset: str, train: bool, count: int | None = None) -> dict[str, Tensor]:
    """The first images (all without a count) of the other data sets' training or test sets, by name.

    They are N x 28 x 28 (uint8), preprocessed as those of this data set.
    """
    images = {}
    for other in DATASETS.keys() - {dataset}:
        grids = load(other, train)[:count].images.numpy()
        images[other] = torch.from_numpy(np.stack([to_dataset_form(grid, DATASETS[dataset]) for grid in grids]))
    return images


@cache
def ood_data(dataset: str) -> dict[str, Tensor]:
    """The OOD images of a data set, N x 28 x 28 (uint8), by name: the test sets of the others, and uniform `noise`.

    Noise is not preprocessed: the app would find it blank.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(256, (NOISE, 28, 28), dtype=torch.uint8, generator=generator)
    return ood_images(dataset, train=False) | {"noise": noise}
