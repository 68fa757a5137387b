"""The operations of one run of a network, as they happen: what each leaves, and how long it takes.

A TorchFunctionMode sees every tensor operation, whether a module or a plain function made it. It belongs to one thread
and changes nothing in the network, so a network that others use can be watched too.
"""

from __future__ import annotations

import time
from statistics import median

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

RUNS = 5  # of which a time is the median


class Operations(TorchFunctionMode):
    """Calls `record` for every operation that works on the image or on what came from it, in order."""

    def __init__(self, image: Tensor):
        super().__init__()
        self.tensors: list[Tensor] = [image]  # by number; kept, so that no id is used twice
        self.numbers = {id(image): 0}  # by id; an operation in place gives its tensor a new number
        self.clock = torch.get_device_module(image.device)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        start = time.perf_counter()
        result = func(*args, **kwargs)
        self.clock.synchronize()
        seconds = time.perf_counter() - start
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        made = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        reads = tuple(dict.fromkeys(self.numbers[id(t)] for t in given if id(t) in self.numbers))
        if reads and made:
            self.record(func.__name__, args, kwargs, reads, made, seconds)
            self.numbers |= {id(tensor): len(self.tensors) + i for i, tensor in enumerate(made)}
            self.tensors += made
        return result

    def record(self, function: str, args, kwargs: dict, reads: tuple[int, ...], made: list[Tensor], seconds: float):
        """One operation: the numbers of the tensors it reads, those it makes, and its time on a device that is done."""
        raise NotImplementedError


class _Outputs(Operations):
    def __init__(self, image: Tensor):
        super().__init__(image)
        self.outputs: list[Tensor] = []
        self.seconds: list[float] = []

    def record(self, function, args, kwargs, reads, made, seconds):
        self.outputs.append(made[0])
        self.seconds.append(seconds)


class _Copies(_Outputs):
    def record(self, function, args, kwargs, reads, made, seconds):
        super().record(function, args, kwargs, reads, [made[0].clone()], seconds)  # the next may work in place


def outputs(model: nn.Module, x: Tensor) -> list[Tensor]:
    """What every step of a run on N x 1 x S x S leaves, by `Layer.index`: N x C x H x W, or N x C once flat."""
    with torch.inference_mode(), _Copies(x) as run:
        model(x)
    return run.outputs


def milliseconds(model: nn.Module, x: Tensor, runs: int = RUNS) -> list[float]:
    """The median time of every step over some runs, after one to warm up, by `Layer.index`."""
    times = []
    with torch.inference_mode():
        for _ in range(runs + 1):
            with _Outputs(x) as run:
                model(x)
            times.append(run.seconds)
    return [1000 * median(step) for step in zip(*times[1:], strict=True)]
