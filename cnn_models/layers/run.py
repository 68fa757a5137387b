"""Outputs and times of the tensor operations of a forward pass.

A TorchFunctionMode intercepts every operation, of modules and plain functions. It is local to a thread and does not
change the network, which other threads may use meanwhile.
"""

from __future__ import annotations

import time
from statistics import median

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from cnn_models.runtime import synchronize

RUNS = 5  # for the median time
MOVES = (Tensor.cpu, Tensor.to)  # no steps of a network, which has the same ones on every device


class Operations(TorchFunctionMode):
    """Calls `record` for every operation on the image, or on tensors computed from it, in order."""

    def __init__(self, image: Tensor):
        super().__init__()
        self.tensors: list[Tensor] = [image]  # by number; referenced, so that no id is reused
        self.moved: list[Tensor] = []  # to another device, with the number that they had
        self.numbers = {id(image): 0}  # by id; an in-place operation gives its tensor a new number
        self.device = image.device

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        start = time.perf_counter()
        result = func(*args, **kwargs)
        synchronize(self.device)
        seconds = time.perf_counter() - start
        given = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        made = [t for t in tree_leaves(result) if isinstance(t, Tensor)]
        reads = tuple(dict.fromkeys(self.numbers[id(t)] for t in given if id(t) in self.numbers))
        if reads and func in MOVES:
            self.numbers[id(result)] = reads[0]
            self.moved.append(result)
        elif reads and made:
            self.record(func.__name__, args, kwargs, reads, made, seconds)
            self.numbers |= {id(tensor): len(self.tensors) + i for i, tensor in enumerate(made)}
            self.tensors += made
        return result

    def record(self, function: str, args, kwargs: dict, reads: tuple[int, ...], made: list[Tensor], seconds: float):
        """An operation: the numbers of its input tensors, its outputs, and its time until the device has finished."""
        raise NotImplementedError


class _Outputs(Operations):
    def __init__(self, image: Tensor):
        super().__init__(image)
        self.outputs: list[Tensor] = []

    def record(self, function, args, kwargs, reads, made, seconds):
        self.outputs.append(made[0].clone())  # the next may be in place


class _Times(Operations):
    def __init__(self, image: Tensor):
        super().__init__(image)
        self.seconds: list[float] = []

    def record(self, function, args, kwargs, reads, made, seconds):
        self.seconds.append(seconds)


def outputs(model: nn.Module, x: Tensor) -> list[Tensor]:
    """The output of every step for an input N x 1 x S x S, by `Layer.index`: N x C x H x W, or N x C once flat."""
    with torch.inference_mode(), _Outputs(x) as run:
        model(x)
    return run.outputs


def milliseconds(model: nn.Module, x: Tensor, runs: int = RUNS) -> list[float]:
    """The median time of every step, by `Layer.index`, over `runs` after one to warm up."""
    times = []
    with torch.inference_mode():
        for _ in range(runs + 1):
            with _Times(x) as run:
                model(x)
            times.append(run.seconds)
    return [1000 * median(step) for step in zip(*times[1:], strict=True)]
