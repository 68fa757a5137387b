"""A network with its card: from images to logits and probabilities."""

from __future__ import annotations

import copy
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from cnn_models.images.preprocess import to_input
from cnn_models.runtime import synchronize
from cnn_models.specs import Card

BATCH = 500  # images in a forward pass


class Output(NamedTuple):
    """Logits and probabilities of N images (N x 10, float64, on the CPU), and milliseconds of the forward passes alone.

    The probabilities are the softmax of the logits divided by the card's temperature (float32 rounds 1 - 1e-8 to 1).
    """

    logits: Tensor
    probabilities: Tensor
    milliseconds: float


@dataclass(frozen=True)
class Network:
    """A network, which is set to evaluation mode, its card, and the device that it is on."""

    model: nn.Module
    card: Card
    device: torch.device

    def __post_init__(self) -> None:
        self.model.eval()

    def input(self, images: Tensor) -> Tensor:
        """The input tensor of images as `to_input` takes them: N x 1 x S x S float32, normalised, on the device."""
        card = self.card
        return to_input(images.to(self.device), card.input_size, card.mean, card.std)

    def run(self, images: Tensor, batch: int = BATCH) -> Output:
        """The output for images as `to_input` takes them, on any device; `batch` images in a forward pass."""
        logits, seconds = [], 0.0
        with torch.inference_mode():
            for part in images.split(batch):
                x = self.input(part)
                synchronize(self.device)
                start = time.perf_counter()
                logits.append(self.model(x))
                synchronize(self.device)
                seconds += time.perf_counter() - start
        found = torch.cat(logits).cpu().double()  # MPS has no float64
        return Output(found, (found / self.card.temperature).softmax(1), 1000 * seconds)

    def features(self, images: Tensor) -> Tensor:
        """The penultimate features of images as `to_input` takes them: the inputs N x F of the last linear layer.

        They are float32, on the CPU.
        """
        found = []
        with torch.inference_mode():
            for part in images.split(BATCH):
                with _LinearInput() as run:
                    self.model(self.input(part))
                found.append(run.last.float().cpu())
        return torch.cat(found)

    def without(self, off: Collection[str]) -> Self:
        """The same network; with "normalisation" in `off`, its input is pixels from 0 to 1."""
        return replace(self, card=replace(self.card, mean=0.0, std=1.0)) if "normalisation" in off else self

    def uncalibrated(self) -> Self:
        """The same network at temperature 1."""
        return replace(self, card=replace(self.card, temperature=1.0))


class _LinearInput(TorchFunctionMode):
    """Keeps the input of the `last` linear layer that ran; local to a thread, as a hook on a shared module is not."""

    last: Tensor

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is F.linear:
            self.last = args[0]
        return func(*args, **(kwargs or {}))


def shared_copy(model: nn.Module) -> nn.Module:
    """A copy of a network that shares its weights, for hooks and changes that must not affect other threads."""
    return copy.deepcopy(model, {id(weights): weights for weights in model.parameters()})
