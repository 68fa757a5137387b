"""The test accuracy of ensembles over seeds: of networks whose trainings differ in their seed alone.

C. Szegedy et al. 2015, "Going Deeper with Convolutions", section 7, average seven GoogLeNets that differ in the order
of the training images; a seed here changes the initial weights too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models.analysis.seeds import seeds_of
from cnn_models.checkpoints.folder import WEIGHTS, load_model
from cnn_models.checkpoints.runs import Run, find_runs
from cnn_models.network import Network
from cnn_models.runtime import place
from training.data import load
from training.state import TrainingError

MOST = 500  # ensembles measured of each size: all of up to 11 networks


def measure_seeds(weights: Path, device: torch.device) -> dict[str, dict]:
    """The content of `seeds.json` for the checkpoints and runs below a folder, as `read_seeds` returns it.

    Groups of the same weights as in the file are not measured again, nor lost where the weights are not here. Raises
    CheckpointError, DataError, and TrainingError where no two evaluated checkpoints with weights differ in their seed
    alone.
    """
    found = {run.group: known for run, known in seeds_of(weights, find_runs(weights).values())}
    for group, runs in _complete(weights).items():
        hashes = {str(seed): run.card.weights_sha256 for seed, run in runs.items() if run.card}
        known = found.get(group, {})
        found[group] = known if known.get("weights") == hashes else {
            "weights": hashes,
            "accuracy": _measure([run.folder(weights) for run in runs.values()], device),
        }  # fmt: skip
    if not found:
        raise TrainingError(
            "no two evaluated checkpoints differ in their seed alone; train one more, e.g. with `python -m "
            "training.train mini_inception.mnist --seed 1 --out weights/runs/best.1`, and evaluate it"
        )
    return found


def _complete(weights: Path) -> dict[str, dict[int, Run]]:
    """The runs by group and seed that have weights and a test accuracy, where these are several."""
    found = {}
    for group, runs in find_runs(weights).items():
        complete = [run for run in runs if run.card and run.card.on_test_set("accuracy") is not None]
        found[group] = {run.seed: run for run in complete if (run.folder(weights) / WEIGHTS).is_file()}
    return {group: runs for group, runs in found.items() if len(runs) > 1}


def _measure(folders: Sequence[Path], device: torch.device) -> list[tuple[float, float, float]]:
    """The `ensemble_accuracies` of the checkpoints in these folders, which have one id, on the test images."""
    id, probabilities = folders[0].name, []
    test = load(id.split(".")[1], train=False)
    for folder in tqdm(folders, desc=f"seeds of {id}", unit="checkpoint"):
        model, card = load_model(folder)
        probabilities.append(Network(place(model, device), card, device).run(test.images).probabilities)
    return ensemble_accuracies(torch.stack(probabilities), test.labels)


def ensemble_accuracies(probabilities: Tensor, labels: Tensor) -> list[tuple[float, float, float]]:
    """Mean, lowest and highest accuracy, in percent, of the ensembles (soft vote) of one network, of two, up to all.

    `probabilities` are networks x N x 10, `labels` N.
    """
    found = []
    for size in range(1, len(probabilities) + 1):
        votes = [probabilities[list(subset)].sum(0).argmax(1) for subset in subsets(len(probabilities), size)]
        values = [100 * (predictions == labels).double().mean().item() for predictions in votes]
        mean, low, high = (round(value, 4) for value in (fmean(values), min(values), max(values)))
        found.append((mean, low, high))
    return found


def subsets(count: int, size: int) -> Sequence[Sequence[int]]:
    """All choices of `size` of `count` indices; `MOST` random ones of them where these are more."""
    if comb(count, size) <= MOST:
        return list(combinations(range(count), size))
    generator = torch.Generator().manual_seed(0)
    return [torch.randperm(count, generator=generator)[:size].tolist() for _ in range(MOST)]
