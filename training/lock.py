"""Locks: one command at a time writes a checkpoint or a file of measurements."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cnn_models.checkpoints.runs import UNFINISHED
from training.process_group import SingleProcess
from training.state import TrainingError

SUFFIX = ".lock"


@contextmanager
def writing(path: Path, group: SingleProcess | None = None) -> Iterator[None]:
    """Hold the lock of a checkpoint folder or a file, from before it is read until it is written.

    The operating system releases it when the process ends or is killed; the empty lock file stays. Rank 0 of a process
    group takes it. Raises TrainingError, in all processes, where another command holds it.
    """
    group, refusal = group or SingleProcess(), None
    with ExitStack() as held:
        if group.is_rank_0:
            try:
                held.enter_context(_locked(path))
            except TrainingError as error:
                refusal = error
        if group.any([refusal is not None])[0]:
            raise refusal or TrainingError(f"rank 0 could not lock {path}")
        yield


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    file = path.parent / UNFINISHED / f"{path.name}{SUFFIX}"
    lock = FileLock(file, timeout=0)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"another command is at work on {path}; run this one when that has ended, or write to another folder"
        ) from error
    except (OSError, NotImplementedError) as error:  # the latter where the file system has no locks
        raise TrainingError(f"{file} could not be locked ({error}); write to a folder with write permission") from error
    try:
        yield
    finally:
        lock.release()
