"""Turns: the work of many visitors, a few pieces at a time, round robin between visitors."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Generic, NamedTuple, TypeVar

from cnn_models.errors import TranslatableError

T = TypeVar("T")


class BusyError(TranslatableError):
    """More work than one visitor may have waiting."""


class Visitor(NamedTuple):
    """Who a request is from. Anyone can invent sessions, so an address counts for more than a session."""

    address: str = ""
    session: str = ""

    @classmethod
    def of(cls, host: str, session: object) -> Visitor:
        """The visitor behind a peer's IP address; of IPv6, the /64 that one household has."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # a Unix socket, or a test client
            return cls(host[:50], str(session)[:50])
        if address.version == 6:
            address = address.ipv4_mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64))
        return cls(str(address), str(session)[:50])


VISITOR: ContextVar[Visitor] = ContextVar("visitor")
"""Whose request the code that runs answers; not set in code that answers none."""


class RoundRobin(Generic[T]):
    """A queue that takes from its addresses in rotation, and from the sessions of an address in rotation.

    What one session puts in comes out in order.
    """

    def __init__(self) -> None:
        self._queues: OrderedDict[str, OrderedDict[str, deque[T]]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._queues)

    @property
    def addresses(self) -> int:
        return len(self._queues)

    def put(self, visitor: Visitor, item: T) -> None:
        sessions = self._queues.setdefault(visitor.address, OrderedDict())
        sessions.setdefault(visitor.session, deque()).append(item)

    def heads(self) -> Generator[tuple[Visitor, T]]:
        """The item that each session has first, in the order in which `take` would come to them."""
        left = [(address, iter(sessions.items())) for address, sessions in self._queues.items()]
        while left:
            rest = []
            for address, sessions in left:
                if (found := next(sessions, None)) is not None:
                    yield Visitor(address, found[0]), found[1][0]
                    rest.append((address, sessions))
            left = rest

    def take(self, visitor: Visitor | None = None) -> T:
        """Remove and return the first item of a visitor, or of whose turn it is. Raises KeyError when empty."""
        if visitor is None:
            visitor = next((who for who, _ in self.heads()), None)
            if visitor is None:
                raise KeyError("nothing is waiting")
        sessions = self._queues.pop(visitor.address)
        queue = sessions.pop(visitor.session)
        item = queue.popleft()
        if queue:
            sessions[visitor.session] = queue
        if sessions:
            self._queues[visitor.address] = sessions
        return item

    def remove(self, visitor: Visitor, item: T) -> None:
        """Remove an item that is waiting; nothing happens when it is not."""
        sessions = self._queues.get(visitor.address, {})
        queue = sessions.get(visitor.session, deque())
        if item in queue:
            queue.remove(item)
        if not queue:
            sessions.pop(visitor.session, None)
        if not sessions:
            self._queues.pop(visitor.address, None)


class Turns:
    """At most `most` pieces of work at once; a visitor may have few waiting. For the tasks of one event loop."""

    def __init__(self, most: int, per_session: int = 8, per_address: int = 64):
        self._free = most
        self._per_session, self._per_address = per_session, per_address
        self._waiting: RoundRobin[asyncio.Future[None]] = RoundRobin()
        self._pending: Counter[str | Visitor] = Counter()  # waiting or at work

    @asynccontextmanager
    async def turn(self, visitor: Visitor) -> AsyncIterator[None]:
        """Wait for the visitor's turn and hold it. A task that is cancelled gives its place up. Raises BusyError."""
        with self._counted(visitor):
            await self._wait(visitor)
            try:
                yield
            finally:
                self._free += 1
                self._next()

    def _counted(self, visitor: Visitor) -> _Counted:
        most = {visitor: self._per_session, visitor.address: self._per_address}
        if any(self._pending[who] >= count for who, count in most.items()):
            raise BusyError("You have asked for more than can be answered at once; wait a moment and try again.")
        return _Counted(self._pending, tuple(most))

    async def _wait(self, visitor: Visitor) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.put(visitor, turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came as the visitor left
                self._free += 1
            self._waiting.remove(visitor, turn)
            self._next()
            raise

    def _next(self) -> None:
        while self._free > 0 and self._waiting:
            turn = self._waiting.take()
            if not turn.done():
                self._free -= 1
                turn.set_result(None)


class _Counted:
    """Counts a piece of work for as long as it is entered; a count of 0 is forgotten."""

    def __init__(self, pending: Counter, whom: tuple):
        self._pending, self._whom = pending, whom

    def __enter__(self) -> None:
        self._pending.update(self._whom)

    def __exit__(self, *_: object) -> None:
        self._pending.subtract(self._whom)
        for who in self._whom:
            if not self._pending[who]:
                del self._pending[who]
