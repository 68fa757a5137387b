"""Questions of many visitors, in rotation between them; those who want the same are answered together."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

from cnn_models.visitors import RoundRobin, Visitor

Q = TypeVar("Q")
A = TypeVar("A")
RECENT = 2.0  # seconds in which who has asked will ask again
MOST = 8  # questions at once: the first of them waits for the last


class _Waiting(NamedTuple):
    alike: Hashable
    question: object
    answer: Future


class Batches(Generic[Q, A]):
    """Calls `work` with the questions that wait for it and are `alike`, which costs less than one after another.

    As many calls at once as there are cores: more would only slow each other. Whose question it is, `by` says: a call
    takes one of each session, and while several addresses ask, one of each address, so that who asks a lot makes
    nobody else wait for more than one of theirs.
    """

    def __init__(self, work: Callable[[list[Q]], list[A]], alike: Callable[[Q], Hashable], by: Callable[[Q], Visitor]):
        self._work, self._alike, self._by = work, alike, by
        self._turns = ThreadPoolExecutor(os.cpu_count(), "batches")
        self._waiting: RoundRobin[_Waiting] = RoundRobin()
        self._lock = threading.Lock()

    def __call__(self, question: Q) -> A:
        """Its answer. Raises what `work` does."""
        answer: Future[A] = Future()
        with self._lock:
            self._waiting.put(self._by(question), _Waiting(self._alike(question), question, answer))
        self._turns.submit(self._next)
        return answer.result()

    def _next(self) -> None:
        with self._lock:
            batch = self._take()
        if not batch:  # an earlier turn took the question along
            return
        _, questions, futures = zip(*batch, strict=True)
        try:
            for future, answer in zip(futures, self._work(list(questions)), strict=True):
                future.set_result(answer)
        except BaseException as error:  # it is theirs who wait, not this thread's
            for future in futures:
                if not future.done():
                    future.set_exception(error)

    def _take(self) -> list[_Waiting]:
        """The question whose turn it is, and those of others that are answered with it."""
        chosen: list[Visitor] = []
        first, one_each = None, self._waiting.active(RECENT) > 1
        for visitor, waiting in self._waiting.heads():
            first = first or waiting
            is_served = one_each and any(visitor.address == other.address for other in chosen)
            if waiting.alike == first.alike and not is_served and len(chosen) < MOST:
                chosen.append(visitor)
        return [self._waiting.take(visitor) for visitor in chosen]
