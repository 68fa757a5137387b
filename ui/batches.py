"""Questions of many visitors, answered in the order they came; those who want the same are answered together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")
MOST = 8  # questions at once: the first of them waits for the last


class Batches(Generic[Q, A]):
    """Calls `work` with the questions that wait for it and are `alike`, which costs less than one after another.

    First come, first answered, as many at once as there are cores: more would only slow each other.
    """

    def __init__(self, work: Callable[[list[Q]], list[A]], alike: Callable[[Q], Hashable]):
        self._work, self._alike = work, alike
        self._turns = ThreadPoolExecutor(os.cpu_count(), "batches")
        self._waiting: list[tuple[Hashable, Q, Future[A]]] = []
        self._lock = threading.Lock()

    def __call__(self, question: Q) -> A:
        """Its answer. Raises what `work` does."""
        answer: Future[A] = Future()
        with self._lock:
            self._waiting.append((self._alike(question), question, answer))
        self._turns.submit(self._next)
        return answer.result()

    def _next(self) -> None:
        with self._lock:
            if not self._waiting:  # an earlier turn took the question along
                return
            first = self._waiting[0][0]
            batch = [each for each in self._waiting if each[0] == first][:MOST]
            self._waiting = [each for each in self._waiting if each not in batch]
        _, questions, futures = zip(*batch, strict=True)
        try:
            for future, answer in zip(futures, self._work(list(questions)), strict=True):
                future.set_result(answer)
        except BaseException as error:  # it is theirs who wait, not this thread's
            for future in futures:
                if not future.done():
                    future.set_exception(error)
