"""Data-parallel training: a process group under torchrun, a single process by default.

Every step's batch is divided among the processes, each of which augments its part with randomness of its own. Rank 0
alone reads and writes states, validates and prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils._pytree import tree_map_only

from training.saved_run import Progress
from training.state import TrainingError

T = TypeVar("T")


class SingleProcess:
    """A training in one process; the operations of a process group are the identity."""

    rank, size, is_rank_0 = 0, 1, True

    def wrap(self, model: nn.Module) -> nn.Module:
        """The network whose gradients are averaged over all processes."""
        return model

    def part(self, batch: Tensor) -> Tensor:
        """The part of a batch that this process trains on."""
        return batch

    def sum(self, values: Tensor) -> Tensor:
        """The sum of values over all processes."""
        return values

    def any(self, flags: list[bool]) -> list[bool]:
        """For each flag, whether it is true in any process."""
        return flags

    def on_rank_0(self, action: Callable[[], T]) -> T | None:
        """The result of an action that rank 0 takes, None in the others; its TrainingError is raised in all."""
        return action()

    def resume(
        self, load: Callable[[], Progress], modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
    ) -> Progress:
        """Load a saved run into modules and optimizer with `load`; returns its progress."""
        return load()

    def leave(self) -> None:
        """Leave the group, after the last operation in it."""


class ProcessGroup(SingleProcess):
    """The processes that torchrun has started, on one machine or several."""

    def __init__(self, device: torch.device):
        # gloo beside nccl, for what is on the CPU: flags and states.
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.is_rank_0 = self.rank == 0
        self.device = device

    def wrap(self, model: nn.Module) -> nn.Module:
        return DistributedDataParallel(model, [self.device] if self.device.type == "cuda" else None)

    def part(self, batch: Tensor) -> Tensor:
        if len(batch) < self.size:
            raise TrainingError(
                f"{self.size} processes cannot share a batch of {len(batch)}; use fewer, or another --batch-size"
            )
        return batch[self.rank :: self.size]

    def sum(self, values: Tensor) -> Tensor:
        values = values.clone()
        dist.all_reduce(values)
        return values

    def any(self, flags: list[bool]) -> list[bool]:
        votes = torch.tensor(flags, dtype=torch.int32)
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        return votes.bool().tolist()

    def on_rank_0(self, action: Callable[[], T]) -> T | None:
        result, refusal = None, None
        if self.is_rank_0:
            try:
                result = action()
            except TrainingError as error:
                refusal = error
        if self.any([refusal is not None])[0]:
            raise refusal or TrainingError("rank 0 cannot go on; it reports why")
        return result

    def resume(
        self, load: Callable[[], Progress], modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
    ) -> Progress:
        """As in a single process. Rank 0 reads the file and broadcasts it; the other processes need no access to it."""
        run: list[Any] = [None]
        if progress := self.on_rank_0(load):
            states = {key: module.state_dict() for key, module in modules.items()}
            # On the CPU, as tensors of a GPU would arrive on that very GPU.
            run = [tree_map_only(Tensor, Tensor.cpu, (progress, states, optimizer.state_dict()))]
        dist.broadcast_object_list(run, device=torch.device("cpu"))
        progress, states, optimizer_state = run[0]
        if not self.is_rank_0:
            for key, module in modules.items():
                module.load_state_dict(states[key])
            optimizer.load_state_dict(optimizer_state)
        return progress

    def leave(self) -> None:
        # Threads of gloo that outlive the interpreter end a finished process with SIGABRT (pytorch/pytorch#179291).
        if dist.is_initialized():
            dist.destroy_process_group()


def join(device: torch.device) -> tuple[SingleProcess, torch.device]:
    """The process group of torchrun's environment, and this process's device.

    Raises TrainingError on MPS, and for more processes than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        return SingleProcess(), device
    if device.type == "mps":
        raise TrainingError("several processes cannot train on one MPS device; use --device cpu, or one process")
    if device.type == "cuda":
        device, gpus = torch.device("cuda", int(os.environ["LOCAL_RANK"])), torch.cuda.device_count()
        if device.index >= gpus:
            raise TrainingError(f"there are more processes than GPUs; use --nproc-per-node {gpus}, or --device cpu")
        torch.cuda.set_device(device)
    return ProcessGroup(device), device
