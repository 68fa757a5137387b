"""What many looks at each image are worth: test accuracy against the number of crops that are averaged."""

from __future__ import annotations

import torch

from cnn_models import DATASETS
from cnn_models.analysis.ablation import WHOLE_BELOW
from cnn_models.analysis.tta import SCALES, crops
from cnn_models.datasets.test_sets import COUNT, balanced_order, load_test_set
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.specs import Card

FEW = 500  # test images at first, for a network that takes hours for all of them
BATCH = 10  # images at once, each with all its looks


def few(card: Card) -> int:
    """How many test images are looked at when a network is measured; `look_on` can go on to all of them."""
    return COUNT if architecture_layers(card.architecture, card.input_size).macs < WHOLE_BELOW else FEW


def look_on(net: Network, found: dict, count: int) -> dict:
    """What was `found` of the first test images, and of the next ones until they are `count`; {} is of none.

    It holds `images` and, in percent of them, `accuracy` by the number of crops whose probabilities are averaged: one
    is the image itself; then come the crops of one scale after another, and at last all of them mirrored too.
    """
    card = net.card
    examples, labels = load_test_set(card.dataset)
    done = found.get("pictures", 0)
    right = {int(looked): round(done * accuracy / 100) for looked, accuracy in found.get("accuracy", {}).items()}
    chosen = balanced_order(labels)[done:count]
    mirror = DATASETS[card.dataset].kind != "digits"
    for start in range(0, len(chosen), BATCH):
        numbers = chosen[start : start + BATCH]
        grids, truth = torch.from_numpy(examples[numbers]), torch.from_numpy(labels[numbers].astype(int))
        views = crops(grids, mirror)
        each = views.shape[1] // (2 if mirror else 1) // len(SCALES)  # looks of a scale
        views = torch.cat([grids[:, None].float() / 255, views], dim=1)
        shares = net.run(views.flatten(0, 1), batch=100).probabilities.view(len(numbers), -1, len(card.classes))
        counts = [1, *(each * scales for scales in range(1, len(SCALES) + 1)), shares.shape[1] - 1]
        for looked in dict.fromkeys(counts):
            averaged = shares[:, 0] if looked == 1 else shares[:, 1 : looked + 1].mean(1)
            right[looked] = right.get(looked, 0) + int((averaged.argmax(1) == truth).sum())
    done += len(chosen)
    return {"pictures": done, "accuracy": {str(looked): 100 * n / done for looked, n in sorted(right.items())}}
