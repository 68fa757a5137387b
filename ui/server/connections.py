"""Deadlines and limits of connections, so that no client shuts out the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn

HEADER_SECONDS = 10  # for the request line and headers
HEADER_BYTES = 2**16
MOST_WAITING = 200  # connections without a complete request; beyond that, the oldest is closed
STALLED_SECONDS = 60  # for which a client may read nothing
TICK = 0.4  # seconds that a tick of uvicorn takes, which ticks again 0.1 s later
FILES = 65_536  # wanted file handles: each connection takes one


def guard(server: uvicorn.Server) -> None:
    """Set deadlines for the connections that a running server accepts from now on, and let it rest when idle.

    The only timeout of uvicorn begins after a response. It reads `http_protocol_class` for each connection.
    """
    raise_file_limit()
    server.config.http_protocol_class = with_deadlines(server.config.http_protocol_class)
    server.config.ws_protocol_class = None  # WebSocket is not used
    server.on_tick = partial(slow_tick, server.on_tick)


async def slow_tick(tick: Callable[[int], Awaitable[bool]], counter: int) -> bool:
    """Whether the server shall exit, after a rest; by default, it wakes up ten times a second while it is idle."""
    await asyncio.sleep(TICK)
    return await tick(0)  # 0 updates the date in headers


def raise_file_limit() -> None:
    """Raise the limit of open files to `FILES`, or as far as the system allows; on Windows, do nothing."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    with suppress(ValueError, OSError):  # macOS refuses more than its kernel allows
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def with_deadlines(protocol: type) -> type:  # noqa: C901  a class of short methods
    """A subclass of one of uvicorn's HTTP protocols that closes the connections of slow clients."""
    waiting: dict[Any, asyncio.TimerHandle] = {}  # connections without a complete request, the oldest first

    class Guarded(protocol):
        received = 0  # bytes of an incomplete request
        stalled: asyncio.TimerHandle | None = None

        @property
        def is_answering(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.wait_for_request()

        def wait_for_request(self) -> None:
            if self not in waiting:
                waiting[self] = self.loop.call_later(HEADER_SECONDS, self.abandon)
            if len(waiting) > MOST_WAITING:
                next(iter(waiting)).abandon()

        def stop_waiting(self) -> None:
            self.received = 0
            if timer := waiting.pop(self, None):
                timer.cancel()

        def abandon(self) -> None:
            self.stop_waiting()
            self.transport.abort()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.received += len(data)
            if self.is_answering:
                self.stop_waiting()
            elif self.received > HEADER_BYTES:
                self.abandon()
            else:
                self.wait_for_request()

        def pause_writing(self) -> None:
            super().pause_writing()
            self.stalled = self.loop.call_later(STALLED_SECONDS, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self.stop_stalling()

        def stop_stalling(self) -> None:
            if self.stalled:
                self.stalled.cancel()
                self.stalled = None

        def connection_lost(self, error: Exception | None) -> None:
            self.stop_waiting()
            self.stop_stalling()
            super().connection_lost(error)

    return Guarded
