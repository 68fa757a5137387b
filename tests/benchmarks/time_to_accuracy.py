"""Time to the accuracy that the course texts report: their run in its own pipeline, and our recipe `fast`.

    python -m tests.benchmarks.time_to_accuracy

Each runs in a process of its own. Threads wait in both as ours do; memory is kept in ours alone. Seconds are those of
the whole training without validation; the accuracy is measured on the test set after it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import nn

from cnn_models import ARCHITECTURES, DATASETS, create_model
from cnn_models.runtime import best_device, keep_memory
from tests.benchmarks.training import source
from training import loop
from training.data import load, split
from training.metrics import measure
from training.recipes import Recipe, recipe_for

REPORTED = {"lenet5.mnist": 98.52, "mini_resnet.fashion_mnist": 90.04}  # percent, by the course texts


def filled(id: str, name: str) -> Recipe:
    """A filled recipe of a checkpoint id."""
    architecture, dataset = id.split(".")
    return recipe_for(id, name).filled(ARCHITECTURES[architecture], DATASETS[dataset], {})


def on_test_set(id: str, model: nn.Module, recipe: Recipe, device: torch.device) -> float:
    """Accuracy in percent."""
    test = load(id.split(".")[1], train=False, device=device)
    return measure(model, test, recipe.size, recipe.mean, recipe.std)["accuracy"]


def theirs(id: str, device: torch.device) -> tuple[float, float]:
    """Accuracy in percent, and the seconds, of the course texts' run."""
    recipe = filled(id, "source")
    model, seconds = source(id, device, 60_000, recipe.epochs)
    return on_test_set(id, model, recipe, device), seconds


def ours(id: str, device: torch.device) -> tuple[float, float]:
    """The same of `fast`."""
    keep_memory()  # as `training.train` does
    architecture, dataset = id.split(".")
    recipe = filled(id, "fast")
    images, validation = split(dataset, recipe.held_out, device)
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        build = partial(create_model, architecture)
        model, progress = loop.fit(loop.Setup(id, build, images, validation, recipe, 0, device), state)
    return on_test_set(id, model, recipe, device), sum(row["seconds"] for row in progress.history)


def in_new_process(run: Callable, *arguments) -> tuple[float, float]:
    """The result of `run` in a new process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(run, *arguments).result()


def main() -> None:
    device = best_device()
    print("| network | reported | source run | in | `fast` | in | time |\n|---|---:|---:|---:|---:|---:|---:|")
    for id, reported in REPORTED.items():
        (accuracy, seconds), (fast, quick) = in_new_process(theirs, id, device), in_new_process(ours, id, device)
        print(
            f"| {id} | {reported:.2f} % | {accuracy:.2f} % | {seconds:.1f} s "
            f"| {fast:.2f} % | {quick:.1f} s | {quick / seconds:.3f} |"
        )


if __name__ == "__main__":
    main()
