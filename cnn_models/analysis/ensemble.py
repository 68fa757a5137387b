"""Entropy, calibration and soft vote of probabilities by class."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def entropy(probabilities: Iterable[float]) -> float:
    """Shannon's entropy in bits: 0 where one class has all, log2(10) = 3.32 where all ten classes have the same."""
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def uncalibrated(probabilities: dict[str, float], temperature: float) -> dict[str, float]:
    """The softmax of the logits themselves from that of the logits divided by the card's `temperature`."""
    logarithms = {name: temperature * math.log(max(p, 1e-300)) for name, p in probabilities.items()}
    most = max(logarithms.values())
    powers = {name: math.exp(value - most) for name, value in logarithms.items()}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def soft_vote(predictions: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of the networks' probabilities by class."""
    return {name: sum(each[name] for each in predictions) / len(predictions) for name in predictions[0]}
