"""Locks: one command at a time writes a checkpoint or a file of measurements, and only where it can write."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from filelock import FileLock, Timeout

from cnn_models.checkpoints.runs import UNFINISHED
from training.process_group import SingleProcess
from training.state import TrainingError

SUFFIX = ".lock"
BLOCK = 4096  # bytes that are written to find whether a folder can be written to


@contextmanager
def writing(path: Path, group: SingleProcess | None = None, size: int = 0) -> Iterator[None]:
    """Hold the lock of a checkpoint folder or a file, from before it is read until it is written.

    The operating system releases it when the process ends or is killed; the empty lock file stays. Rank 0 of a process
    group takes it. Raises TrainingError, in all processes, where another command holds it, or where it could not be
    written in the end, in `size` bytes.
    """
    with ExitStack() as held:
        (group or SingleProcess()).on_rank_0(lambda: held.enter_context(_locked(path, size)))
        yield


@contextmanager
def _locked(path: Path, size: int) -> Iterator[None]:
    file = path.parent / UNFINISHED / f"{path.name}{SUFFIX}"
    check_writable(file.parent)
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"another command is at work on {path}; run this one when that has ended, or write to another folder"
        ) from error
    except (OSError, NotImplementedError) as error:  # the latter where the file system has no locks
        raise TrainingError(f"{file} could not be locked ({error}); write to another folder") from error
    try:
        for folder in (path.parent, path) if path.is_dir() else (path.parent,):
            check_writable(folder, size)
        yield
    finally:
        lock.release()


def check_writable(folder: Path, size: int = 0) -> None:
    """Raise TrainingError unless files of `size` bytes in all can be written to a folder, which is made if missing.

    A file is written, as neither permissions nor free space decide on network shares, for root and under a quota.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(prefix=".", suffix=".new", dir=folder) as file:
            file.write(bytes(BLOCK))
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "make room" if full else "get write permission for it, or choose another folder"
        raise TrainingError(f"{folder} cannot be written to ({error.strerror or error}); {remedy}") from error
    if free < size:
        need = f"{free / 1e6:,.0f} MB are free, {size / 1e6:,.0f} MB are needed"
        raise TrainingError(f"{folder} is on a disk that is too full ({need}); make room, or choose another folder")
