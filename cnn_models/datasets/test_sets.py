"""The test sets that come with the app, lossless, and the accuracy of a network on them."""

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
BATCH, LARGE = 100, 224  # images at once, a tenth where they are larger than so many pixels
SLOW_FROM = 64  # pixels of input from which a CPU takes minutes for a test set


@dataclass(frozen=True)
class Measured:
    """How many of the images shown a network got right, and its mean cross-entropy on them in nats."""

    right: int
    count: int
    loss: float = math.nan

    @property
    def accuracy(self) -> float:
        """In percent."""
        return 100 * self.right / self.count

    @property
    def whole(self) -> bool:
        """Whether these were all of the test set."""
        return self.count == COUNT

    @property
    def error(self) -> float:
        """The standard error of the accuracy, in percent: of a proportion, with one more right and one more wrong."""
        share = (self.right + 1) / (self.count + 2)
        return 100 * math.sqrt(share * (1 - share) / self.count)


@cache
def load_test_set(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """The 10,000 test images (10,000 x 28 x 28 uint8, bright on black) and their labels, in the makers' order.

    Raises UnknownName: no path is made of a name that is not a data set's, and none is remembered.
    """
    name = DATASETS[dataset].name
    sheet = np.asarray(Image.open(DATA / f"{name}.png", formats=["PNG"]))
    images = sheet.reshape(SIDE, 28, SIDE, 28).swapaxes(1, 2).reshape(-1, 28, 28)
    labels = np.frombuffer((DATA / f"{name}.txt").read_bytes().strip(), np.uint8) - ord("0")
    images.setflags(write=False)
    return images, labels


def balanced_order(labels: np.ndarray) -> np.ndarray:
    """Indices by turns: the first image of each class, then the second of each, so that any beginning is balanced."""
    rank = np.empty(len(labels), int)
    for label in np.unique(labels):
        (of_class,) = np.nonzero(labels == label)
        rank[of_class] = np.arange(len(of_class))
    return np.argsort(rank, kind="stable")


def measure(
    model: nn.Module, card: Card, seconds: float = math.inf, progress: Callable[[int], None] = lambda count: None
) -> Measured:
    """The accuracy and loss of a network on the test set that comes with the app.

    After so many seconds on as much of it as was shown by then, the same number of images of every class.
    `progress` is called with their number, but not from a lent GPU.
    """
    if ZERO_GPU and card.input_size > SLOW_FROM:
        with suppress(Exception):  # no GPU was free, or the visitor's share of it is spent
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
    """The accuracy and loss of a network on a part of its test set in `balanced_order`, shown at once where it is."""
    images, labels = load_test_set(card.dataset)
    chosen = _order(card.dataset)[part]
    net = Network(model, card, next(model.parameters()).device)
    answers = net.run(torch.from_numpy(images[chosen])).logits
    truth = torch.tensor(labels[chosen], dtype=torch.long)
    return Measured(int((answers.argmax(1) == truth).sum()), len(chosen), F.cross_entropy(answers, truth).item())


@cache
def _order(dataset: str) -> np.ndarray:
    return balanced_order(load_test_set(dataset)[1])


@gpu_work
def _measure_on_gpu(model: nn.Module, card: Card, seconds: float) -> Measured:
    return _measure(model.to("cuda"), card, seconds, lambda count: None)
