"""From a call of a torch function to the operation: its kind, window and MACs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

Shape = tuple[int, ...]
Pair = tuple[int, int]

# Kinds that differ from the name of the function.
KINDS = {
    "conv": "convolution", "maxpool": "max-pool", "avgpool": "average pool", "adaptivemaxpool": "adaptive max-pool",
    "adaptiveavgpool": "adaptive average pool", "batchnorm": "batch norm", "relu": "ReLU", "cat": "concatenate",
    "iadd": "add",
}  # fmt: skip
# The positional arguments of operations with settings.
ARGUMENTS = {
    "conv": ("input", "weight", "bias", "stride", "padding", "dilation"),
    "linear": ("input", "weight"),
    "maxpool": ("input", "kernel_size", "stride", "padding", "dilation"),
    "avgpool": ("input", "kernel_size", "stride", "padding"),
}


class Operation(NamedTuple):
    """Kernel, stride, padding, dilation: (height, width), None without windows of equal size; `macs` of one image."""

    kind: str
    macs: int = 0
    kernel: Pair | None = None
    stride: Pair | None = None
    padding: Pair | None = None
    dilation: Pair | None = None


def read(function: str, args: tuple, kwargs: dict, before: Shape, after: Shape) -> Operation:
    """The operation of a torch function, by its name and arguments, from shape `before` to `after`, C x H x W or C.

    An adaptive pool becomes the equivalent fixed one, if there is one.
    """
    key = function.strip("_").lower().replace("_", "").removesuffix("2d")
    kind = KINDS.get(key, function.strip("_").replace("_", " "))
    settings = dict(zip(ARGUMENTS.get(key, ()), args, strict=False)) | kwargs
    if key == "linear":
        return Operation(kind, math.prod(after) * settings["weight"].shape[1])
    if key == "conv":
        weight = settings["weight"]  # out x in x H x W
        kernel, stride, macs = tuple(weight.shape[2:]), settings.get("stride", 1), math.prod(after) * weight[0].numel()
    elif key in ("maxpool", "avgpool"):
        kernel, macs = _pair(settings["kernel_size"]), 0
        stride = settings.get("stride") or kernel
    elif key.startswith("adaptive"):
        if after[1:] == (1, 1):
            kind = kind.replace("adaptive", "global")
        if any(b % a for b, a in zip(before[1:], after[1:], strict=True)):
            return Operation(kind)
        tile = (before[1] // after[1], before[2] // after[2])
        return Operation(kind, 0, tile, tile, (0, 0), (1, 1))
    else:
        return Operation(kind)
    padding, dilation = settings.get("padding", 0), _pair(settings.get("dilation", 1))
    if isinstance(padding, str):
        padding = tuple(d * (k // 2) for k, d in zip(kernel, dilation, strict=True)) if padding == "same" else 0
    return Operation(kind, macs, kernel, _pair(stride), _pair(padding), dilation)


def _pair(value: int | Sequence[int]) -> Pair:
    height, width = (value, value) if isinstance(value, int) else value
    return height, width
