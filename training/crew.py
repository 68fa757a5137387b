"""Who trains a network together: one process by default, several under torchrun."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch import Tensor, nn

from training.state import Progress, TrainingError


class Alone:
    """One process: what a crew does, with nobody else in it."""

    rank, size, first = 0, 1, True

    def wrap(self, model: nn.Module) -> nn.Module:
        """The network whose gradients are those of the whole crew."""
        return model

    def part(self, batch: Tensor) -> Tensor:
        """The part of a batch that is this process's own."""
        return batch

    def sum(self, values: Tensor) -> Tensor:
        """Values added up over the crew."""
        return values

    def any(self, flags: list[bool]) -> list[bool]:
        """Flags that are up if anybody's is."""
        return flags

    def resume(
        self, load: Callable[[], Progress], modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
    ) -> Progress:
        """Load a saved run into modules and optimiser, and return how far it was."""
        return load()


def join(device: torch.device) -> tuple[Alone, torch.device]:
    """The crew that torchrun's environment tells of, and this process's device. Raises TrainingError."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return Alone(), device
    from training.distributed import Crew

    if device.type == "mps":
        raise TrainingError("several processes cannot train on one MPS device; use --device cpu, or one process")
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    return Crew(device), device
