"""A gradio page with own endpoints for uploads and server functions, and with turns for its visitors."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, nullcontext
from functools import cached_property, partial
from typing import Any, cast

import anyio
import anyio.to_thread
import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.block_function import BlockFunction
from gradio.components import Component
from gradio.components.api_component import Api
from gradio.exceptions import Error as GradioError
from gradio.route_utils import FnIndexInferError
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cnn_models.errors import Refused, TranslatableError, quoted
from cnn_models.fair_queue import Activity
from cnn_models.runtime import return_memory, trim_memory
from cnn_models.visitors import VISITOR, Visitor
from ui.common import modules, theme, uploads
from ui.common.reading import check_size, refused
from ui.common.texts import LANGUAGES, language_of, say, translate
from ui.server.compression import Compression
from ui.server.connections import guard
from ui.server.guard import BEGIN, REFUSED, Guard
from ui.server.queueing import Queue
from ui.server.sessions import Sessions
from ui.server.turns import BusyError, Turns

THREADS = 512  # at most; most of them wait
LEAVING = 0.5  # seconds between two checks whether a client has disconnected
SWEEP = 60  # seconds between two deletions of uploads and messages
ORDERED = frozenset({"batch", "compare"})  # endpoints that take their turns themselves
# Raised by gradio and FastAPI for invalid requests; the response of FastAPI would repeat the request.
UNREADABLE = (RequestValidationError, FnIndexInferError, LookupError, ValueError, TypeError, RecursionError)
LOCAL_NETWORKS = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7"


class Page(gr.Blocks):
    """A page whose visitors share the processor fairly, and whose endpoints refuse invalid requests with a sentence.

    `turns` are for work of a fraction of a second, and `slow` for seconds of work, on half of the cores. A server
    function that is a coroutine takes its turns itself; any other one is called in one of the `turns`.
    """

    def __init__(self, **options: Any):
        return_memory()
        uploads.folder()  # before gradio's components read the path
        super().__init__(delete_cache=(3600, uploads.AGE), **options)
        cores = os.cpu_count() or 1
        activity = Activity()
        self.turns, self.slow = Turns(cores, activity), Turns(max(1, cores // 2), activity)
        self._admitted = Turns(THREADS, per_session=16, per_address=THREADS // 2)

    def launch(self, *args: Any, hosts: Collection[str] = (), prevent_thread_lock: bool = False, **options: Any) -> Any:
        """`Blocks.launch` with the limits of this server. `hosts` are its public names, see `Guard`."""
        if "SPACE_ID" in os.environ:  # the proxies of a Space are in its local network
            os.environ.setdefault("FORWARDED_ALLOW_IPS", LOCAL_NETWORKS)
        own = {
            "routes": [
                Route("/modules/{version}/{name:path}", modules.serve),
                Route("/gradio_api/upload", uploads.upload, methods=["POST"]),
                *(Route(f"/gradio_api/component_server{end}", self.call_server_function, methods=["POST"])
                  for end in ("", "/")),
            ],
            "middleware": [Middleware(Guard, hosts=frozenset(hosts)), Middleware(Compression, compresslevel=6)],
            "exception_handlers": dict.fromkeys(UNREADABLE, _unreadable),
            "lifespan": self._sweeping,
        }  # fmt: skip
        limits = {"max_threads": THREADS, "enable_monitoring": False}
        launched = super().launch(*args, prevent_thread_lock=True, app_kwargs=own, **limits, **theme.LAUNCH, **options)
        self.app.state_holder = Sessions(self)
        guard(self.server)
        trim_memory()  # of building the page
        if not prevent_thread_lock:
            self.block_thread()
        return launched

    def queue(self, *args: Any, **options: Any) -> Page:
        """`Blocks.queue`, with a queue that rests."""
        super().queue(*args, **options)
        self._queue = Queue.like(self._queue)
        return self

    def validate_inputs(self, block_fn: BlockFunction, inputs: list) -> None:
        """Append the defaults of missing last arguments, and replace the names of uploads by paths."""
        left_out = block_fn.inputs[len(inputs) :]
        inputs.extend(block.value for block in left_out if isinstance(block, Api))
        if len(inputs) < len(block_fn.inputs):
            raise ValueError("too few inputs")
        for name, value in zip(_arguments(block_fn), inputs, strict=False):
            check_size(name, value)  # before gradio goes through all of it
        for index, value in enumerate(inputs):
            if isinstance(value, dict) and (path := uploads.upload_path(value.get("path"))):
                inputs[index] = value | {"path": str(path)}

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list, *args: Any, **options: Any) -> list:
        """The arguments of a function. Raises Refused for a value that a component cannot read."""
        own = self.turns.turn(VISITOR.get()) if block_fn.api_name in ORDERED else nullcontext()
        try:
            async with own:
                return await super().preprocess_data(block_fn, inputs, *args, **options)
        except TranslatableError:
            raise
        except Exception as error:  # components fail on types that the page never sends
            raise _unreadable_argument(block_fn, inputs) from error

    async def process_api(
        self, block_fn: Any, inputs: list, state: Any = None, request: Any = None, *args: Any, **options: Any
    ) -> dict:
        """The output of an event's function, or of a step of its generator, called in a turn of the visitor."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        client = getattr(getattr(request, "request", None), "client", None)
        visitor = Visitor.of(client.host if client else "", getattr(request, "session_hash", ""))
        VISITOR.set(visitor)
        turns = self._admitted if function.api_name in ORDERED else self.turns

        async def run() -> dict:
            async with turns.turn(visitor):
                return await super(Page, self).process_api(block_fn, inputs, state, request, *args, **options)

        try:
            if not client:  # a call in this process
                return await run()
            await request.request.scope[BEGIN]()
            return await unless_left(partial(self._left, request, options.get("event_id")), run())
        except ClientDisconnect as error:
            raise GradioError(print_exception=False) from error
        except (TranslatableError, GradioError) as error:
            if client:
                request.request.scope[REFUSED] = True
            if isinstance(error, GradioError):
                raise
            raise GradioError(translate(language_of(request.headers), error), print_exception=False) from error

    async def _left(self, request: Any, event_id: str | None) -> None:
        """Return once the client of an event has disconnected; events of the queue outlive their request."""
        event = self._queue.event_ids_to_events.get(event_id) if event_id else None
        while event.alive if event else not await request.request.is_disconnected():
            await asyncio.sleep(LEAVING)

    async def call_server_function(self, request: Request) -> Response:
        """The response of a server function. Replaces gradio's endpoint, which returns 500 for invalid requests."""
        language = language_of(request.headers)
        try:
            sent = json.loads(await request.body())
            data, function = sent["data"], self._server_functions[sent["component_id"], sent["fn_name"]]
        except ClientDisconnect:
            return Response(status_code=408)
        except (ValueError, TypeError, LookupError, RecursionError):
            return JSONResponse({"detail": say(language, "server.unknown")}, 422)
        if isinstance(data, dict) and data.get("language") in tuple(LANGUAGES):
            language = data["language"]
        visitor = Visitor.of(request.client.host if request.client else "", sent.get("session_hash"))
        VISITOR.set(visitor)
        await request.scope[BEGIN]()
        try:
            return JSONResponse(await unless_left(partial(_disconnected, request), self._call(function, data, visitor)))
        except BusyError as error:
            return JSONResponse({"detail": translate(language, error)}, 429)
        except TranslatableError as error:
            return JSONResponse({"detail": translate(language, error)}, 422)
        except ClientDisconnect:
            return Response(status_code=408)

    @cached_property
    def _server_functions(self) -> dict[tuple[int, str], Callable]:
        return {
            (id, function.__name__): function
            for id, block in self.blocks.items()
            for function in getattr(block, "server_fns", ())
        }

    async def _call(self, function: Callable, data: object, visitor: Visitor) -> object:
        async with self._admitted.turn(visitor):
            if inspect.iscoroutinefunction(function):
                return await function(data)
            async with self.turns.turn(visitor):
                return await anyio.to_thread.run_sync(function, data)

    @asynccontextmanager
    async def _sweeping(self, app: object) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        task = asyncio.create_task(self._sweep())
        yield
        task.cancel()

    async def _sweep(self) -> None:
        """Regularly delete expired uploads and abandoned messages, and return freed memory to the system."""
        seen: dict[str, float] = {}
        while True:
            await asyncio.sleep(SWEEP)
            seen = await self.forget_abandoned(seen)
            await anyio.to_thread.run_sync(uploads.expire)
            await anyio.to_thread.run_sync(trim_memory)

    async def forget_abandoned(self, seen: dict[str, float]) -> dict[str, float]:
        """When each session with unread messages was first found without work; messages of long-idle ones are deleted.

        `seen` is the last result. gradio keeps messages until they are read.
        """
        queue, now = self._queue, time.monotonic()
        working = {event.session_hash for event in queue.event_ids_to_events.values()}
        waiting = {
            session: seen.get(session, now)
            for session, messages in queue.pending_messages_per_session.items()
            if session not in working and not messages.empty()
        }
        for session in [session for session, since in waiting.items() if now - since > 5 * SWEEP]:
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)
            del waiting[session]
        return waiting


def _arguments(block_fn: BlockFunction) -> list[str]:
    """The names of the inputs of an endpoint, or the labels of those of an event."""
    names = list(inspect.signature(block_fn.fn).parameters) if block_fn.fn else []
    return [
        names[index] if isinstance(block, Api) else getattr(block, "label", None) or block.get_block_name()
        for index, block in enumerate(block_fn.inputs)
    ]


def _unreadable_argument(block_fn: BlockFunction, inputs: list) -> Exception:
    """The error that names the first input that its component cannot read."""
    for name, block, value in zip(_arguments(block_fn), block_fn.inputs, inputs, strict=False):
        try:
            cast(Component, block).preprocess(value)
        except Exception:
            return refused(name, Refused("value.control", value=quoted(value)))
    return GradioError(say("en", "server.unreadable"), print_exception=False)


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": say(language_of(request.headers), "server.unreadable")}, 422)


async def _disconnected(request: Request) -> None:
    """Return once the client of a fully read request has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless_left(left: Callable[[], Awaitable[None]], work: Awaitable[Any]) -> Any:
    """The result of the work, which is cancelled if `left` returns first. Raises ClientDisconnect then.

    anyio cancels it, unlike asyncio, only after a running thread has ended, which holds its turn until then.
    """
    outcome: dict[str, Any] = {}

    async def watch() -> None:
        await left()
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch)
        try:
            outcome["result"] = await work
        except Exception as error:  # raised below, as the group would wrap it
            outcome["error"] = error
        group.cancel_scope.cancel()
    if "error" in outcome:
        raise outcome["error"]
    if "result" in outcome:
        return outcome["result"]
    raise ClientDisconnect
