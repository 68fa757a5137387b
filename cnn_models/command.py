"""What the commands share. It imports little: a command parses its arguments first and imports what it needs later."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.folders import default_weights_dir

INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended, as shells have it


def run(main: Callable[[], None], stopped: str = "stopped") -> None:
    """Call the main function of a command, whose output is UTF-8 in files and pipes and readable on any console.

    Ctrl-C ends it with the sentence `stopped`, a full GPU with the way out, and a reader that closes its pipe without a
    word; `ending_at_once` is for a command's imports.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace", line_buffering=True)
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        sys.exit(INTERRUPTED)
    except RuntimeError as error:
        from cnn_models.runtime import is_out_of_memory  # imports torch

        if not is_out_of_memory(error):
            raise
        sys.exit("error: the memory of the GPU is full; free some, train in smaller batches, or set CNN_DEVICE=cpu")
    except BrokenPipeError:
        # Python flushes stdout once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def ending_at_once(stopped: str = "stopped") -> Iterator[None]:
    """Ctrl-C ends the process at once, with a sentence, where imports or libraries could swallow KeyboardInterrupt."""

    def end(*_: object) -> None:
        os.write(2, f"{stopped}\n".encode())
        os._exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def whole(least: int, most: int) -> Callable[[str], int]:
    """A type of argparse: a whole number between two limits, both included."""

    def parse(text: str) -> int:
        # int() of a long text takes quadratic time.
        number = int(text) if len(text) <= 20 and re.fullmatch(r"-?[0-9]+", text) else None
        if number is None or not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r:.40} is not a whole number from {least} to {most}")
        return number

    return parse


def positive(text: str) -> float:
    """A type of argparse: a number above 0, so far within float32 that its products are too."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1e30:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number above 0 and of at most 1e30")
    return number


def folder(text: str) -> Path:
    """A type of argparse: a folder, which may be missing, but neither it nor one that it is in is a file."""
    path = Path(text)
    there = next(each for each in (path, *path.absolute().parents) if os.path.lexists(each))
    if not there.is_dir():
        raise argparse.ArgumentTypeError(f"{there} is not a folder; give a folder, or the name of a new one")
    return path


def file(text: str) -> Path:
    """A type of argparse: a file that exists."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}; give one that exists")
    return Path(text)


def checkpoint_id(text: str) -> str:
    """A type of argparse: the id of a checkpoint of this project, such as lenet5.mnist."""
    if text not in BUILT_IN:
        raise argparse.ArgumentTypeError(f"unknown checkpoint {text!r}; known are {', '.join(BUILT_IN)}")
    return text


def weights() -> dict[str, Any]:
    """The settings of the option `--weights`, for `add_argument`."""
    return {"type": folder, "default": str(default_weights_dir()), "help": "the folder with the checkpoints"}
