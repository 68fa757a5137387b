"""The bundled test sets, and the accuracy of a network on them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from cnn_models.datasets import DATASETS
from cnn_models.network import Network
from cnn_models.runtime import ZERO_GPU, gpu_work
from cnn_models.specs import Card

DATA = Path(__file__).parent / "data"
SIDE = 100  # images in a row, and in a column, of a sheet
COUNT = SIDE**2  # images of a test set
BATCH, LARGE = 100, 224  # images of a batch, a tenth of that where a side has more pixels than LARGE
SLOW_FROM = 64  # pixels of a side from which a CPU takes minutes for a test set


@dataclass(frozen=True)
class Measured:
    """The correct predictions of `count` test images, and the mean cross-entropy in nats."""

    right: int
    count: int
    loss: float = math.nan

    @property
    def accuracy(self) -> float:
        """In percent."""
        return 100 * self.right / self.count

    @property
    def whole(self) -> bool:
        """Whether this is the whole test set."""
        return self.count == COUNT

    @property
    def error(self) -> float:
        """The standard error of the accuracy, in percent, by the rule of succession: (right + 1) of (count + 2)."""
        share = (self.right + 1) / (self.count + 2)
        return 100 * math.sqrt(share * (1 - share) / self.count)


@cache
def load_test_set(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """The test images (10,000 x 28 x 28 uint8, bright on black) and their labels, in the original order.

    Raises UnknownName.
    """
    name = DATASETS[dataset].name  # no path is made of an unknown name
    sheet = np.asarray(Image.open(DATA / f"{name}.png", formats=["PNG"]))
    images = sheet.reshape(SIDE, 28, SIDE, 28).swapaxes(1, 2).reshape(-1, 28, 28)
    labels = np.frombuffer((DATA / f"{name}.txt").read_bytes().strip(), np.uint8) - ord("0")
    images.setflags(write=False)
    return images, labels


def balanced_order(labels: np.ndarray) -> np.ndarray:
    """Indices of the first image of each class, then of the second of each, and so on: any beginning is balanced."""
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        (of_class,) = np.nonzero(labels == label)
        rank[of_class] = np.arange(len(of_class))
    return np.argsort(rank, kind="stable")


def measure(
    model: nn.Module, card: Card, seconds: float = math.inf, progress: Callable[[int], None] = lambda count: None
) -> Measured:
    """The accuracy and loss of a network on the bundled test set, or on the balanced part that the seconds allow.

    `progress` is called with the number of images so far, but not on a ZeroGPU Space.
    """
    if ZERO_GPU and card.input_size > SLOW_FROM:
        with suppress(Exception):  # no GPU is free, or the visitor's quota is used up
            return _measure_on_gpu(model, card, seconds)
    return _measure(model, card, seconds, progress)


def _measure(model: nn.Module, card: Card, seconds: float, progress: Callable[[int], None]) -> Measured:
    batch = BATCH if card.input_size <= LARGE else BATCH // 10
    end, right, count, loss = time.monotonic() + seconds, 0, 0, 0.0
    while count < COUNT and (not count or time.monotonic() < end):
        found = measure_part(model, card, slice(count, count + batch))
        right, count, loss = right + found.right, count + found.count, loss + found.count * found.loss
        progress(count)
    return Measured(right, count, loss / count)


def measure_part(model: nn.Module, card: Card, part: slice) -> Measured:
    """The accuracy and loss of a network on a part of its test set in `balanced_order`, in one batch, on its device."""
    images, labels = load_test_set(card.dataset)
    chosen = _order(card.dataset)[part]
    net = Network(model, card, next(model.parameters()).device)
    logits = net.run(torch.from_numpy(images[chosen])).logits
    truth = torch.tensor(labels[chosen], dtype=torch.long)
    return Measured(int((logits.argmax(1) == truth).sum()), len(chosen), F.cross_entropy(logits, truth).item())


@cache
def _order(dataset: str) -> np.ndarray:
    return balanced_order(load_test_set(dataset)[1])


@gpu_work
def _measure_on_gpu(model: nn.Module, card: Card, seconds: float) -> Measured:
    return _measure(model.to("cuda"), card, seconds, lambda count: None)
