"""Linear probes: the test accuracy of a linear classifier on the features of a layer.

G. Alain, Y. Bengio: Understanding intermediate layers using linear classifier probes, 2016, arXiv:1610.01644. A probe
is a multinomial logistic regression with an L2 penalty that is chosen on validation images.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

MOST = 2048  # features of a feature map
COMPONENTS = 256  # principal components, so that the probes of all layers have about as many parameters
PENALTIES = (1, 0.1, 0.01, 0.001)  # the strongest first, from whose solution the next one starts
ITERATIONS = 40  # of L-BFGS, for each penalty; 60 change the accuracy by less than 0.5 points


class Examples(NamedTuple):
    """Features N x D and labels N."""

    features: Tensor
    labels: Tensor


def pooled(features: Tensor) -> Tensor:
    """Features N x C x H x W as N x D: averages over the finest square grid with at most MOST of them, else over all.

    Vectors N x C are as they are.
    """
    if features.ndim == 4:
        side = min(features.shape[-1], max(1, math.isqrt(MOST // features.shape[1])))
        features = F.adaptive_avg_pool2d(features, side)
    return features.flatten(1)


def probe_accuracy(train: Examples, validation: Examples, test: Examples) -> float:
    """The test accuracy, in percent, of the probe whose penalty has the least validation loss.

    Its inputs are the leading principal components of the standardised training features.
    """
    train, validation, test = _components(train, validation, test)
    weight = train.features.new_zeros(train.features.shape[1] + 1, int(train.labels.max()) + 1)  # the bias is last
    found = []
    for penalty in PENALTIES:
        weight = _fit(train, penalty, weight)
        loss = F.cross_entropy(_logits(validation.features, weight), validation.labels).item()
        found.append((loss, weight))
    _, best = min(found, key=lambda each: each[0])
    return 100 * (_logits(test.features, best).argmax(1) == test.labels).double().mean().item()


def _components(train: Examples, *others: Examples) -> list[Examples]:
    """All examples with the principal components of the standardised training features."""
    mean, std = train.features.mean(0), train.features.std(0)
    scale = torch.where(std > 0, 1 / std, 0.0)  # 0 for what is constant, such as a dead channel
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # for a randomised SVD
        *_, axes = torch.svd_lowrank((train.features - mean) * scale, min(COMPONENTS, *train.features.shape))
    return [Examples((features - mean) * scale @ axes, labels) for features, labels in (train, *others)]


def _logits(features: Tensor, weight: Tensor) -> Tensor:
    return torch.addmm(weight[-1], features, weight[:-1])


def _fit(train: Examples, penalty: float, start: Tensor) -> Tensor:
    """The weights with the least mean cross-entropy plus half the penalty times their squares, without the bias."""
    weight = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([weight], max_iter=ITERATIONS, tolerance_change=1e-7, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(_logits(train.features, weight), train.labels)
        value = value + penalty / 2 * weight[:-1].square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return weight.detach()
