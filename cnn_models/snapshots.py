"""The time machine: a network as it was before its training and after each epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from cnn_models.checkpoint import CheckpointError, read_card, read_history, read_snapshots
from cnn_models.hub import ModelHub
from cnn_models.preprocess import to_input
from cnn_models.runs import RUNS
from cnn_models.specs import Card
from cnn_models.zoo import create_model


@dataclass(frozen=True)
class Kept:
    """Where snapshots of a network's training are: with its checkpoint, or in the `folder` of another run of it."""

    id: str
    sha256: str
    folder: Path | None = None

    @property
    def run(self) -> str:
        """The name of the other run, empty where it is the checkpoint's own."""
        return self.folder.parent.name if self.folder else ""

    def read(self, hub: ModelHub) -> tuple[Card, dict[str, Tensor], list[dict[str, float]]]:
        """Its card, its snapshots, and its history. Raises CheckpointError."""
        if self.folder is None:
            return hub.card(self.id), hub.snapshots(self.id), read_history(hub.folder(self.id))
        return read_card(self.folder), read_snapshots(self.folder), read_history(self.folder)


def kept(hub: ModelHub, card: Card) -> Kept | None:
    """The snapshots that a checkpoint's training kept, else those of the first run in `weights/runs/` that has some."""
    if card.snapshots_sha256:
        return Kept(card.id, card.snapshots_sha256)
    for folder in sorted((hub.weights_dir / RUNS).glob(f"*/{card.id}")):
        with suppress(CheckpointError):
            if sha256 := read_card(folder).snapshots_sha256:
                return Kept(card.id, sha256, folder)
    return None


def networks(snapshots: dict[str, Tensor], architecture: str) -> Iterator[nn.Module]:
    """The network of each of `checkpoint.read_snapshots`, in float32 and evaluation mode, on the CPU."""
    with torch.device("meta"):
        model = create_model(architecture).eval().requires_grad_(False)
    for epoch in range(len(next(iter(snapshots.values())))):
        model.load_state_dict({name: tensor[epoch].float() for name, tensor in snapshots.items()}, assign=True)
        yield model


@torch.inference_mode()
def replay(snapshots: dict[str, Tensor], card: Card, grid: np.ndarray) -> Tensor:
    """The probabilities, epochs x 10, that a 28 x 28 uint8 picture got before the training and after each epoch.

    All at the temperature of the finished network, so that the last are its own.
    """
    x = to_input(torch.tensor(grid)[None], card.input_size, card.mean, card.std)
    logits = torch.cat([model(x) for model in networks(snapshots, card.architecture)]).double()
    return (logits / card.temperature).softmax(1)
