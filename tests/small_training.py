"""A real training on a few real pictures: what `training.train` does, with fewer of them and every step saved.

    python -m tests.small_training mini_resnet.mnist ...

`Training` forks its process from one that has imported torch already: that takes longer than the training.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from pathlib import Path

from training import data, loop, train

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(["tests.small_training"])


def small(*args) -> tuple[data.Pictures, data.Pictures]:
    trained, held_out = data.split(*args)
    return trained[:600], held_out[:200]


def main(arguments: list[str] | None = None) -> None:
    train.split, loop.SAVE_EVERY = small, 0
    train.main(arguments)


def forked(arguments: list[str], environment: dict[str, str], said: str) -> None:
    """Train in this process; what it says goes to a file."""
    os.environ.update(environment)
    file = os.open(said, os.O_WRONLY)
    os.dup2(file, 1)
    os.dup2(file, 2)
    main(arguments)


class Training:
    """The process of a training, used as a subprocess.Popen is."""

    def __init__(self, *arguments: str):
        file, self.said = tempfile.mkstemp()
        os.close(file)
        self.process = FORKING.Process(target=forked, args=(arguments, dict(os.environ), self.said))
        self.process.start()

    def poll(self) -> int | None:
        return self.process.exitcode

    returncode = property(poll)

    def send_signal(self, signal: int) -> None:
        os.kill(self.process.pid, signal)

    def kill(self) -> None:
        self.process.kill()

    def communicate(self, timeout: float | None = None) -> tuple[str]:
        """What it said. Raises TimeoutError."""
        self.process.join(timeout)
        if self.poll() is None:
            raise TimeoutError(f"it still runs; what it said is in {self.said}")
        said = Path(self.said).read_text()
        Path(self.said).unlink()
        return (said,)


if __name__ == "__main__":
    main()
