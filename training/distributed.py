"""Several processes under torchrun: data-parallel, every step's batch shared out among them.

The processes differ in nothing but their part of a batch and the randomness of its augmentation; the first one alone
reads and writes states, validates and prints.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils._pytree import tree_map_only

from training.crew import Alone
from training.state import Progress, TrainingError


class Crew(Alone):
    """The processes that torchrun has started, on one machine or several."""

    def __init__(self, device: torch.device):
        # gloo beside nccl, for what is on the CPU: flags and states.
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        self.rank, self.size = dist.get_rank(), dist.get_world_size()
        self.first = self.rank == 0
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

    def resume(
        self, load: Callable[[], Progress], modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
    ) -> Progress:
        """As with one process; the file is the first process's, the others need not see its disk."""
        run = [None]
        if self.first:
            progress = load()
            states = {key: module.state_dict() for key, module in modules.items()}
            # On the CPU, as tensors of a GPU would arrive on that very GPU.
            run = [tree_map_only(Tensor, Tensor.cpu, (progress, states, optimizer.state_dict()))]
        dist.broadcast_object_list(run, device=torch.device("cpu"))
        progress, states, optimizer_state = run[0]
        if not self.first:
            for key, module in modules.items():
                module.load_state_dict(states[key])
            optimizer.load_state_dict(optimizer_state)
        return progress
