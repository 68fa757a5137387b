"""Entropy, calibration and soft vote of probabilities by class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch


def entropy(probabilities: Iterable[float]) -> float:
    """Shannon's entropy in bits: 0 where one class has all, log2(10) = 3.32 where all ten classes have the same."""
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def uncalibrated(probabilities: dict[str, float], temperature: float) -> dict[str, float]:
    """The probabilities by class at temperature 1, from those at the card's `temperature`."""
    logits = temperature * torch.tensor(list(probabilities.values()), dtype=torch.float64).clamp(min=1e-300).log()
    return dict(zip(probabilities, logits.softmax(0).tolist(), strict=True))


def soft_vote(predictions: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of the networks' probabilities by class."""
    return {name: sum(each[name] for each in predictions) / len(predictions) for name in predictions[0]}
