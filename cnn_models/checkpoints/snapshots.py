"""The time machine: a network as it was before its training and after each epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from cnn_models.architectures import create_model
from cnn_models.network import Network
from cnn_models.specs import Card


def networks(snapshots: dict[str, Tensor], architecture: str) -> Iterator[nn.Module]:
    """The network of each of `checkpoint.read_snapshots`, in float32 and evaluation mode, on the CPU."""
    with torch.device("meta"):
        model = create_model(architecture).eval().requires_grad_(False)
    for epoch in range(len(next(iter(snapshots.values())))):
        model.load_state_dict({name: tensor[epoch].float() for name, tensor in snapshots.items()}, assign=True)
        yield model


def replay(snapshots: dict[str, Tensor], card: Card, grid: np.ndarray) -> Tensor:
    """The probabilities, epochs x 10, that a 28 x 28 uint8 image got before the training and after each epoch.

    All at the temperature of the finished network, so that the last are its own.
    """
    image, cpu = torch.tensor(grid)[None], torch.device("cpu")
    models = networks(snapshots, card.architecture)
    return torch.cat([Network(model, card, cpu).run(image).probabilities for model in models])
