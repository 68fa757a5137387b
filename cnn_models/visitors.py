"""Visitors: the untrusted clients of an app, and the one whose request is being served."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from contextvars import ContextVar, copy_context
from typing import NamedTuple, TypeVar

A = TypeVar("A")
B = TypeVar("B")


class Visitor(NamedTuple):
    """The origin of a request, "" for a trusted caller. Limits are for addresses, as clients choose their session."""

    address: str = ""
    session: str = ""

    @classmethod
    def of(cls, host: str, session: object) -> Visitor:
        """The visitor of an IP address; of IPv6 the /64, which a household shares."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:  # a Unix socket, or a test client
            return cls(host[:50], str(session)[:50])
        if address.version == 6:
            address = address.ipv4_mapped or ipaddress.ip_network((int(address) >> 64 << 64, 64))
        return cls(str(address), str(session)[:50])


TRUSTED = Visitor()
VISITOR: ContextVar[Visitor] = ContextVar("visitor", default=TRUSTED)
"""The visitor whose request is being served; `TRUSTED` for callers without limits."""


def map_in_context(pool: Executor, function: Callable[[A], B], values: Iterable[A]) -> list[B]:
    """`function` of each value, computed in the pool for the caller's visitor. Raises the first error."""
    futures = [pool.submit(copy_context().run, function, value) for value in values]
    return [future.result() for future in futures]
