"""Who the current work is done for, and how much of what visitors share each of them gets."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

VISITOR: ContextVar[str] = ContextVar("visitor", default="")
"""The visitor whose request is answered, as the web layer names it; empty for a trusted caller, who has no limits."""

HOUR = 3600  # seconds
REMEMBERED = 10_000  # visitors; beyond that, the least recently used are evicted


def map_in_context(pool: Executor, function: Callable[[A], B], values: Iterable[A]) -> list[B]:
    """`function` of each value, computed in the pool on behalf of the caller's visitor. Raises the first's error."""
    futures = [pool.submit(copy_context().run, function, value) for value in values]
    return [future.result() for future in futures]


class Hourly:
    """At most `most` events an hour of each visitor, safe to share among threads."""

    def __init__(self, most: int):
        self.most = most
        self._times: dict[str, deque[float]] = {}  # the last used at the end
        self._lock = threading.Lock()

    def take(self, visitor: str) -> float:
        """Count one more event and return 0; or, if there were too many, return the seconds until the next may be."""
        now = time.monotonic()
        with self._lock:
            times = self._times[visitor] = self._times.pop(visitor, None) or deque(maxlen=self.most)
            if len(times) == self.most and (left := times[0] + HOUR - now) > 0:
                return left
            times.append(now)
            while len(self._times) > REMEMBERED:
                del self._times[next(iter(self._times))]
            return 0


class Places:
    """Places for work that takes long: so many in all, and so many for one visitor. Who finds none waits."""

    def __init__(self, count: int, each: int):
        self._count, self._each = count, each
        self._taken: Counter[str] = Counter()
        self._changed = threading.Condition()

    @contextmanager
    def place(self, visitor: str) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: self._is_free(visitor))
            self._taken[visitor] += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken[visitor] -= 1
                self._taken += Counter()  # forgets who has none
                self._changed.notify_all()

    def _is_free(self, visitor: str) -> bool:
        return self._taken.total() < self._count and not (visitor and self._taken[visitor] >= self._each)
