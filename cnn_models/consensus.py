"""What the answers of several networks amount to, and how sure each is."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from cnn_models.hub import LoadedModel
from cnn_models.predict import Answer, predict

KEPT = 512  # answers in memory


def entropy(probabilities: Iterable[float]) -> float:
    """Shannon's entropy in bits: 0 for certainty, log2(10) = 3.32 when all ten classes are alike."""
    return -sum(p * math.log2(p) for p in probabilities if p > 0)


def uncalibrated(probabilities: dict[str, float], temperature: float) -> dict[str, float]:
    """The softmax of the logits themselves from that of the logits divided by the card's `temperature`."""
    logarithms = {name: temperature * math.log(max(p, 1e-300)) for name, p in probabilities.items()}
    most = max(logarithms.values())
    powers = {name: math.exp(value - most) for name, value in logarithms.items()}
    total = sum(powers.values())
    return {name: power / total for name, power in powers.items()}


def soft_vote(answers: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of the networks' probabilities by class."""
    return {name: sum(answer[name] for answer in answers) / len(answers) for name in answers[0]}


class Memory:
    """`predict`, remembering the last answers: switches of the page ask for the same picture again and again."""

    def __init__(self, ask: Callable[[LoadedModel, np.ndarray], Answer] = predict):
        self._ask = ask
        self._answers: dict[tuple[str, str, str, bytes], Answer] = {}  # the last used at the end
        self._lock = threading.Lock()

    def __call__(self, loaded: LoadedModel, grid: np.ndarray) -> Answer:
        key = loaded.id, loaded.source, loaded.card.weights_sha256, grid.tobytes()
        with self._lock:
            answer = self._answers.pop(key, None)
        answer = answer or self._ask(loaded, grid)
        with self._lock:
            self._answers[key] = answer
            while len(self._answers) > KEPT:
                del self._answers[next(iter(self._answers))]
        return answer
