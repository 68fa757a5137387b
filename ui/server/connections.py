"""Connections: no client holds one without using it, and none shuts the others out by opening many."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import uvicorn

HEADER_SECONDS = 10  # for a whole request line with its headers
HEADER_BYTES = 2**16
MOST_WAITING = 200  # connections without a whole request; the oldest is closed for a newer one
STALLED_SECONDS = 60  # for which a client may read nothing of what it is sent
FILES = 65_536  # file handles to ask the system for: each connection takes one


def guard(server: uvicorn.Server) -> None:
    """Give the connections that a running server accepts from now on deadlines, which uvicorn has none of.

    Its only timeout begins once a request was answered. `http_protocol_class` is looked up for every connection.
    """
    raise_file_limit()
    server.config.http_protocol_class = with_deadlines(server.config.http_protocol_class)
    server.config.ws_protocol_class = None  # nothing here speaks WebSocket


def raise_file_limit() -> None:
    """Let this process open as many files as the system lets it, up to `FILES`; on Windows nothing."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(hard, FILES)
    with suppress(ValueError, OSError):  # macOS refuses what its kernel has no room for
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def with_deadlines(protocol: type) -> type:
    """A class of one of uvicorn's HTTP protocols whose connections are closed when their client dawdles."""
    waiting: dict[asyncio.Protocol, asyncio.TimerHandle] = {}  # without a whole request, the oldest first

    class Guarded(protocol):
        received = 0  # bytes of a request that is not whole yet
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
            if self.is_answering:
                return self.stop_waiting()
            self.received += len(data)
            if self.received > HEADER_BYTES:
                return self.abandon()
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
