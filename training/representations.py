"""Similarities of layers, and linear probes after them: the work of `python -m training.similarity`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations_with_replacement
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import DATASETS
from cnn_models.analysis.similarity import cka, features, representation, u_centred
from cnn_models.analysis.similarity_results import (
    SIMILARITY,
    TEST,
    TRAIN,
    VALIDATION,
    Similarities,
    architecture_of,
    is_checkpoint,
    networks,
    read_similarities,
)
from cnn_models.checkpoints.folder import WEIGHTS, CheckpointError, load_model, write_file
from cnn_models.datasets.test_sets import balanced_order
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.runtime import best_device, keep_memory, place
from training.data import DataError, LabelledImages, load, split
from training.lock import writing
from training.probes import Examples, pooled, probe_accuracy
from training.similarity_tables import probes_table, similarities_table
from training.state import TrainingError

HELD_OUT = 5_000  # of the training images, from which those for validation are
BATCH = 250  # images of a Gram matrix

Layers = list[Tensor]  # the features of each layer, N x D


def complete(weights: Path) -> None:
    """Measure what `similarity.json` lacks of the networks below a folder, and print the results.

    The file is written after each network. Exits with a sentence where that is not possible.
    """
    keep_memory()
    try:
        device = best_device()
        with writing(weights / SIMILARITY):
            found = read_similarities(weights)
            for dataset in DATASETS:
                for measured in _measure(weights, dataset, found.get(dataset), device):
                    found[dataset] = measured
                    _write(weights / SIMILARITY, found)
    except (CheckpointError, DataError, TrainingError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(similarities_table(found), probes_table(found), sep="\n\n")


def _measure(weights: Path, dataset: str, known: Similarities | None, device: torch.device) -> Iterable[Similarities]:
    """The measurements of a data set, more and more complete, after each network for which something was missing."""
    there = {name: run for name, run in networks(weights).items() if run.id.endswith(f".{dataset}")}
    hashes = {name: run.card.weights_sha256 for name, run in there.items() if run.card}
    found = (known or Similarities({}, {}, {})).of(hashes)
    loadable = [name for name in there if (weights / name / WEIGHTS).is_file()]
    missing = [(a, b) for a, b in _pairs(loadable) if not found.pair(a, b)]
    unprobed = {name for name in loadable if is_checkpoint(name)} - found.probes.keys()
    needed = {name for pair in missing for name in pair}
    images = _images(dataset) if needed | unprobed else []
    representations: dict[str, Tensor] = {}
    for name in sorted((needed | unprobed), key=_macs):
        model, card = load_model(weights / name)
        net = Network(place(model, device), card, device)
        representations[name], test = _represent(net, images[-1])
        found.weights[name] = card.weights_sha256
        if name in unprobed:
            found.probes[name] = _probe(net, images, test)
        for a, b in missing:
            if name in (a, b) and representations.keys() >= {a, b}:
                found.cka[a, b] = _rounded(cka(representations[a], representations[b]))
        yield found


def _macs(name: str) -> tuple[int, str]:
    """By which the cheapest network is the first."""
    return architecture_layers(architecture_of(name)).macs, name


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    """The pairs to compare: of checkpoints, also with themselves, and of a checkpoint and another seed of it."""
    checkpoints = [name for name in names if is_checkpoint(name)]
    seeds = [(Path(name).name, name) for name in names if not is_checkpoint(name) and Path(name).name in checkpoints]
    return [*combinations_with_replacement(checkpoints, 2), *seeds]


def _images(dataset: str) -> list[LabelledImages]:
    """The images that probes are trained, chosen and tested on; networks are compared on the last of them."""
    parts = (*split(dataset, HELD_OUT, torch.device("cpu")), load(dataset, train=False))
    chosen = []
    for part, count in zip(parts, (TRAIN, VALIDATION, TEST), strict=True):
        order = torch.from_numpy(balanced_order(part.labels.numpy())[:count])
        chosen.append(LabelledImages(part.images[order], part.labels[order]))
    return chosen


def _represent(net: Network, test: LabelledImages) -> tuple[Tensor, Layers]:
    """The `representation` of a network on the test images, and their features for probes."""
    grams, pools = [], []
    for found in _features(net, test, "test"):
        grams.append([u_centred(layer) for layer in found])
        pools.append([pooled(layer) for layer in found])
    return representation(grams), _joined(pools)


def _probe(net: Network, parts: Sequence[LabelledImages], test: Layers) -> list[float]:
    """The accuracies of the probes on the pixels and after each layer, with the features of the test images."""
    names = ("training", "validation")
    layers = [
        _joined([pooled(x) for x in found] for found in _features(net, *of)) for of in zip(parts, names, strict=False)
    ]
    pixels = [part.images.flatten(1).float() for part in parts]
    labels = [part.labels.to(net.device) for part in parts]
    accuracies = []
    for layer in tqdm([pixels, *zip(*layers, test, strict=True)], desc=f"probes of {net.card.id}", unit="layer"):
        examples = [Examples(x.to(net.device), y) for x, y in zip(layer, labels, strict=True)]
        accuracies.append(round(probe_accuracy(*examples), 2))
    return accuracies


def _features(net: Network, part: LabelledImages, name: str) -> Iterator[list[Tensor]]:
    """The `features` of each batch of some images."""
    for images in tqdm(part.images.split(BATCH), desc=f"{name} images in {net.card.id}", unit="batch"):
        yield features(net, images)


def _joined(batches: Iterable[list[Tensor]]) -> Layers:
    return [torch.cat(layer) for layer in zip(*batches, strict=True)]


def _rounded(matrix: Tensor) -> list[list[float]]:
    return [[round(value, 3) + 0.0 for value in row] for row in matrix.tolist()]  # + 0.0: no -0.0


def _write(path: Path, found: dict[str, Similarities]) -> None:
    """Write the file atomically, each row of a matrix on a line. Raises CheckpointError."""
    content = {
        dataset: {
            "weights": each.weights,
            "cka": sorted([a, b, matrix] for (a, b), matrix in each.cka.items()),
            "probes": each.probes,
        }
        for dataset, each in found.items()
    }
    text = json.dumps(content, indent=1, sort_keys=True)
    text = re.sub(r"\[[\d\s.,e-]+\]", lambda row: f"[{' '.join(row[0][1:-1].split())}]", text)
    write_file(path, f"{text}\n".encode())
