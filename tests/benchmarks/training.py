"""Images per second while training: our loop with the recipe `best`, and the `source` pipeline.

    python -m tests.benchmarks.training [id ...]

The `source` pipeline is the course texts': a torchvision data set with per-image transforms, a DataLoader, plain SGD,
contiguous tensors, with torch's defaults for threads and memory. Both train the same network on the same images at the
final input size of ours, each with its own batch size, interleaved, in a process of its own. `limit` is forward,
backward and step of ours on one resident batch: the upper bound of any pipeline.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain, repeat
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from cnn_models import ARCHITECTURES, DATASETS, create_model
from cnn_models.runtime import best_device, keep_memory, place
from training import loop
from training.data import LOADERS, data_dir, split
from training.optimizers import OPTIMIZERS
from training.recipes import Recipe, recipe_for

IMAGES = {  # in a round
    "lenet5.mnist": 12_800,
    "mini_inception.fashion_mnist": 12_800,
    "mini_resnet.fashion_mnist": 12_800,
    "alexnet.fashion_mnist": 512,
    "googlenet.fashion_mnist": 512,
}
GOALS = {"lenet5": 4, "mini_inception": 2, "mini_resnet": 3, "alexnet": 1.7, "googlenet": 1.4}
ROUNDS = 5
SPIN = {"GOMP_SPINCOUNT": "300000"}  # libgomp's own, where `cnn_models` sets less


def last_epoch(id: str) -> Recipe:
    """The recipe `best` with one epoch, at its final input size."""
    architecture, dataset = id.split(".")
    return recipe_for(id, "best").filled(ARCHITECTURES[architecture], DATASETS[dataset], {"epochs": 1})


def source(id: str, device: torch.device, count: int, epochs: int = 1) -> tuple[nn.Module, float]:
    """Train by the recipe `source` in its own pipeline on `count` images; returns the network and the seconds."""
    architecture, dataset = id.split(".")
    recipe = recipe_for(id, "source")
    steps = [transforms.ToTensor(), transforms.Normalize((recipe.mean,), (recipe.std,))]
    if (size := last_epoch(id).size) != DATASETS[dataset].size:
        steps.insert(0, transforms.Resize(size))
    subset = getattr(datasets, LOADERS[dataset])(data_dir(), train=True, transform=transforms.Compose(steps))
    subset = Subset(subset, range(count))
    loader = DataLoader(subset, recipe.batch_size, shuffle=True)
    model = create_model(architecture).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.lr)
    start = time.perf_counter()
    for images, labels in chain.from_iterable(repeat(loader, epochs)):
        images, labels = images.to(device), labels.to(device)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()  # waits for the device
    return model, time.perf_counter() - start


def their_speed(id: str, device: torch.device) -> float:
    """Images per second of the `source` pipeline."""
    return IMAGES[id] / source(id, device, IMAGES[id])[1]


def ours(id: str, device: torch.device) -> float:
    """Images per second of `training.loop.fit` over as many images, without validation."""
    architecture, dataset = id.split(".")
    recipe = last_epoch(id)
    examples, validation = split(dataset, recipe.held_out, device)
    examples, validation = examples[: IMAGES[id]], validation[:100]
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        setup = loop.Setup(id, partial(create_model, architecture), examples, validation, recipe, 0, device)
        _, progress = loop.fit(setup, state)
    return progress.history[0]["images_per_second"]


def limit(id: str, device: torch.device) -> float:
    """Images per second of forward, backward and step alone, for as many steps, on one batch."""
    recipe = last_epoch(id)
    model = place(create_model(id.split(".")[0]), device)
    optimizer = OPTIMIZERS[recipe.optimizer](model.parameters(), fused=True)
    x = torch.rand(recipe.batch_size, 1, recipe.size, recipe.size, device=device)
    y = torch.randint(0, 10, (recipe.batch_size,), device=device)
    steps = IMAGES[id] // recipe.batch_size
    start = time.perf_counter()
    for _ in range(steps):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
    return steps * recipe.batch_size / (time.perf_counter() - start)


def row(id: str, rounds: list[list[float]]) -> str:
    """A network's row of the table, from images per second of `source`, ours and the limit in each round."""
    theirs, mine, most = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    ratio = statistics.median(b / a for a, b, _ in rounds)
    share = statistics.median(b / c for _, b, c in rounds)
    goal = GOALS[id.split(".")[0]]
    return f"| {id} | {theirs:,.0f} | {mine:,.0f} | {most:,.0f} | {ratio:.1f} (goal {goal}) | {share:.2f} |"


def main() -> None:
    device = best_device()
    print(f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}, {ROUNDS} rounds")
    print("| images/s | source | ours | limit | ours / source | ours / limit |\n|---|---:|---:|---:|---:|---:|")
    process = partial(ProcessPoolExecutor, 1, get_context("spawn"))
    with process() as first, process(initializer=keep_memory) as second, process(initializer=keep_memory) as third:
        with mock.patch.dict(os.environ, SPIN):
            first.submit(os.getpid).result()  # starts it
        sides = (first, their_speed), (second, ours), (third, limit)
        for id in sys.argv[1:] or IMAGES:
            rounds = [[side.submit(run, id, device).result() for side, run in sides] for _ in range(ROUNDS + 1)]
            print(row(id, rounds[1:]))  # after one to warm up


if __name__ == "__main__":
    main()
