"""Entropy and calibration of probabilities by class, and two ensembles: the soft vote and the log-linear ensemble.

The log-linear ensemble (logarithmic opinion pool, product of experts) is the softmax of the weighted sum of the
networks' log-probabilities, with a weighting factor for each network, not negative. Sources: Heskes 1998, Selecting
weighting factors in logarithmic opinion pools; Hinton 2002, Training products of experts by minimizing contrastive
divergence. The factors are of the log-probabilities at temperature 1. In their place it takes the logits, which differ
by a constant that the softmax cancels, so it does not depend on the networks' temperatures.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def entropy(probabilities: Iterable[float]) -> float:
    """Shannon's entropy in bits: 0 where one class has all, log2(10) = 3.32 where all ten classes have the same."""
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def logits_of(probabilities: Tensor, temperature: float | Tensor = 1.0) -> Tensor:
    """The logits, up to a constant, of probabilities at a temperature."""
    return temperature * probabilities.double().clamp(min=1e-300).log()


def uncalibrated(probabilities: dict[str, float], temperature: float) -> dict[str, float]:
    """The probabilities by class at temperature 1, from those at the card's `temperature`."""
    logits = logits_of(torch.tensor(list(probabilities.values()), dtype=torch.float64), temperature)
    return dict(zip(probabilities, logits.softmax(0).tolist(), strict=True))


def soft_vote(predictions: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of the networks' probabilities by class."""
    return {name: sum(each[name] for each in predictions) / len(predictions) for name in predictions[0]}


def weighted(logits: Tensor, factors: Tensor) -> Tensor:
    """The logits of the log-linear ensemble: the sum of M x ... logits, weighted with M factors, in float64."""
    return torch.tensordot(factors.double(), logits.double(), 1)
