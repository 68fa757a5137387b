"""A stand-in for a GPU: tensors that computations keep apart from those on the CPU, where their values really are.

`torch._subclasses.FakeTensorMode` needs no GPU either, but its tensors have no values and no gradients. Here, whole
trainings run, and their results are comparable with the CPU's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

MOVES = {Tensor.to, Tensor.cpu}
TO_NUMPY = {Tensor.numpy, Tensor.__array__}
INDEXED = {Tensor.__getitem__, Tensor.__setitem__}  # by indices on any device
COPIES = {Tensor.copy_, Tensor.data.__set__, torch._has_compatible_shallow_copy_type}  # from any device


@contextmanager
def fake_device(name: str) -> Iterator[FakeDevice]:
    """In the context, `cuda`, `cuda:1` or `mps` is the name of a device that can be used."""
    autocast = torch.autocast
    with (
        FakeDevice(name) as mode,
        mock.patch("torch.autocast", lambda _, dtype: autocast("cpu", dtype)),
        mock.patch("torch.accelerator.synchronize") as mode.synchronize,
    ):
        yield mode


class FakeDevice(TorchFunctionMode):
    """Refuses what a device refuses: tensors of the CPU among its own, or as arrays; on MPS, float64 too.

    As on a device, the CPU's tensors with one value are allowed as numbers.
    """

    synchronize: mock.Mock

    def __init__(self, name: str):
        super().__init__()
        device = torch.device(name)
        self.device = torch.device(device.type, device.index or 0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        if func == Tensor.device.__get__:
            return self.device if is_on_device(args[0]) else func(*args)
        if func in MOVES:
            return self.move(func, *args, **kwargs)
        if func is torch.autograd.grad:  # its graph may extend over several devices
            return tuple(
                self.put(each) if is_on_device(to) else each
                for to, each in zip(args[1], func(*args, **kwargs), strict=True)
            )
        is_here = self.check(func, args, kwargs)
        if kwargs.get("device") is not None:
            is_here = self.is_named(kwargs["device"])
            kwargs["device"] = "cpu"
            if is_here and kwargs.get("generator"):
                raise RuntimeError(f"Expected a {self.device.type!r} generator device but found 'cpu'")
        result = func(*args, **kwargs)
        return self.put(result) if is_here else result

    def is_named(self, device: Any) -> bool:
        """Whether a device, or the name or index of one, is this one."""
        return torch.device(device).type == self.device.type

    def put(self, result: Any) -> Any:
        """The result of an operation, with its tensors on the device."""
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                if self.device.type == "mps" and tensor.dtype == torch.float64:
                    raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
                tensor.untyped_storage().is_on_device = True
        return result

    def move(self, func: Any, tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """The result of `Tensor.to` or `Tensor.cpu`; as on a device, a copy if it is on another device."""
        before = after = is_on_device(tensor)
        if func is Tensor.cpu:
            after = False
        elif args and isinstance(args[0], Tensor):
            after = is_on_device(args[0])
        elif (device := torch._C._nn._parse_to(*args, **kwargs)[0]) is not None:
            after = self.is_named(device)
            args, kwargs = tree_map_only((str, torch.device), lambda _: "cpu", (args, kwargs))
        result = func(tensor, *args, **kwargs)
        if before != after and result.data_ptr() == tensor.data_ptr():
            result = result.clone()
        return self.put(result) if after else result

    def check(self, func: Any, args: Any, kwargs: Any) -> bool:
        """Whether the tensors of an operation are on the device. Raises as the device does."""
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        here = [is_on_device(each) for each in tensors]
        if not any(here):
            return False
        if func in TO_NUMPY:
            raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first")
        if self.device.type == "mps" and func is functional.adaptive_avg_pool2d and args[0].shape[-1] % args[1]:
            raise RuntimeError("Adaptive pool MPS: input sizes must be divisible by output sizes")
        if func in COPIES or (func in INDEXED and here[0]):
            return here[0]
        others = [each for each, is_here in zip(tensors, here, strict=True) if not is_here]
        if any(each.ndim for each in others):
            raise RuntimeError(f"{func} expected all tensors on the same device, but found {self.device} and cpu")
        return True


def is_on_device(tensor: Tensor) -> bool:
    """Whether a tensor, or one that it is a view of, was put on a `FakeDevice`."""
    return getattr(tensor.untyped_storage(), "is_on_device", False)
