"""Activations of each layer for an image, by channel, and the filters of first layers."""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from cnn_models.datasets.test_sets import balanced_order, load_test_set
from cnn_models.images.preprocess import to_input
from cnn_models.layers.run import outputs
from cnn_models.layers.trace import Layer
from cnn_models.specs import Card

SHOWN = 16  # channels of a layer
BATCH_MEMORY = 2 * 10**7  # bytes of all outputs of a batch of test images, which are in memory twice
_DEAD: WeakKeyDictionary[nn.Module, dict[int, dict[int, int]]] = WeakKeyDictionary()


class Channels(NamedTuple):
    """Some channels of one output, or filters: their numbers, the strongest first, and their values N x H x W.

    Strength is the mean absolute value. `count` is the number of all channels, `inactive` of those that are 0. A vector
    has no numbers; its values are 1 x 1 x length.
    """

    numbers: list[int]
    values: np.ndarray
    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  hides a tuple's
    inactive: int


def channels(output: Tensor, shown: int = SHOWN) -> Channels:
    """The strongest channels of an output C x H x W, or all values of a vector C or C x 1 x 1."""
    if output[0].numel() == 1:
        return Channels([], output.reshape(1, 1, -1).cpu().numpy(), len(output), int((output == 0).sum()))
    strength = output.abs().mean((1, 2))
    order = strength.argsort(descending=True, stable=True)[:shown].tolist()
    return Channels(order, output[order].cpu().numpy(), len(output), int((strength == 0).sum()))


def activations(model: nn.Module, card: Card, image: np.ndarray, size: int) -> list[Tensor]:
    """The output of each step for a 28 x 28 uint8 image in its data set's form, by `Layer.index`, without the batch."""
    device = next(model.parameters()).device
    x = to_input(torch.tensor(image, device=device)[None], size, card.mean, card.std)
    return [tensor[0] for tensor in outputs(model, x)]


def dead_channels(model: nn.Module, card: Card, network: Layer) -> dict[int, int]:
    """The number of channels of each ReLU, by `Layer.index`, that are 0 for all `sample_size(network)` test images.

    Remembered for each network in memory and each input size.
    """
    size = network.inputs[0][-1]
    known = _DEAD.setdefault(model, {})
    if size not in known:
        images, labels = load_test_set(card.dataset)
        chosen = images[balanced_order(labels)[: sample_size(network)]]
        relus = [step.index for step in network.steps() if step.kind == "ReLU" and step.index is not None]
        alive: dict[int, Tensor] = {}
        for batch in torch.from_numpy(chosen).split(max(1, BATCH_MEMORY // network.memory)):
            x = to_input(batch.to(next(model.parameters()).device), size, card.mean, card.std)
            found = outputs(model, x)
            for index in relus:
                active = (found[index] > 0).transpose(0, 1).flatten(1).any(1)  # by channel
                alive[index] = alive[index] | active if index in alive else active
        known[size] = {index: int((~active).sum()) for index, active in alive.items()}
    return known[size]


def sample_size(network: Layer) -> int:
    """The number of test images for `dead_channels`, smaller for large networks."""
    return 200 if network.macs < 1e8 else 20


def filters(model: nn.Module, layer: Layer) -> Channels | None:
    """The filters of a convolution with one input channel; None for other layers."""
    if layer.kind != "convolution" or layer.inputs[0][0] != 1:
        return None
    weight = model.get_parameter(f"{layer.name}.weight").detach()  # out x 1 x H x W
    return channels(weight[:, 0], len(weight))
