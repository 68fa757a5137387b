"""Decoding of files from untrusted clients in worker processes with limits on time and memory.

`python -m cnn_models.images.worker` is such a process: it reads files from stdin and writes their pixels to stdout,
each message as a line of JSON and the bytes that the line announces. Its output is checked as untrusted input, as a
file may have exploited the decoder.
"""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

import numpy as np

from cnn_models.fair_queue import RoundRobin
from cnn_models.images.decode import LONGEST, Decoded, ImageError, content_of, read
from cnn_models.images.structure import CHEAP_BYTES, is_cheap
from cnn_models.visitors import VISITOR, Visitor

try:
    import resource
except ImportError:  # on Windows, where only the wall clock limits a worker
    resource = None

WORKERS = max(1, (os.cpu_count() or 1) // 2)  # the other cores are for the networks
CPU_SECONDS = 5  # for a file; the largest accepted images need one or two
MEMORY = 3 * 2**29  # bytes of address space
SECONDS = 20  # for a file, on the wall clock
START_SECONDS = 60  # until a worker has started, on a busy machine
PATIENCE = 10  # seconds to wait for a free worker
WAITING = 8  # files of one address that may wait for a worker: each holds one of the server's threads
LONGEST_LINE = 10_000  # bytes
KEPT = ("PATH", "PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")  # of the environment: no tokens
ROOT = Path(__file__).parents[2]

log = logging.getLogger(__name__)


def decode_untrusted(source: bytes | Path, off: Collection[str] = ()) -> np.ndarray:
    """The luminance of a file, H x W uint8, in a worker process unless the file is cheap. Raises ImageError."""
    return read_untrusted(source, off).luminance


def read_untrusted(source: bytes | Path, off: Collection[str] = ()) -> Decoded:
    """`decode.read` of a file, in a worker process unless the file is cheap. Raises ImageError."""
    if not _is_large(source):
        source = content_of(source)
        if is_cheap(source):
            return read(source, off)
    return _workers.read(source, off)


def _is_large(source: bytes | Path) -> bool:
    """Whether a file is too large to be cheap; False if there is none."""
    if isinstance(source, bytes):
        return len(source) > CHEAP_BYTES
    with suppress(OSError):
        return source.stat().st_size > CHEAP_BYTES
    return False


class Workers:
    """Up to `count` worker processes, each started when needed, and replaced after it has ended."""

    def __init__(
        self,
        count: int = WORKERS,
        cpu_seconds: int = CPU_SECONDS,
        memory: int = MEMORY,
        seconds: float = SECONDS,
        patience: float = PATIENCE,
        waiting: int = WAITING,
    ):
        self._limits, self._seconds, self._patience = (cpu_seconds, memory), seconds, patience
        self._free: list[_Worker | None] = [None] * count  # running ones are at the end and are taken first
        self._waiting: RoundRobin[Future[_Worker | None]] = RoundRobin(count)
        self._most_waiting, self._lock = waiting, threading.Lock()

    def read(self, source: bytes | Path, off: Collection[str] = ()) -> Decoded:
        """`decode.read` of a file in a worker. Raises ImageError, also where no worker becomes free in time."""
        kept = worker = self._take(visitor := VISITOR.get())
        try:
            content = content_of(source)  # only now, so that files that wait are not in memory
            kept = None
            if not (worker and worker.is_running):
                worker = _Worker(*self._limits)
            found = worker.read(content, "orientation" in off, self._seconds)
            kept = worker
        except ImageError:
            raise
        except Exception as error:  # it has ended, or its output is invalid
            log.warning("a worker that decodes images is replaced: %r", error)
            raise ImageError("image.slow") from None
        finally:
            if worker and not kept:
                worker.end()
            self._give(visitor, kept)
        if isinstance(found, ImageError):
            raise found
        return found

    def end(self) -> None:
        """End the free workers; the others end with this process, as it closes their stdin."""
        with self._lock:
            free, self._free = self._free, []
        for worker in filter(None, free):
            worker.end()

    def _take(self, visitor: Visitor) -> _Worker | None:
        """A running worker, or None as a place to start one, in turns between visitors. Raises ImageError."""
        turn: Future[_Worker | None] = Future()
        with self._lock:
            if is_let_in := self._waiting.count(visitor.address) < self._most_waiting:
                self._waiting.put(visitor, turn)
                self._serve()
        with suppress(TimeoutError):
            if is_let_in:
                return turn.result(self._patience)
        with self._lock:
            self._waiting.remove(visitor, turn)
            if turn.done():  # a worker became free at this moment
                return turn.result()
        raise ImageError("image.busy")

    def _give(self, visitor: Visitor, worker: _Worker | None) -> None:
        with self._lock:
            self._free.append(worker)
            self._waiting.release(visitor)
            self._serve()

    def _serve(self) -> None:
        while self._free and (visitor := self._waiting.next()):
            self._waiting.take(visitor).set_result(self._free.pop())


class _Worker:
    """A worker process. After it has failed, its methods raise errors of any type."""

    def __init__(self, cpu_seconds: int, memory: int):
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        process = subprocess.Popen(
            [sys.executable, "-m", "cnn_models.images.worker", str(cpu_seconds), str(memory)],
            cwd=ROOT,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | threads,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._process = process
        self._requests, self._replies = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
        try:
            with self._ended_after(START_SECONDS):
                _receive(self._replies)
        except BaseException:
            self.end()
            raise

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def read(self, content: bytes, as_it_is: bool, seconds: float) -> Decoded | ImageError:
        """`decode.read` of a file, or its ImageError."""
        with self._ended_after(seconds):
            _send(self._requests, {"bytes": len(content), "as_it_is": as_it_is}, content)
            reply = _receive(self._replies)
            if "code" in reply:
                return ImageError(reply["code"], **reply["values"])
            height, width, *channels = shape = reply["shape"]
            if not all(0 < side <= LONGEST for side in (height, width)) or channels not in ([], [3], [4]):
                raise ValueError("not the shape of an image")
            pixels = np.frombuffer(_exactly(self._replies, math.prod(shape)), np.uint8)
            return Decoded(pixels.reshape(shape), reply["is_turned"] is True)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._requests, self._replies):
            with suppress(OSError):  # flushing fails after the process has ended
                pipe.close()

    @contextmanager
    def _ended_after(self, seconds: float) -> Iterator[None]:
        """Kill the worker after this time, so that a read of its output ends."""
        timer = threading.Timer(seconds, self._process.kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _send(pipe: IO[bytes], head: dict, body: bytes | memoryview = b"") -> None:
    pipe.write(json.dumps(head).encode() + b"\n")
    pipe.write(body)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> dict:
    line = pipe.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise EOFError
    return json.loads(line)


def _exactly(pipe: IO[bytes], count: int) -> bytes:
    if len(content := pipe.read(count)) < count:
        raise EOFError
    return content


def _limit(memory: int) -> None:
    """Limit the memory and lower the priority of this process."""
    if hasattr(os, "nice"):
        os.nice(10)
    for kind, most in (("AS", memory), ("CORE", 0), ("FSIZE", 0)):
        _set_limit(kind, most)


def _limit_time(seconds: int) -> None:
    """Limit this process to so many more seconds of CPU time."""
    if resource:
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _set_limit("CPU", math.ceil(used + seconds))


def _set_limit(kind: str, most: int) -> None:
    """Set a limit if the system allows it; of CPU time only the soft one, which is raised for the next file."""
    if not resource:
        return
    with suppress(AttributeError, OSError, ValueError):
        limit = getattr(resource, f"RLIMIT_{kind}")
        resource.setrlimit(limit, (most, resource.getrlimit(limit)[1] if kind == "CPU" else most))


def main() -> None:
    """Decode the files from stdin, one after another, until its end."""
    # without these three, pillow would import all its plugins
    from PIL import AvifImagePlugin, TiffImagePlugin, WebPImagePlugin  # noqa: F401

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    with suppress(ImportError):  # before memory is limited
        import pillow_heif

        pillow_heif.options.DECODE_THREADS = 1
        pillow_heif.options.THUMBNAILS = pillow_heif.options.DEPTH_IMAGES = pillow_heif.options.AUX_IMAGES = False
    cpu_seconds, memory = map(int, sys.argv[1:])
    requests, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # output of libraries is no reply
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and thereby this process
    _limit(memory)
    _send(replies, {"ready": True})
    while line := requests.readline():
        request = json.loads(line)
        content = _exactly(requests, request["bytes"])
        _limit_time(cpu_seconds)
        _answer(replies, content, ("orientation",) if request["as_it_is"] else ())


def _answer(replies: IO[bytes], content: bytes, off: Collection[str]) -> None:
    try:
        image = read(content, off)
    except ImageError as error:
        _send(replies, {"code": error.code, "values": error.values})
    else:
        _send(replies, {"shape": image.pixels.shape, "is_turned": image.is_turned}, image.pixels.data)


_workers = Workers()
atexit.register(_workers.end)

if __name__ == "__main__":
    main()
