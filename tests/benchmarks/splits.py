"""How many rounds of the game strokes can win: test images, and blends of two, traced with the pen; as a table.

python -m tests.benchmarks.splits
python -m tests.benchmarks.splits --networks lenet5 mini_inception mini_resnet
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import combinations, product

import numpy as np

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.disagreements import Disagreement, disagreements, images_of
from cnn_models.analysis.test_errors import Predictions, predictions_of
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.images.preprocess import BlankImage
from tests.traced import is_kept, margin, predictions, preprocessed, trace

PENS = ((10, 128), (8, 96), (12, 160))  # width in pixels of the sketchpad, and the grey level from which it draws
MOST = 8  # test images of a round that are tried
BLENDS = 8  # pairs of images that are tried for each pair of classes
WEIGHTS = (0.4, 0.5, 0.6)
BATCH = 100


def blends(dataset: str) -> Iterator[np.ndarray]:
    """Weighted means of two test images, for every pair of classes."""
    images, labels = load_test_set(dataset)
    random = np.random.default_rng(0)
    members = [np.flatnonzero(labels == label) for label in range(len(DATASETS[dataset].classes))]
    for first, second in combinations(members, 2):
        chosen = zip(random.choice(first, BLENDS), random.choice(second, BLENDS), strict=True)
        for (a, b), weight in product(chosen, WEIGHTS):
            mean = weight * images[a] + (1 - weight) * images[b]
            yield np.minimum(mean * (255 / mean.max()), 255).astype(np.uint8)


def inputs_of(images: list[np.ndarray], dataset: str) -> list[np.ndarray]:
    """The inputs of the networks for the images, traced with each pen, without drawings that the game does not keep."""
    found = []
    for image, (width, bright) in product(images, PENS):
        strokes = trace(image, width, bright)
        try:
            if is_kept(strokes):
                found.append(preprocessed(strokes, dataset))
        except BlankImage:
            continue
    return found


def won(rounds: list[Disagreement], hub: ModelHub, dataset: str, inputs: list[np.ndarray]) -> set[Disagreement]:
    """The rounds that at least one of the inputs wins."""
    names = {name for each in rounds for name in (each.first, each.second)}
    batches = [inputs[start : start + BATCH] for start in range(0, len(inputs), BATCH)]
    answers = {
        name: [each for batch in batches for each in predictions(hub, f"{name}.{dataset}", batch)] for name in names
    }
    return {
        each for each in rounds
        if any(margin(each, dataset, *both) for both in zip(answers[each.first], answers[each.second], strict=True))
    }  # fmt: skip


def report(found: Predictions, hub: ModelHub) -> None:
    """Print the rows of a data set, by the number of test images of a round."""
    dataset, counted = found.dataset, disagreements(found, 1)
    images, _ = load_test_set(dataset)
    tried = sorted({int(index) for wanted in counted for index in images_of(found, wanted)[:MOST]})
    rounds = list(counted)
    by_images = won(rounds, hub, dataset, inputs_of([images[index] for index in tried], dataset))
    by_any = by_images | won(rounds, hub, dataset, inputs_of(list(blends(dataset)), dataset))
    for low, high in ((1, 1), (2, 2), (3, 4), (5, 10**6), (2, 10**6)):
        some = {wanted for wanted, count in counted.items() if low <= count <= high}
        name = str(low) if low == high else f"{low} to {high}" if high < 10**6 else f"{low} or more"
        print(f"| {dataset} | {name} | {len(some)} | {len(some & by_images)} | {len(some & by_any)} |", flush=True)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=str(__doc__), formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=ARCHITECTURES, default=list(ARCHITECTURES))
    chosen = parser.parse_args(argv).networks
    print("| data set | test images | rounds | won with a traced test image | or a blend |")
    print("|---|---:|---:|---:|---:|")
    hub = ModelHub()
    for dataset in DATASETS:
        found = predictions_of(hub, dataset)
        report(
            found._replace(predicted={name: found.predicted[name] for name in chosen if name in found.predicted}), hub
        )


if __name__ == "__main__":
    main()
