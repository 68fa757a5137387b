"""Images per second while training: our loop with its `best` recipe against the `source` pipeline, in one run.

    python -m tests.benchmarks.training

The `source` pipeline is the course texts': a torchvision data set with per-picture transforms, a DataLoader, plain SGD,
contiguous tensors. Both train the same network with the same batch on the same pictures, by turns.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset
from torchvision import transforms

from cnn_models import ARCHITECTURES, DATASETS, create_model
from training import train
from training.data import LOADERS, data_dir, split
from training.recipes import recipe_for

NETWORKS = ("lenet5.mnist", "mini_inception.fashion_mnist", "mini_resnet.fashion_mnist")
GOALS = {"lenet5": 4, "mini_inception": 2, "mini_resnet": 3}
PICTURES, ROUNDS = 12_800, 5


def source(id: str, batch_size: int, device: torch.device) -> float:
    """Images per second of the `source` pipeline over `PICTURES` pictures."""
    architecture, dataset = id.split(".")
    recipe = recipe_for(id, "source")
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize((recipe.mean,), (recipe.std,))])
    pictures = Subset(LOADERS[dataset](data_dir(), train=True, transform=steps), range(PICTURES))
    loader = DataLoader(pictures, batch_size, shuffle=True)
    model = create_model(architecture).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=recipe.lr)
    start = time.perf_counter()
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return PICTURES / (time.perf_counter() - start)


def ours(id: str, device: torch.device) -> float:
    """Images per second of `training.train` over as many pictures, everything but the validation included."""
    architecture, dataset = (table[part] for table, part in zip((ARCHITECTURES, DATASETS), id.split("."), strict=True))
    recipe = recipe_for(id, "best").filled(architecture, dataset, {"epochs": 1})
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        _, history, _ = train.train(id, recipe, 0, device, state, False, lambda: False)
    return history[0]["images_per_second"]


def few(*args) -> tuple:
    trained, held_out, how = split(*args)
    return trained[:PICTURES], held_out[:500], how


def main() -> None:
    device = train.best_device()
    train.split = few
    print(f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}, {PICTURES:,} pictures a round")
    print("| network | source, images/s | ours, images/s | ratio | goal |\n|---|---:|---:|---:|---:|")
    for id in NETWORKS:
        batch_size = recipe_for(id, "best").batch_size
        pairs = [(source(id, batch_size, device), ours(id, device)) for _ in range(ROUNDS + 1)][1:]  # one to warm up
        theirs, mine, ratio = (statistics.median(x) for x in zip(*((a, b, b / a) for a, b in pairs), strict=True))
        goal = GOALS[id.split(".")[0]]
        print(f"| {id} | {theirs:,.0f} | {mine:,.0f} | {ratio:.1f} | {goal} |", flush=True)


if __name__ == "__main__":
    main()
