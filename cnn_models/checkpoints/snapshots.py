"""Predictions over the epochs, by the snapshots of a training."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from cnn_models.architectures import create_model
from cnn_models.network import Network
from cnn_models.specs import Card


def networks(snapshots: dict[str, Tensor], architecture: str) -> Iterator[nn.Module]:
    """The network of each of the `folder.read_snapshots`, in float32 and evaluation mode, on the CPU; one object."""
    with torch.device("meta"):
        model = create_model(architecture).eval().requires_grad_(False)
    for epoch in range(len(next(iter(snapshots.values())))):
        model.load_state_dict({name: tensor[epoch].float() for name, tensor in snapshots.items()}, assign=True)
        yield model


def replay(snapshots: dict[str, Tensor], card: Card, grid: np.ndarray) -> Tensor:
    """The probabilities, (epochs + 1) x 10, of a 28 x 28 uint8 image before the training and after each epoch.

    All are at the temperature of the finished network.
    """
    image, cpu = torch.tensor(grid)[None], torch.device("cpu")
    models = networks(snapshots, card.architecture)
    return torch.cat([Network(model, card, cpu).run(image).probabilities for model in models])
