"""The device, the memory format and the memory."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Whether this is a ZeroGPU Space, which has a GPU only while a function marked by `gpu_work` runs."""

F = TypeVar("F", bound=Callable)


def best_device(name: str | None = None) -> torch.device:
    """The named device, else `CNN_DEVICE`, else CUDA (but not ZeroGPU), else MPS, else the CPU. Raises ValueError."""
    if name := name or os.environ.get("CNN_DEVICE"):
        try:
            probe = torch.ones(1, device=name)
            probe.item()  # a GPU that is too old for this torch allocates, but does not compute
            return probe.device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"the device {name!r} cannot be used here; try cpu") from error
    if torch.cuda.is_available() and not ZERO_GPU:
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """The network on the device in `channels_last`, which about doubles the speed of convolutions on a CPU."""
    return model.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  not in torch's hints


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished; `torch.cuda.synchronize()` would wait for the first of several GPUs."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def keep_memory() -> None:
    """Let glibc keep freed memory for the next tensors; without effect on other C libraries.

    By default glibc returns large blocks at once, and every training step waits for the kernel to clear the same pages
    again. Not for a server, whose memory would never shrink.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt:
        mallopt(-4, 0)  # M_MMAP_MAX: no block is a mapping of its own
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: the heap never shrinks


def trim_memory() -> None:
    """Return freed memory to the system; without effect where the C library is not glibc.

    glibc keeps freed memory in a heap for each thread, and these grow while a server runs.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None:
        trim(0)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether the error means that a GPU is full. MPS has no exception type for that."""
    return isinstance(error, torch.OutOfMemoryError) or "MPS backend out of memory" in str(error)


def gpu_work(function: F) -> F:
    """The function, run with a GPU on a ZeroGPU Space; anywhere else unchanged."""
    if not ZERO_GPU:
        return function
    import spaces  # pyright: ignore[reportMissingImports]  installed on Spaces

    return spaces.GPU(function)
