"""Batches: concurrent requests of many visitors, computed together where they want the same networks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

from cnn_models.fair_queue import Activity, RoundRobin
from cnn_models.visitors import Visitor

Q = TypeVar("Q")
A = TypeVar("A")
MOST = 8  # requests in a batch: the first of them waits for the last


class _Waiting(NamedTuple, Generic[Q, A]):
    key: Hashable
    request: Q
    result: Future[A]


class Batches(Generic[Q, A]):
    """Calls `work` with lists of waiting requests that have the same `key`.

    At most one call runs for each core. A batch has one request of each session, and while several addresses are
    active, one of each address: a client that sends many delays others by one of its requests at most. Addresses that
    are active in other queues count too if these share the `activity`.
    """

    def __init__(
        self,
        work: Callable[[list[Q]], list[A]],
        key: Callable[[Q], Hashable],
        visitor: Callable[[Q], Visitor],
        activity: Activity | None = None,
    ):
        self._work, self._key, self._visitor = work, key, visitor
        cores = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(cores, "batches")
        self._free = cores
        self._waiting: RoundRobin[_Waiting[Q, A]] = RoundRobin(cores, activity)
        self._lock = threading.Lock()

    def __call__(self, request: Q) -> A:
        """The result of a request. Raises what `work` raises."""
        result: Future[A] = Future()
        with self._lock:
            self._waiting.put(self._visitor(request), _Waiting(self._key(request), request, result))
            self._start()
        return result.result()

    def _start(self) -> None:
        """Start as many batches as there are free cores. The caller holds the lock."""
        while self._free and (batch := self._take()):
            self._free -= 1
            self._pool.submit(self._compute, batch)

    def _compute(self, batch: dict[Visitor, _Waiting[Q, A]]) -> None:
        futures = [waiting.result for waiting in batch.values()]
        try:
            results = self._work([waiting.request for waiting in batch.values()])
            for future, result in zip(futures, results, strict=True):
                future.set_result(result)
        except BaseException as error:  # raised in the threads that wait
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        with self._lock:
            self._free += 1
            self._waiting.release(next(iter(batch)))
            self._start()

    def _take(self) -> dict[Visitor, _Waiting[Q, A]]:
        """The next batch, removed from the queue; empty if no request may start."""
        chosen: list[Visitor] = []
        key, one_each = None, self._waiting.active() > 1
        for visitor, waiting in self._waiting.heads():
            if not chosen:
                key = waiting.key
            is_served = one_each and any(visitor.address == other.address for other in chosen)
            if waiting.key == key and not is_served and len(chosen) < MOST:
                chosen.append(visitor)
        return {visitor: self._waiting.take(visitor, along=visitor != chosen[0]) for visitor in chosen}
