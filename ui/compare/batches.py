"""Questions of many visitors, in rotation between them; those who want the same are answered together."""

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
MOST = 8  # questions at once: the first of them waits for the last


class _Waiting(NamedTuple):
    alike: Hashable
    question: object
    answer: Future


class Batches(Generic[Q, A]):
    """Calls `work` with the questions that wait for it and are `alike`, which costs less than one after another.

    As many calls at once as there are cores: more would only slow each other. Whose question it is, `by` says: a call
    takes one of each session, and while several addresses ask, one of each address, so that who asks a lot makes
    nobody else wait for more than one of theirs. Visitors of other work count too, where the `activity` is shared.
    """

    def __init__(
        self,
        work: Callable[[list[Q]], list[A]],
        alike: Callable[[Q], Hashable],
        by: Callable[[Q], Visitor],
        activity: Activity | None = None,
    ):
        self._work, self._alike, self._by = work, alike, by
        cores = os.cpu_count() or 1
        self._turns = ThreadPoolExecutor(cores, "batches")
        self._free = cores
        self._waiting: RoundRobin[_Waiting] = RoundRobin(cores, activity)
        self._lock = threading.Lock()

    def __call__(self, question: Q) -> A:
        """Its answer. Raises what `work` does."""
        answer: Future[A] = Future()
        with self._lock:
            self._waiting.put(self._by(question), _Waiting(self._alike(question), question, answer))
            self._begin()
        return answer.result()

    def _begin(self) -> None:
        """Start as many calls as may be. Whoever calls it holds the lock."""
        while self._free and (batch := self._take()):
            self._free -= 1
            self._turns.submit(self._answer, batch)

    def _answer(self, batch: dict[Visitor, _Waiting]) -> None:
        futures = [waiting.answer for waiting in batch.values()]
        try:
            answers = self._work([waiting.question for waiting in batch.values()])
            for future, answer in zip(futures, answers, strict=True):
                future.set_result(answer)
        except BaseException as error:  # it is theirs who wait, not this thread's
            for future in futures:
                if not future.done():
                    future.set_exception(error)
        with self._lock:
            self._free += 1
            self._waiting.release(next(iter(batch)))
            self._begin()

    def _take(self) -> dict[Visitor, _Waiting]:
        """The question whose turn it is, and those of others that are answered with it; none where all have to wait."""
        chosen: list[Visitor] = []
        first, one_each = None, self._waiting.active() > 1
        for visitor, waiting in self._waiting.heads():
            first = first or waiting
            is_served = one_each and any(visitor.address == other.address for other in chosen)
            if waiting.alike == first.alike and not is_served and len(chosen) < MOST:
                chosen.append(visitor)
        return {visitor: self._waiting.take(visitor, along=visitor != chosen[0]) for visitor in chosen}
