"""Accuracies of these networks that others report, not measured here."""

from __future__ import annotations

from typing import NamedTuple


class Quoted(NamedTuple):
    """A reported test accuracy in percent, and its run: plain SGD, validated on the test set."""

    accuracy: float
    lr: float
    batch: int
    epochs: int


# All from one source, the course text on convolution arithmetic, LeNet-5, AlexNet, GoogLeNet and ResNet, which prints
# the test accuracy of its runs; the recipe `source` repeats each. Figures whose source is unknown are left out.
QUOTED: dict[str, Quoted] = {
    "lenet5.mnist": Quoted(98.52, lr=0.9, batch=256, epochs=5),
    "alexnet.fashion_mnist": Quoted(91.22, lr=0.1, batch=128, epochs=10),
    "mini_inception.fashion_mnist": Quoted(89.59, lr=0.1, batch=128, epochs=10),
    "mini_resnet.fashion_mnist": Quoted(90.04, lr=0.1, batch=128, epochs=10),
}
