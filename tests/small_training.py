"""The commands of `training` on a few real images, with a state saved after every step.

    python -m tests.small_training mini_resnet.mnist ...

`Training` forks its processes from one that has imported torch already: importing it takes longer than the training.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

from training import data, depth_study, saver, study, train, trainer

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.small_training"])


def small(*args) -> tuple[data.LabelledImages, data.LabelledImages]:
    images, validation = data.split(*args)
    return images[:600], validation[:200]


def main(arguments: list[str] | None = None) -> None:
    trainer.split, saver.SAVE_EVERY = small, 0
    train.main(arguments)


def small_study(arguments: list[str]) -> None:
    """A depth study of two networks of 8 layers, in float32: many processors only emulate bfloat16."""
    study.split, saver.SAVE_EVERY = small, 0
    study.DEPTH_STUDY = dataclasses.replace(study.DEPTH_STUDY, precision="float32")
    study.NETWORKS = ((8, False, True), (8, True, False))
    depth_study.main(arguments)


def forked(command: Callable, arguments: tuple[str, ...], environment: dict[str, str], output: str) -> None:
    """Run a command in this process; its output is appended to a file."""
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    command(list(arguments))


def group(count: int) -> list[dict[str, str]]:
    """The environment of each process of a group, as torchrun sets it."""
    if count == 1:
        return [{}]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(count)}
    return [shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(count)]


class Training:
    """The processes of a training, with the methods of a subprocess.Popen."""

    def __init__(self, *arguments: str, command: Callable = main, count: int = 1):
        file, self.output = tempfile.mkstemp()
        os.close(file)
        self.processes = [
            FORKING.Process(target=forked, args=(command, arguments, dict(os.environ) | each, self.output))
            for each in group(count)
        ]
        for process in self.processes:
            process.start()

    def poll(self) -> int | None:
        """The exit code of the first process that failed, or 0; None while one runs."""
        codes = [process.exitcode for process in self.processes]
        return None if None in codes else next(filter(None, codes), 0)

    returncode = property(poll)

    def send_signal(self, signal: int) -> None:
        for process in self.processes:
            os.kill(process.pid, signal)

    def kill(self) -> None:
        for process in self.processes:
            process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str]:
        """Standard output and error. Raises TimeoutError."""
        for process in self.processes:
            process.join(timeout)
        if self.poll() is None:
            raise TimeoutError(f"it still runs; its output is in {self.output}")
        output = Path(self.output).read_text(encoding="utf-8")
        Path(self.output).unlink()
        return (output,)


if __name__ == "__main__":
    main()
