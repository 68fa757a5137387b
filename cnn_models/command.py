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

INTERRUPTED = 130  # the exit status of a command that Ctrl-C ended, as shells have it


def run(main: Callable[[], None]) -> None:
    """Call the main function of a command, whose output is UTF-8 in files and pipes and readable on any console.

    Ctrl-C, a reader that closes its pipe and a full GPU end it without a traceback; see `importing` for a command's
    imports.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="replace", line_buffering=True)
    try:
        main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
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
def importing() -> Iterator[None]:
    """While modules are imported: Ctrl-C ends the process at once, since an import can swallow KeyboardInterrupt."""
    before = signal.signal(signal.SIGINT, lambda *_: _end())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end() -> None:
    os.write(2, b"stopped\n")
    os._exit(INTERRUPTED)


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
    """A type of argparse: a finite number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number above 0")
    return number
