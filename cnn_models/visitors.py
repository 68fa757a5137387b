"""Who the current work is done for, and how much of what visitors share each of them gets."""

from __future__ import annotations

import ipaddress
import itertools
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from contextvars import ContextVar, copy_context
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
HOUR = 3600  # seconds
RECENT = 2  # seconds
BURST = 10  # items
REMEMBERED = 10_000  # visitors; beyond that, the least recently used are evicted


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


NOBODY = Visitor()
VISITOR: ContextVar[Visitor] = ContextVar("visitor", default=NOBODY)
"""The visitor whose request is answered; for a trusted caller `NOBODY`, whose look-ups are not limited."""


def map_in_context(pool: Executor, function: Callable[[A], B], values: Iterable[A]) -> list[B]:
    """`function` of each value, computed in the pool on behalf of the caller's visitor. Raises the first's error."""
    futures = [pool.submit(copy_context().run, function, value) for value in values]
    return [future.result() for future in futures]


class Activity:
    """Who is served, in any of several queues; safe to share among threads."""

    def __init__(self) -> None:
        self._working: Counter[str] = Counter()  # by address, what was begun and not ended
        self._served: OrderedDict[str | Visitor, float] = OrderedDict()  # when last, the newest at the end
        self._lock = threading.Lock()

    def begin(self, visitor: Visitor) -> None:
        with self._lock:
            self._working[visitor.address] += 1
            for who in (visitor.address, visitor):
                self._served[who] = time.monotonic()
                self._served.move_to_end(who)
            while len(self._served) > REMEMBERED:
                self._served.popitem(last=False)

    def end(self, visitor: Visitor) -> None:
        with self._lock:
            self._working[visitor.address] -= 1
            self._working += Counter()  # forgets who has none

    def last_served(self, who: str | Visitor) -> float:
        """When an address or a session was served last; 0 if it never was."""
        return self._served.get(who, 0.0)

    def addresses(self) -> set[str]:
        """Those that are served, or were so recently that they may ask again."""
        since = time.monotonic() - RECENT
        with self._lock:
            recent = itertools.takewhile(lambda each: each[1] >= since, reversed(self._served.items()))
            return {*self._working, *(who for who, _ in recent if isinstance(who, str))}


class RoundRobin(Generic[T]):
    """A queue that takes from the address served longest ago, and within it from the session served longest ago.

    Who has not been served yet comes first, so that nobody waits for two of another's items. What one session puts in
    comes out in order. While others are active, here or in another queue with the same `activity`, an address has its
    share of the `places` in which items are worked on, and after `BURST` items one in `rest` seconds.
    """

    def __init__(self, places: int, activity: Activity | None = None, rest: float = 0) -> None:
        self._places, self._activity, self._rest = places, activity or Activity(), rest
        self._working: Counter[str] = Counter()  # items of an address that were taken here and not released
        self._rested: dict[str, float] = {}  # when an address would have rested for all of its items (GCRA)
        self._queues: dict[str, dict[str, deque[T]]] = {}

    def __bool__(self) -> bool:
        return bool(self._queues)

    def count(self, address: str) -> int:
        """How many items of an address wait."""
        return sum(map(len, self._queues.get(address, {}).values()))

    def active(self) -> int:
        """How many addresses wait, are served, or may soon ask again."""
        return len(self._activity.addresses() | self._queues.keys())

    def put(self, visitor: Visitor, item: T) -> None:
        self._queues.setdefault(visitor.address, {}).setdefault(visitor.session, deque()).append(item)

    def heads(self) -> Generator[tuple[Visitor, T]]:
        """The item that each session has first: one of each address in their order, then another of each, and so on.

        Those of addresses that have all of their share, or rest, are left out.
        """
        left, active = [], max(1, self.active())
        share, latest = max(1, self._places // active), time.monotonic() + BURST * self._rest
        for address in sorted(self._queues, key=self._activity.last_served):
            is_rested = active == 1 or self._rested.get(address, 0) <= latest
            if is_rested and self._working[address] < share:
                visitors = [Visitor(address, session) for session in self._queues[address]]
                left.append(iter(sorted(visitors, key=self._activity.last_served)))
        while left:
            found = [(visitors, visitor) for visitors in left if (visitor := next(visitors, None))]
            yield from ((visitor, self._queues[visitor.address][visitor.session][0]) for _, visitor in found)
            left = [visitors for visitors, _ in found]

    def next(self) -> Visitor | None:
        """Whose turn it is."""
        return next((visitor for visitor, _ in self.heads()), None)

    def take(self, visitor: Visitor, along: bool = False) -> T:
        """Remove and return the first item of a visitor, who has a place until it is released.

        One that is taken `along`, to be worked on together with another, takes no place and is not to be released.
        """
        item = self._queues[visitor.address][visitor.session][0]
        self.remove(visitor, item)
        self._activity.begin(visitor)
        if along:
            self._activity.end(visitor)
        else:
            self._working[visitor.address] += 1
        if self._rest:
            now = time.monotonic()
            self._rested = {address: when for address, when in self._rested.items() if when > now}
            most = now + (BURST + 1) * self._rest  # who was alone for long rests no longer for it
            self._rested[visitor.address] = min(self._rested.get(visitor.address, now) + self._rest, most)
        return item

    def release(self, visitor: Visitor) -> None:
        """Note that an item of a visitor was worked on."""
        self._activity.end(visitor)
        self._working[visitor.address] -= 1
        self._working += Counter()

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
