"""Similarities of layers and accuracies of linear probes: `similarity.json`, by `python -m training.similarity`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from cnn_models.analysis.averaged import read_measured
from cnn_models.analysis.similarity import compared_layers
from cnn_models.checkpoints.runs import RUNS, Run, find_runs
from cnn_models.datasets import DATASETS

SIMILARITY = "similarity.json"
TRAIN, VALIDATION, TEST = 3_000, 500, 2_000  # images, as many of each class; networks are compared on those of TEST
Matrix = list[list[float]]  # CKA of the layers of one network (rows) and of another (columns)


class Similarities(NamedTuple):
    """The measurements of a data set. Networks are named by their folder below that of the weights.

    `weights` are the hashes of the networks; `cka` the similarities of the layers of two networks; `probes` the
    accuracies, in percent of some test images, of a linear probe on the pixels and after each layer of a network.
    """

    weights: dict[str, str]
    cka: dict[tuple[str, str], Matrix]
    probes: dict[str, list[float]]

    def of(self, weights: Mapping[str, str]) -> Similarities:
        """Without networks that have other weights now; `weights` are the present hashes."""
        same = {name: sha256 for name, sha256 in self.weights.items() if weights.get(name, sha256) == sha256}
        return Similarities(
            same,
            {pair: matrix for pair, matrix in self.cka.items() if same.keys() >= {*pair}},
            {name: accuracies for name, accuracies in self.probes.items() if name in same},
        )

    def pair(self, first: str, second: str) -> Matrix | None:
        """The similarities of the layers of the first network (rows) and the second; None if they are not measured."""
        if matrix := self.cka.get((second, first)):
            return [list(column) for column in zip(*matrix, strict=True)]
        return self.cka.get((first, second))


class Closest(NamedTuple):
    """The indices of a layer of each of two networks, and their CKA."""

    first: int
    second: int
    value: float


def closest(matrix: Matrix) -> Closest:
    """The most similar hidden layers of two networks. Both output layers are left out: they are trained to agree."""
    hidden = _hidden(matrix)
    value, i, j = max((value, i, j) for i, row in enumerate(hidden) for j, value in enumerate(row))
    return Closest(i, j, value)


def mean_best(matrix: Matrix) -> float:
    """The CKA of a hidden layer with the most similar one of the other network, on average over both networks."""
    hidden = _hidden(matrix)
    return fmean(max(layer) for layer in [*hidden, *zip(*hidden, strict=True)])


def _hidden(matrix: Matrix) -> Matrix:
    return [row[:-1] for row in matrix[:-1]]


def architecture_of(name: str) -> str:
    """The architecture of a network, by its name in the file."""
    return Path(name).name.split(".")[0]


def is_checkpoint(name: str) -> bool:
    """Whether a network is a checkpoint of the app, and not another seed of one."""
    return not name.startswith(f"{RUNS}/")


def networks(weights: Path) -> dict[str, Run]:
    """The checkpoints in a folder, and the runs below it that differ from one of them in their seed alone, by name."""
    found = {}
    for runs in find_runs(weights).values():
        finished = [run for run in runs if run.card]
        if finished and not finished[0].out:
            found |= {run.folder(weights).relative_to(weights).as_posix(): run for run in finished}
    return found


def read_similarities(weights: Path) -> dict[str, Similarities]:
    """The content of the file, by data set; empty where there is no file. Raises CheckpointError for any other."""
    found = read_measured(
        weights / SIMILARITY,
        lambda found: found.keys() <= DATASETS.keys() and all(map(_is_possible, found.values())),
        "similarity.damaged",
    )
    return {
        dataset: Similarities(each["weights"], {(a, b): matrix for a, b, matrix in each["cka"]}, each["probes"])
        for dataset, each in found.items()
    }


def current_similarities(weights: Path) -> dict[str, Similarities]:
    """The similarities by data set, of the present weights alone. Raises CheckpointError as `read_similarities` does.

    The weights of a run need not be there, as its card has their hash.
    """
    now = {name: run.card.weights_sha256 for name, run in networks(weights).items() if run.card}
    found = {}
    for dataset, measured in read_similarities(weights).items():
        found[dataset] = measured.of({name: now.get(name, "") for name in measured.weights})
    return found


def _is_possible(found: dict) -> bool:
    """Whether the content for one data set can have been measured. Raises TypeError and others for other fields."""
    weights, probes = found["weights"], found["probes"]
    depths = {name: len(compared_layers(architecture_of(name))) for name in weights}
    return (
        all(isinstance(sha256, str) for sha256 in weights.values())
        and all(
            [len(row) for row in matrix] == [depths[b]] * depths[a]
            and all(type(value) in (int, float) and -1 <= value <= 1 for row in matrix for value in row)
            for a, b, matrix in found["cka"]
        )
        and all(
            len(accuracies) == 1 + depths[name]
            and all(type(value) in (int, float) and 0 <= value <= 100 for value in accuracies)
            for name, accuracies in probes.items()
        )
    )
