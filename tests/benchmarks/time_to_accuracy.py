"""Time to the accuracy that the course texts report: their run, in its own pipeline, against our `fast` recipe.

    python -m tests.benchmarks.time_to_accuracy

Seconds are those of the whole training without validation; the accuracy is measured on the test set after it.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from cnn_models import ARCHITECTURES, DATASETS, create_model
from cnn_models.runtime import best_device
from tests.benchmarks.training import source
from training import loop
from training.data import load, split
from training.recipes import recipe_for
from training.scores import measure

REPORTED = {"lenet5.mnist": 98.52, "mini_resnet.fashion_mnist": 90.04}  # percent, by the course texts


def main() -> None:
    device = best_device()
    rows = ["| network | reported | source run | in | `fast` | in | time |", "|---|---:|---:|---:|---:|---:|---:|"]
    for id, reported in REPORTED.items():
        architecture, dataset = id.split(".")
        test = load(dataset, train=False, device=device)
        recipe = recipe_for(id, "source").filled(ARCHITECTURES[architecture], DATASETS[dataset], {})
        model, theirs = source(id, device, 60_000, recipe.epochs)
        reached = measure(model, test, recipe.size, recipe.mean, recipe.std)["accuracy"]
        recipe = recipe_for(id, "fast").filled(ARCHITECTURES[architecture], DATASETS[dataset], {})
        pictures, held_out, _ = split(dataset, recipe.held_out, device)
        with tempfile.TemporaryDirectory() as folder:
            state = Path(folder) / "state.safetensors"
            build = partial(create_model, architecture)
            model, progress = loop.fit(id, build, pictures, held_out, recipe, 0, device, state)
        ours = sum(row["seconds"] for row in progress.history)
        accuracy = measure(model, test, recipe.size, recipe.mean, recipe.std)["accuracy"]
        rows.append(
            f"| {id} | {reported:.2f} % | {reached:.2f} % | {theirs:.1f} s | {accuracy:.2f} % | {ours:.1f} s "
            f"| {ours / theirs:.2f} |"
        )
    print("\n".join(rows))


if __name__ == "__main__":
    main()
