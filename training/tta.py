"""The gain of multi-crop test-time augmentation (TTA): test accuracy by the number of crops that are averaged."""

from __future__ import annotations

import torch

from cnn_models import DATASETS
from cnn_models.analysis.ablation import WHOLE_BELOW
from cnn_models.analysis.tta import SCALES, crops
from cnn_models.datasets.test_sets import COUNT, balanced_order, load_test_set
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.specs import Card

SAMPLE = 500  # test images of a network that takes hours for all of them
BATCH = 10  # images at once, each with all its crops


def initial_count(card: Card) -> int:
    """The number of test images that `--averages` measures; `--looks` continues with all of them."""
    return COUNT if architecture_layers(card.architecture, card.input_size).macs < WHOLE_BELOW else SAMPLE


def measure_tta(net: Network, measured: dict, count: int) -> dict:
    """The accuracy of TTA on the first `count` test images; `measured` is the result for fewer of them, or {}.

    The result holds `pictures` (the number of images) and `accuracy` in percent by the number of crops whose
    probabilities are averaged: 1 is the image itself, then one scale after another is added, and at last all mirrored.
    """
    card = net.card
    examples, labels = load_test_set(card.dataset)
    done = measured.get("pictures", 0)
    correct = {int(used): round(done * accuracy / 100) for used, accuracy in measured.get("accuracy", {}).items()}
    chosen = balanced_order(labels)[done:count]
    mirror = DATASETS[card.dataset].kind != "digits"
    for start in range(0, len(chosen), BATCH):
        numbers = chosen[start : start + BATCH]
        grids, truth = torch.from_numpy(examples[numbers]), torch.from_numpy(labels[numbers].astype(int))
        views = crops(grids, mirror)  # N x crops x 28 x 28
        each = views.shape[1] // (2 if mirror else 1) // len(SCALES)  # crops of a scale
        views = torch.cat([grids[:, None].float() / 255, views], dim=1)
        probabilities = net.run(views.flatten(0, 1), batch=100).probabilities.view(*views.shape[:2], -1)
        for used in dict.fromkeys([1, *(each * scales for scales in range(1, len(SCALES) + 1)), views.shape[1] - 1]):
            mean = probabilities[:, 0] if used == 1 else probabilities[:, 1 : used + 1].mean(1)
            correct[used] = correct.get(used, 0) + int((mean.argmax(1) == truth).sum())
    done += len(chosen)
    return {"pictures": done, "accuracy": {str(used): 100 * n / done for used, n in sorted(correct.items())}}
