"""Images per second while training: our loop with its `best` recipe against the `source` pipeline, in one run.

    python -m tests.benchmarks.training

The `source` pipeline is the course texts': a torchvision data set with per-picture transforms, a DataLoader, plain SGD,
contiguous tensors. Both train the same network on the same pictures, each with its own batch size, by turns; `limit` is
the forward, backward and step of ours on one resident batch, which no pipeline can outrun.
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
from cnn_models.runtime import best_device, place
from training import loop
from training.data import LOADERS, data_dir, split
from training.recipes import recipe_for

NETWORKS = ("lenet5.mnist", "mini_inception.fashion_mnist", "mini_resnet.fashion_mnist")
GOALS = {"lenet5": 4, "mini_inception": 2, "mini_resnet": 3}
PICTURES, ROUNDS = 12_800, 5


def source(id: str, device: torch.device) -> float:
    """Images per second of the `source` recipe in its own pipeline, over `PICTURES` pictures."""
    architecture, dataset = id.split(".")
    recipe = recipe_for(id, "source")
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize((recipe.mean,), (recipe.std,))])
    pictures = Subset(LOADERS[dataset](data_dir(), train=True, transform=steps), range(PICTURES))
    loader = DataLoader(pictures, recipe.batch_size, shuffle=True)
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
    """Images per second of `training.loop.fit` over as many pictures, everything but the validation included."""
    architecture, dataset = (table[part] for table, part in zip((ARCHITECTURES, DATASETS), id.split("."), strict=True))
    recipe = recipe_for(id, "best").filled(architecture, dataset, {"epochs": 1})
    pictures, held_out, _ = split(dataset.name, recipe.held_out, device)
    pictures, held_out = pictures[:PICTURES], held_out[:500]
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "state.safetensors"
        _, history = loop.fit(id, architecture.build, pictures, held_out, recipe, 0, device, state)
    return history[0]["images_per_second"]


def limit(id: str, device: torch.device) -> float:
    """Images per second of forward, backward and step alone, for as many steps, on one batch."""
    recipe = recipe_for(id, "best")
    model = place(create_model(id.split(".")[0]), device)
    optimizer = loop.OPTIMIZERS[recipe.optimizer](model.parameters(), fused=True)
    x = torch.rand(recipe.batch_size, 1, 28, 28, device=device)
    y = torch.randint(0, 10, (recipe.batch_size,), device=device)
    steps = PICTURES // recipe.batch_size
    start = time.perf_counter()
    for _ in range(steps):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    loss.item()
    return steps * recipe.batch_size / (time.perf_counter() - start)


def main() -> None:
    device = best_device()
    print(f"{device}, {torch.get_num_threads()} threads, torch {torch.__version__}, {PICTURES:,} pictures a round")
    rows = []
    for id in NETWORKS:
        rounds = [(source(id, device), ours(id, device), limit(id, device)) for _ in range(ROUNDS + 1)]
        del rounds[0]  # warming up
        theirs, mine, most = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        ratio = statistics.median(b / a for a, b, _ in rounds)
        share = statistics.median(b / c for _, b, c in rounds)
        rows.append(
            f"| {id} | {theirs:,.0f} | {mine:,.0f} | {most:,.0f} | {ratio:.1f} (goal {GOALS[id.split('.')[0]]}) "
            f"| {share:.2f} |"
        )
    print("| images/s | source | ours | limit | ours / source | ours / limit |\n|---|---:|---:|---:|---:|---:|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
