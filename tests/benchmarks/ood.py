"""The share of images reported as out of distribution (OOD): test images of both data sets, and drawings.

python -m tests.benchmarks.ood [IMAGES]

With and without the reference model of the other data set; the AUROC of the reference model's energy between the data
sets, alone and minus that of the other data set's reference model; and what is unsure or turned by its distance to the
training images (`cnn_models.analysis.neighbours`): of correctly classified test images needlessly, of others rightly.
"""

from __future__ import annotations

import sys
from collections import Counter

import numpy as np
import torch

from cnn_models import DATASETS, ModelHub, compare
from cnn_models.analysis.neighbours import TURNS, Unlikeness, unlikeness
from cnn_models.analysis.ood import reference_score
from cnn_models.analysis.verdict import is_ood
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.images.preprocess import to_dataset_form
from tests.cnn_models.analysis.test_neighbours import looped_nines
from tests.cnn_models.analysis.test_ood import ones_with_a_flag, scribbles, warning
from training.metrics import auroc


def main(count: int) -> None:
    hub = ModelHub()
    for dataset in DATASETS:
        (other,) = DATASETS.keys() - {dataset}
        alone, relative = {}, {}
        for source in DATASETS:
            images = load_test_set(source)[0][:count]
            found = [compare(image, dataset, hub=hub) for image in images]
            alone_found = [is_ood(each.models) for each in found]
            before, now = (
                np.mean(alone_found),
                np.mean([a or warning(c) == "lookalike" for a, c in zip(alone_found, found, strict=True)]),
            )
            print(
                f"{source} shown as {dataset}: refused {100 * before:.1f} %, with the reference model {100 * now:.1f} %"
            )
            own, others = (
                torch.tensor([reference_score(hub, name, to_dataset_form(image, DATASETS[name])) for image in images])
                for name in (dataset, other)
            )
            alone[source] = own
            relative[source] = own - others
        print(
            f"AUROC of {other} against {dataset}: {auroc(alone[dataset], alone[other]):.4f} alone, "
            f"{auroc(relative[dataset], relative[other]):.4f} relative"
        )
    xs, ys = (0.3, 0.32, 0.34, 0.36, 0.38, 0.4, 0.42), (0.2, 0.23, 0.26, 0.29, 0.32, 0.35)
    for dataset in DATASETS:
        needless(hub, dataset, count)
        neighbours(hub, dataset, count)
    drawings = {"ones with a flag": ones_with_a_flag(xs, ys, (0.49, 0.52, 0.55)), "scribbles": scribbles(200)}
    for name, images in drawings.items():
        count = sum(is_ood(compare(image, "mnist", hub=hub).models) for image in images)
        print(f"{count} of {len(images)} {name} are OOD for MNIST")


def needless(hub: ModelHub, dataset: str, count: int) -> None:
    """Print the share of correctly classified test images that get a warning, by its code."""
    found = [
        (compare(image, dataset, hub=hub), label) for image, label in zip(*first_images(dataset, count), strict=True)
    ]
    right = [warning(each) for each, label in found if each.verdict.label == DATASETS[dataset].classes[label]]
    codes = Counter(filter(None, right))
    print(f"{dataset}, {len(right)} correct: {100 * codes.total() / len(right):.2f} % with a warning, {dict(codes)}")


def first_images(dataset: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The first test images and their labels."""
    images, labels = load_test_set(dataset)
    return images[:count], labels[:count]


def neighbours(hub: ModelHub, dataset: str, count: int) -> None:
    """Print the share of a data set's images, of turned ones and of drawings that are unsure, turned or either."""
    (other,) = DATASETS.keys() - {dataset}
    images, labels = first_images(dataset, count)
    found = [compared(hub, dataset, image) for image in images]
    right = [each for each, label in zip(found, labels, strict=True) if each[0] == DATASETS[dataset].classes[label]]
    normal = torch.tensor([unlike.unsure for _, unlike in right])
    sets = {"looped nines": looped_nines(200), "scribbles": scribbles(200), other: load_test_set(other)[0][:count]}
    sets |= {f"turned by {turn}": [np.rot90(image, -turn // 90) for image in images] for turn in TURNS}
    report(f"{dataset}, correct", [unlike for _, unlike in right], normal)
    for name, those in sets.items():
        report(name, [compared(hub, dataset, np.ascontiguousarray(image))[1] for image in those], normal)


def compared(hub: ModelHub, dataset: str, image: np.ndarray) -> tuple[str, Unlikeness]:
    """The predicted class of an image, and its unlikeness to the training images."""
    found = compare(image, dataset, hub=hub)
    return found.verdict.label, unlikeness(hub, dataset, found.image, found.verdict.probabilities)


def report(name: str, found: list[Unlikeness], normal: torch.Tensor) -> None:
    scores = torch.tensor([each.unsure for each in found])
    unsure, turned = np.mean([each.is_unsure for each in found]), np.mean([each.turn is not None for each in found])
    print(f"{name}: unsure {100 * unsure:.1f} %, turned {100 * turned:.1f} %, AUROC {auroc(normal, scores):.3f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
