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

# Numbers of parameters in glibc's malloc.h.
MALLOPT = {"M_TRIM_THRESHOLD": -1, "M_MMAP_THRESHOLD": -3, "M_MMAP_MAX": -4, "M_ARENA_MAX": -8}

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
    again. Not for a server, see `return_memory`.
    """
    _set_glibc(M_MMAP_MAX=0, M_TRIM_THRESHOLD=-1)  # no block is a mapping of its own, and the heap never shrinks


def return_memory() -> None:
    """Let glibc return the memory of freed tensors to the system; without effect on other C libraries.

    By default each thread of a server has a heap of its own, and these keep blocks of up to 32 MB. Blocks under 4 MB
    are kept: returning those too makes predictions of several drawings a tenth slower. Called before threads start.
    """
    _set_glibc(M_ARENA_MAX=1, M_MMAP_THRESHOLD=4 * 2**20, M_TRIM_THRESHOLD=16 * 2**20)


def trim_memory() -> None:
    """Return the memory that is free at this moment; without effect where the C library is not glibc."""
    if trim := _c_function("malloc_trim"):
        trim(0)


def _set_glibc(**values: int) -> None:
    if mallopt := _c_function("mallopt"):
        for name, value in values.items():
            mallopt(MALLOPT[name], value)


def _c_function(name: str) -> Callable | None:
    return getattr(ctypes.CDLL(None), name, None) if os.name == "posix" else None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether the error means that a GPU is full. MPS has no exception type for that."""
    return isinstance(error, torch.OutOfMemoryError) or "MPS backend out of memory" in str(error)


def gpu_work(function: F) -> F:
    """The function, run with a GPU on a ZeroGPU Space; anywhere else unchanged."""
    if not ZERO_GPU:
        return function
    import spaces  # pyright: ignore[reportMissingImports]  installed on Spaces

    return spaces.GPU(function)
