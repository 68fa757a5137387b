"""A queue that shares work between visitors: in turns, in equal parts, and without bursts."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Generator
from itertools import chain, zip_longest
from typing import Generic, TypeVar

from cachetools import LRUCache, TTLCache

from cnn_models.visitors import Visitor

T = TypeVar("T")
RECENT = 2  # seconds that an address stays active after its last item began
BURST = 10  # items that an address may begin at once
REMEMBERED = 10_000  # addresses and sessions; beyond that, the least recently used are evicted


class Activity:
    """The active addresses of all queues that share it: with an item in progress, or begun in the last RECENT seconds.

    Safe to share among threads.
    """

    def __init__(self) -> None:
        self._in_progress: Counter[str] = Counter()  # items by address
        self._recent: TTLCache[str, None] = TTLCache(REMEMBERED, RECENT, lambda: time.monotonic())
        self._served: LRUCache[str | Visitor, float] = LRUCache(REMEMBERED)
        self._lock = threading.Lock()

    def begin(self, visitor: Visitor) -> None:
        """Record that an item of a visitor is begun."""
        with self._lock:
            self._in_progress[visitor.address] += 1
            self._recent[visitor.address] = None
            self._served[visitor.address] = self._served[visitor] = time.monotonic()

    def end(self, visitor: Visitor) -> None:
        """Record that an item of a visitor is done."""
        with self._lock:
            self._in_progress[visitor.address] -= 1
            self._in_progress += Counter()  # drops zeros

    def last_served(self, key: str | Visitor) -> float:
        """When the last item of an address or a session was begun, by `time.monotonic()`; 0 if there was none."""
        with self._lock:
            return self._served.get(key, 0.0)

    def addresses(self) -> set[str]:
        """The active addresses."""
        with self._lock:
            return {*self._in_progress, *self._recent}


class RoundRobin(Generic[T]):
    """A queue that takes turns between addresses, and between the sessions of an address.

    Next is the address that was served least recently, and of it the session that was; the items of a session keep
    their order. While several addresses are active, each has an equal share of the `places` in which items are worked
    on, and after `BURST` items it begins one in `rest` seconds. Its callers hold a lock of their own.
    """

    def __init__(self, places: int, activity: Activity | None = None, rest: float = 0) -> None:
        self._places, self._activity, self._rest = places, activity or Activity(), rest
        self._working: Counter[str] = Counter()  # items of an address that were taken here and not released
        self._rested: dict[str, float] = {}  # when an address has rested for all of its items (GCRA's arrival time)
        self._queues: dict[str, dict[str, deque[T]]] = {}  # items by address and session

    def __bool__(self) -> bool:
        return bool(self._queues)

    def count(self, address: str) -> int:
        """The number of items of an address in the queue."""
        return sum(map(len, self._queues.get(address, {}).values()))

    def active(self) -> int:
        """The number of addresses that are active or in the queue."""
        return len(self._activity.addresses() | self._queues.keys())

    def put(self, visitor: Visitor, item: T) -> None:
        """Append an item."""
        self._queues.setdefault(visitor.address, {}).setdefault(visitor.session, deque()).append(item)

    def heads(self) -> Generator[tuple[Visitor, T]]:
        """The first item of each session that may begin: one of each address, then a second of each, and so on.

        Addresses that rest, or hold their share of the places, are omitted.
        """
        turns, active = [], max(1, self.active())
        share, latest = max(1, self._places // active), time.monotonic() + BURST * self._rest
        for address in sorted(self._queues, key=self._activity.last_served):
            is_rested = active == 1 or self._rested.get(address, 0) <= latest
            if is_rested and self._working[address] < share:
                visitors = [Visitor(address, session) for session in self._queues[address]]
                turns.append(sorted(visitors, key=self._activity.last_served))
        for visitor in filter(None, chain.from_iterable(zip_longest(*turns))):
            yield visitor, self._queues[visitor.address][visitor.session][0]

    def next(self) -> Visitor | None:
        """The visitor whose item is next, if any item may begin."""
        return next((visitor for visitor, _ in self.heads()), None)

    def take(self, visitor: Visitor, along: bool = False) -> T:
        """Remove and return the first item of a visitor; it holds a place until `release`.

        An item that is worked on `along` with another one holds no place and is not released.
        """
        item = self._queues[visitor.address][visitor.session][0]
        self.remove(visitor, item)
        self._activity.begin(visitor)
        if along:
            self._activity.end(visitor)
        else:
            self._working[visitor.address] += 1
        if self._rest:
            self._extend_rest(visitor.address)
        return item

    def release(self, visitor: Visitor) -> None:
        """Record that an item of a visitor is done."""
        self._activity.end(visitor)
        self._working[visitor.address] -= 1
        self._working += Counter()

    def remove(self, visitor: Visitor, item: T) -> None:
        """Remove an item, if it is in the queue."""
        sessions = self._queues.get(visitor.address, {})
        queue = sessions.get(visitor.session, deque())
        if item in queue:
            queue.remove(item)
        if not queue:
            sessions.pop(visitor.session, None)
        if not sessions:
            self._queues.pop(visitor.address, None)

    def _extend_rest(self, address: str) -> None:
        now = time.monotonic()
        self._rested = {each: when for each, when in self._rested.items() if when > now}
        most = now + (BURST + 1) * self._rest  # an address that was the only active one does not rest for that
        self._rested[address] = min(self._rested.get(address, now) + self._rest, most)
