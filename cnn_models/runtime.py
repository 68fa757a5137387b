"""Where networks run: the clone, the device, the memory format and the memory, chosen in this one place."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

ZERO_GPU = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Whether this is a Space that has a GPU only while a function marked by `gpu_work` runs."""

CLONE = root if ((root := Path(__file__).parents[1]) / "app.py").is_file() else None
"""The folder of the clone, or of the Space, that this code is in; None where it is installed as a package."""

F = TypeVar("F", bound=Callable)


def best_device(name: str | None = None) -> torch.device:
    """The named device, else `CNN_DEVICE`, else CUDA (not a lent one), else MPS, else the CPU. Raises ValueError."""
    if name := name or os.environ.get("CNN_DEVICE"):
        try:
            return torch.empty(0, device=name).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"the device {name!r} cannot be used here; try cpu") from error
    if torch.cuda.is_available() and not ZERO_GPU:
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """The network on the device, in `channels_last`, in which convolutions run about twice as fast on a CPU."""
    return model.to(device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]  not in torch's hints


def keep_memory() -> None:
    """Let this process keep the memory it has freed, for the next tensors; where the C library is not glibc, nothing.

    glibc gives large blocks back at once, and every step of a training then waits for the kernel to clear the same
    pages again. A server should not call it: what it once took it never gives back.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt:
        mallopt(-4, 0)  # M_MMAP_MAX: no block is a mapping of its own
        mallopt(-1, -1)  # M_TRIM_THRESHOLD: the heap never shrinks


def trim_memory() -> None:
    """Give the memory that this process has freed back to the system; where the C library is not glibc, nothing.

    glibc keeps what many threads have freed in as many heaps, which grow apart while a server runs.
    """
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None:
        trim(0)


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a GPU was full. MPS has no exception of its own for that."""
    return isinstance(error, torch.OutOfMemoryError) or "MPS backend out of memory" in str(error)


def gpu_work(function: F) -> F:
    """Mark a function for which a ZeroGPU Space lends its GPU; anywhere else the function stays as it is."""
    if not ZERO_GPU:
        return function
    import spaces  # pyright: ignore[reportMissingImports]  which a Space has

    return spaces.GPU(function)
