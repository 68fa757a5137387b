"""The guard in front of every request: what is open, how much may come, and what every answer says to browsers."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cnn_models.images.decode import MAX_BYTES
from cnn_models.visitors import Visitor
from ui.common.texts import language_of, say
from ui.server.turns import Turns, counted

# What the page and its API use of gradio; whatever else it has, or comes to have, is closed.
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
LARGE = MAX_BYTES * 4 // 3 + 2**20  # bytes of a body that may hold an image, also in base64
SMALL = 4 * 2**20  # bytes of any other: what the page sends its functions
IMAGES = re.compile(r"/gradio_api/(upload|call|run|api|queue/join|mcp)\b.*")
PAUSE, PATIENCE = 20, 300  # seconds between two parts of a body, and for all of it
# Requests of an address that are being answered, streams of events included. This machine has no limit: a proxy on it
# that does not name its clients speaks for all of them.
MOST_OPEN = 256
# Scripts are inline and made from strings by gradio itself, which no policy can tell from others. Any page that came
# encrypted may show this one in a frame, as the Hub's Spaces and courses do: there is no account to be tricked out of.
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
# In the scope of a request:
REFUSED = "lineup.refused"  # whether its error is its sender's
BEGIN = "lineup.begin"  # to be called before it waits for something else than the processor
FRONT = 2  # requests that are read and answered at the same time, as one thread does it; those that wait do not count

REST = 0.03  # seconds between two such requests of an address while others ask: a page sends one after another


class Guard:
    """ASGI middleware. `hosts` are the names under which MCP's tools are offered, beside IP addresses and localhost."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()):
        self._app, self._hosts = app, hosts
        self._open: Counter[str] = Counter()
        self._front = Turns(FRONT, per_session=sys.maxsize, per_address=sys.maxsize, rest=REST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        visitor = Visitor.of((scope.get("client") or ("",))[0], "")
        answer = _Answer(scope, send)
        if refusal := self._refusal(scope, visitor.address):
            return await answer.refuse(*refusal)
        with counted(self._open, visitor.address):
            async with AsyncExitStack() as turn:
                scope[BEGIN] = turn.aclose

                async def take_turn() -> None:
                    # Others, and tools, may answer in the course of time.
                    if scope["method"] == "POST" and not scope["path"].startswith(TOOLS):
                        await turn.enter_async_context(self._front.turn(visitor))

                try:
                    await self._app(scope, _Body(scope, receive, answer, take_turn), answer)
                except Exception:
                    if not answer.refused:
                        raise

    def _refusal(self, scope: Scope, address: str) -> tuple | None:
        """The status and the text of a request that goes no further."""
        path, headers = scope["path"], Headers(scope=scope)
        if not OPEN.fullmatch(path):
            return 404, "server.closed"
        if self._open[address] >= MOST_OPEN and address != "127.0.0.1":
            return 429, "server.connections"
        if path.startswith(TOOLS):
            host = _host(headers.get("host", ""))
            if not (_is_literal(host) or host in self._hosts):
                return 421, "server.host", {"host": host[:80]}
            if (origin := headers.get("origin")) and _host(urlsplit(origin).netloc) not in {host, *self._hosts}:
                return 403, "server.origin"
        return None


def _host(netloc: str) -> str:
    """The name in `name:port`."""
    return re.sub(r":\d*$", "", netloc).strip("[]").lower()


def _is_literal(host: str) -> bool:
    """Whether a host is no name that somebody else's DNS could let point to this machine."""
    try:
        return host == "localhost" or bool(ipaddress.ip_address(host))
    except ValueError:
        return False


class _Answer:
    """The `send` of a request: adds headers, and lets a refusal take the place of an answer that has not begun."""

    def __init__(self, scope: Scope, send: Send):
        self._scope, self._send = scope, send
        self._begun = self.refused = False

    async def __call__(self, message: Message) -> None:
        if self.refused:
            return
        if message["type"] == "http.response.start":
            self._begun = True
            if message["status"] == 500 and self._scope.get(REFUSED):
                message["status"] = 422  # gradio has one status for every error
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)

    async def refuse(self, status: int, key: str, values: dict | None = None) -> None:
        """Answer with a sentence; nothing follows it."""
        if not self._begun:
            sentence = say(language_of(Headers(scope=self._scope)), key, **(values or {}))
            response = JSONResponse({"detail": sentence}, status, {"Connection": "close"})
            await response(self._scope, None, self)
        self.refused = True


class _Body:
    """The `receive` of a request whose body is limited in size and time; past a limit, the client has left.

    Who sends slowly holds up nobody: a turn is taken once the body is whole.
    """

    def __init__(self, scope: Scope, receive: Receive, answer: _Answer, take_turn: Callable[[], Awaitable[None]]):
        self._receive, self._answer, self._take_turn = receive, answer, take_turn
        self._most = LARGE if IMAGES.fullmatch(scope["path"]) else SMALL
        length = Headers(scope=scope).get("content-length", "")
        self._size = int(length) if length.isdigit() and len(length) < 20 else 0  # as announced, then as received
        self._received, self._is_whole = 0, False
        self._until = time.monotonic() + PATIENCE

    async def __call__(self) -> Message:
        if self._is_whole:  # from now on, one waits for the client to leave
            return await self._receive()
        if max(self._size, self._received) > self._most:
            return await self._leave(413, "server.large", {"most": self._most // 10**6})
        try:
            seconds = min(PAUSE, self._until - time.monotonic())
            message = await asyncio.wait_for(self._receive(), max(0, seconds))
        except TimeoutError:
            return await self._leave(408, "server.slow")
        self._received += len(message.get("body", b""))
        if self._received > self._most:
            return await self._leave(413, "server.large", {"most": self._most // 10**6})
        self._is_whole = not message.get("more_body", False)
        if self._is_whole and message["type"] == "http.request":
            await self._take_turn()
        return message

    async def _leave(self, *refusal: object) -> Message:
        await self._answer.refuse(*refusal)
        self._is_whole = True
        return {"type": "http.disconnect"}
