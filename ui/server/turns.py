"""Turns: a limit on concurrent work, round robin between visitors."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager

from cnn_models.errors import TranslatableError
from cnn_models.fair_queue import Activity, RoundRobin
from cnn_models.visitors import Visitor


class BusyError(TranslatableError):
    """More work than one visitor may have waiting."""


class Turns:
    """At most `most` tasks of one event loop at once; the others wait for their turn.

    `per_session` and `per_address` limit the tasks that wait or run. While several addresses are active, each begins
    one task in `rest` seconds, after a first few.
    """

    def __init__(
        self,
        most: int,
        activity: Activity | None = None,
        per_session: int = 8,
        per_address: int = 64,
        rest: float = 0,
    ):
        self.activity = activity or Activity()
        self._free, self._rest = most, rest
        self._timer: asyncio.TimerHandle | None = None
        self._per_session, self._per_address = per_session, per_address
        self._waiting: RoundRobin[asyncio.Future[None]] = RoundRobin(most, self.activity, rest)
        self._pending: Counter[str | Visitor] = Counter()  # tasks that wait or run

    @asynccontextmanager
    async def turn(self, visitor: Visitor) -> AsyncIterator[None]:
        """Hold a turn of the visitor; a cancelled task gives it back. Raises BusyError."""
        with self._counted(visitor):
            await self._wait(visitor)
            try:
                yield
            finally:
                self._give_back(visitor)

    def _counted(self, visitor: Visitor) -> AbstractContextManager[None]:
        most = {visitor: self._per_session, visitor.address: self._per_address}
        if any(self._pending[each] >= count for each, count in most.items()):
            raise BusyError("request.busy")
        return counted(self._pending, *most)

    async def _wait(self, visitor: Visitor) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.put(visitor, turn)
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            self._waiting.remove(visitor, turn)
            if turn.done() and not turn.cancelled():  # cancelled as the turn began
                self._give_back(visitor)
            raise

    def _give_back(self, visitor: Visitor) -> None:
        self._free += 1
        self._waiting.release(visitor)
        self._next()

    def _next(self) -> None:
        while self._free > 0 and (visitor := self._waiting.next()):
            self._free -= 1
            turn = self._waiting.take(visitor)
            if turn.done():
                self._give_back(visitor)
            else:
                turn.set_result(None)
        if self._rest and self._waiting and not self._timer:
            self._timer = asyncio.get_running_loop().call_later(self._rest, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        self._next()


@contextmanager
def counted(counter: Counter, *keys: object) -> Iterator[None]:
    """A context that adds 1 to the count of each key; counts of 0 are deleted."""
    counter.update(keys)
    try:
        yield
    finally:
        counter.subtract(keys)
        for key in keys:
            if not counter[key]:
                del counter[key]
