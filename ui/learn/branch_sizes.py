"""The size of each Inception branch's weights, before the training and after each epoch."""

from __future__ import annotations

from functools import lru_cache

import torch

from cnn_models import ModelHub, create_model
from cnn_models.analysis.ablation import sizes
from cnn_models.specs import Card


def branch_sizes(hub: ModelHub, card: Card) -> list[dict[str, float]]:
    """The `sizes` before training and after each epoch; empty without snapshots. Raises CheckpointError."""
    return _read(hub, card.id, card.snapshots_sha256)


@lru_cache(16)
def _read(hub: ModelHub, id: str, snapshots_sha256: str | None) -> list[dict[str, float]]:
    if not (tensors := hub.snapshots(id)):
        return []
    with torch.device("meta"):
        model = create_model(id.split(".")[0])
    epochs = range(len(next(iter(tensors.values()))))
    return [sizes({name: tensor[epoch] for name, tensor in tensors.items()}, model) for epoch in epochs]
