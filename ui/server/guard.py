"""ASGI middleware with the open addresses, the limits of requests, and the headers of responses."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack, suppress
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cnn_models.images.decode import MAX_BYTES
from cnn_models.visitors import Visitor
from ui.common.texts import language_of, say
from ui.server.turns import Turns, counted

# The addresses of gradio that the page and its API use; all others are closed, also those of later versions.
OPEN = re.compile(
    r"""/ | /(config|info)/? | /(assets|static|svelte)/.+ | /modules/[0-9a-f]{16}/[a-z_/]+\.js
    | /(theme\.css|favicon\.ico|manifest\.json|robots\.txt|pwa_icon(/\d+)?)
    | /gradio_api/(
        (info|openapi\.json|app_id|user|theme\.css|startup-events|login_check|upload|component_server|reset|cancel)/?
      | queue/(join|data|status) | heartbeat/[^/]+ | (run|api|call|call/v2)/[^/]+/? | call/[^/]+/[^/]+ | mcp(/.*)?
    )""",
    re.VERBOSE,
)
TOOLS = "/gradio_api/mcp"
# Bytes of a body: of a file and the form around it; of JSON, with an image of 20 MB in base64; of any other one.
FILE, LARGE, SMALL = MAX_BYTES + 2**20, 28 * 2**20, 2**20
VALUES = 20_000  # in a body of JSON, by its commas: a million take a tenth of a second to read
UPLOAD = re.compile(r"/gradio_api/upload/?")
IMAGES = re.compile(r"/gradio_api/(call|run|api|queue/join|mcp)\b.*")
PAUSE, PATIENCE = 20, 300  # seconds between two parts of a body, and for the whole
LINGER = 2  # seconds for which the rest of a body is read after its response
# Open requests of an address, streams of events included. 127.0.0.1 has no limit: it may be a proxy that does not name
# its clients.
MOST_OPEN = 256
# gradio needs inline scripts and eval. Any https page may show this one in a frame, as the Hub's Spaces do: it has no
# accounts that clickjacking could abuse.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https: http://localhost:* http://127.0.0.1:*",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "geolocation=(), microphone=()",
}
# Keys in the scope of a request:
REFUSED = "lineup.refused"  # true if the client caused the error
BEGIN = "lineup.begin"  # a function that gives the front turn back, before the request waits for anything else
FRONT = 2  # requests that the event loop reads and answers at once
REST = 0.03  # seconds between two such requests of an address while others are active


class Refusal(NamedTuple):
    """The status of a response, and the key and values of its sentence."""

    status: int
    key: str
    values: dict[str, object] | None = None


class Guard:
    """The middleware. `hosts` are the names at which MCP tools are offered, beside IP addresses and localhost."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()):
        self._app, self._hosts = app, hosts
        self._open: Counter[str] = Counter()
        self._front = Turns(FRONT, per_session=sys.maxsize, per_address=sys.maxsize, rest=REST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        visitor = Visitor.of((scope.get("client") or ("",))[0], "")
        receive = _Remaining(receive, Headers(scope=scope))
        response = _Response(scope, receive, send)
        if refusal := self._refusal(scope, visitor.address):
            receive.is_whole |= refusal.status == 429  # beyond the limit of open requests, none lingers
            with counted(self._open, visitor.address):
                return await response.refuse(refusal)
        with counted(self._open, visitor.address):
            async with AsyncExitStack() as turn:
                scope[BEGIN] = turn.aclose

                async def take_turn() -> None:
                    # Other methods, and MCP, may keep their response open.
                    if scope["method"] == "POST" and not scope["path"].startswith(TOOLS):
                        await turn.enter_async_context(self._front.turn(visitor))

                try:
                    await self._app(scope, _Body(scope, receive, response, take_turn), response)
                except Exception:
                    if not response.refused:
                        raise

    def _refusal(self, scope: Scope, address: str) -> Refusal | None:
        """The refusal of a request; None if it is allowed."""
        path, headers = scope["path"], Headers(scope=scope)
        if self._open[address] >= MOST_OPEN and address != "127.0.0.1":
            return Refusal(429, "server.connections")
        if not OPEN.fullmatch(path):
            return Refusal(404, "server.closed")
        if path.startswith(TOOLS):
            host = _host(headers.get("host", ""))
            if not (_is_literal(host) or host in self._hosts):
                return Refusal(421, "server.host", {"host": host[:80]})
            if (origin := headers.get("origin")) and _host(urlsplit(origin).netloc) not in {host, *self._hosts}:
                return Refusal(403, "server.origin")
        return None


def _host(netloc: str) -> str:
    """The host of `host:port`."""
    return re.sub(r":\d*$", "", netloc).strip("[]").lower()


def _is_literal(host: str) -> bool:
    """Whether a host is localhost or an IP address, and so not a name in the DNS of an attacker."""
    try:
        return host == "localhost" or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


class _Remaining:
    """The `receive` of a request that knows whether a part of the body remains, and can read it to the end."""

    def __init__(self, receive: Receive, headers: Headers):
        self._receive = receive
        self.is_whole = "content-length" not in headers and "transfer-encoding" not in headers

    async def __call__(self) -> Message:
        message = await self._receive()
        self.is_whole = not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Read the rest, for at most `LINGER` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while not self.is_whole:
                    await self()


class _Response:
    """The `send` of a request: adds headers, and can replace a response that has not begun with a refusal.

    Before the response ends, the body is read: a connection that is closed before is reset, and the response lost.
    """

    def __init__(self, scope: Scope, receive: _Remaining, send: Send):
        self._scope, self._receive, self._send = scope, receive, send
        self._begun = self.refused = False

    async def __call__(self, message: Message) -> None:
        if self.refused:
            return
        if message["type"] == "http.response.start":
            self._begun = True
            if message["status"] == 500 and self._scope.get(REFUSED):
                message["status"] = 422  # gradio has 500 for all errors
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        elif not message.get("more_body", False) and not self._receive.is_whole:
            await self._send({**message, "more_body": True})
            await self._receive.drain()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def refuse(self, refusal: Refusal) -> None:
        """Send a refusal, unless the response has begun, and nothing after it."""
        if not self._begun:
            sentence = say(language_of(Headers(scope=self._scope)), refusal.key, **(refusal.values or {}))
            response = JSONResponse({"detail": sentence}, refusal.status, {"Connection": "close"})
            await response(self._scope, self._receive, self)
        self.refused = True


class _Body:
    """The `receive` of a request: limits the size and time of its body; beyond a limit, it refuses and disconnects.

    A turn is taken once the body is complete, so that slow clients do not block others.
    """

    def __init__(self, scope: Scope, receive: Receive, response: _Response, take_turn: Callable[[], Awaitable[None]]):
        self._receive, self._response, self._take_turn = receive, response, take_turn
        path = scope["path"]
        self._is_file = bool(UPLOAD.fullmatch(path))
        self._most = FILE if self._is_file else LARGE if IMAGES.fullmatch(path) else SMALL
        length = Headers(scope=scope).get("content-length", "")
        self._size = int(length) if length.isdigit() and len(length) < 20 else 0  # as announced
        self._received, self._commas, self._is_whole = 0, 0, False
        self._until = time.monotonic() + PATIENCE

    async def __call__(self) -> Message:
        if self._is_whole:  # next is the disconnect
            return await self._receive()
        if max(self._size, self._received) > self._most:
            return await self._leave(self._too_large())
        try:
            seconds = min(PAUSE, self._until - time.monotonic())
            message = await asyncio.wait_for(self._receive(), max(0, seconds))
        except TimeoutError:
            return await self._leave(Refusal(408, "server.slow"))
        body = message.get("body", b"")
        self._received, self._commas = self._received + len(body), self._commas + body.count(b",")
        if self._received > self._most:
            return await self._leave(self._too_large())
        if self._commas > VALUES and not self._is_file:
            return await self._leave(Refusal(422, "server.values", {"most": f"{VALUES:,}"}))
        self._is_whole = not message.get("more_body", False)
        if self._is_whole and message["type"] == "http.request":
            await self._take_turn()
        return message

    def _too_large(self) -> Refusal:
        most = min(self._most, MAX_BYTES)  # of a form, that of its file
        return Refusal(413, "server.large", {"most": most // 10**6})

    async def _leave(self, refusal: Refusal) -> Message:
        await self._response.refuse(refusal)
        self._is_whole = True
        return {"type": "http.disconnect"}
