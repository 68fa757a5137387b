"""The page as gradio serves it, with endpoints of its own for uploads and functions, and turns for its visitors."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, nullcontext, suppress
from functools import cached_property, partial
from typing import Any

import anyio
import anyio.to_thread
import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.components.api_component import Api
from gradio.exceptions import Error as GradioError
from gradio.route_utils import FnIndexInferError
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cnn_models.errors import TranslatableError
from cnn_models.fair_queue import Activity
from cnn_models.runtime import trim_memory
from cnn_models.visitors import VISITOR, Visitor
from ui.common import modules, uploads
from ui.common.texts import LANGUAGES, language_of, say, translate
from ui.server.connections import guard
from ui.server.guard import BEGIN, REFUSED, Guard
from ui.server.sessions import Sessions
from ui.server.turns import BusyError, Turns

THREADS = 512  # at most; those of visitors who wait for their turn compute nothing
LEAVING = 0.5  # seconds between two looks whether a client has left
SWEEP = 60  # seconds between two looks for what nobody comes for
ORDERED = frozenset({"compare"})  # endpoints that take a turn for each of their networks instead of one for all
# What gradio and FastAPI raise before a function is reached; FastAPI's own answer repeats what was sent.
UNREADABLE = (RequestValidationError, FnIndexInferError, LookupError, ValueError, TypeError, RecursionError)
LOCAL_NETWORKS = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,fc00::/7"


class Page(gr.Blocks):
    """A page whose visitors share the processor fairly, and whose endpoints refuse what they cannot read.

    `turns` are for what takes a fraction of a second, `slow` for what takes seconds and leaves cores to the others.
    A server function that is a coroutine orders itself; any other gets one of the `turns`.
    """

    def __init__(self, **options: Any):
        uploads.folder()  # before gradio's components look where files go
        super().__init__(delete_cache=(3600, uploads.AGE), **options)
        cores = os.cpu_count() or 1
        activity = Activity()
        self.turns, self.slow = Turns(cores, activity), Turns(max(1, cores // 2), activity)
        self._admitted = Turns(THREADS, per_session=16, per_address=THREADS // 2)

    def launch(self, *, hosts: Collection[str] = (), prevent_thread_lock: bool = False, **options: Any) -> tuple:
        """As gradio does, with this module's limits. `hosts` are the public names of this server; see `Guard`."""
        if "SPACE_ID" in os.environ:  # a Space's proxies are elsewhere in its network, and say whom they speak for
            os.environ.setdefault("FORWARDED_ALLOW_IPS", LOCAL_NETWORKS)
        own = {
            "routes": [
                Route("/modules/{version}/{name:path}", modules.serve),
                Route("/gradio_api/upload", uploads.upload, methods=["POST"]),
                *(Route(f"/gradio_api/component_server{end}", self.call_server_function, methods=["POST"])
                  for end in ("", "/")),
            ],
            "middleware": [Middleware(Guard, hosts=frozenset(hosts))],
            "exception_handlers": dict.fromkeys(UNREADABLE, _unreadable),
            "lifespan": self._sweeping,
        }  # fmt: skip
        limits = {"max_threads": THREADS, "enable_monitoring": False}
        launched = super().launch(prevent_thread_lock=True, app_kwargs=own, **limits, **options)
        self.app.state_holder = Sessions(self)
        guard(self.server)
        if not prevent_thread_lock:
            self.block_thread()
        return launched

    def queue(self, **options: Any) -> Page:
        """As gradio does; but a message for a client that has left, whose messages are dropped, is no error."""
        super().queue(**options)
        send = self._queue.send_message

        def send_to_who_is_there(event: Any, message: Any) -> None:
            with suppress(KeyError):
                send(event, message)

        self._queue.send_message = send_to_who_is_there
        # A table of the last thousand events, made anew twice for each, for a monitor that is off.
        self._queue.compute_analytics_summary = lambda events: {}
        return self

    def validate_inputs(self, block_fn: gr.blocks.BlockFunction, inputs: list) -> None:
        """Fill in arguments that are left out at the end, which gradio by itself wants all, and find uploads."""
        left_out = block_fn.inputs[len(inputs) :]
        inputs.extend(block.value for block in left_out if isinstance(block, Api))
        if len(inputs) < len(block_fn.inputs):
            raise ValueError("too few inputs")
        for index, value in enumerate(inputs):
            if isinstance(value, dict) and (path := uploads.upload_path(value.get("path"))):
                inputs[index] = value | {"path": str(path)}

    async def preprocess_data(self, block_fn: gr.blocks.BlockFunction, *args: Any, **options: Any) -> list:
        """What the function is given; raises gradio's error, with a sentence, for whatever a component cannot take."""
        own = self.turns.turn(VISITOR.get()) if block_fn.api_name in ORDERED else nullcontext()
        try:
            async with own:
                return await super().preprocess_data(block_fn, *args, **options)
        except BusyError:
            raise
        except Exception as error:  # of components that meet a type that the page never sends
            raise GradioError(say("en", "server.unreadable"), print_exception=False) from error

    async def process_api(
        self, block_fn: Any, inputs: list, state: Any = None, request: Any = None, *args: Any, **options: Any
    ) -> dict:
        """Run an event's function, or a step of its generator, when it is its visitor's turn."""
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        client = getattr(getattr(request, "request", None), "client", None)
        visitor = Visitor.of(client.host if client else "", getattr(request, "session_hash", ""))
        VISITOR.set(visitor)
        turns = self._admitted if function.api_name in ORDERED else self.turns

        async def run() -> dict:
            async with turns.turn(visitor):
                return await super(Page, self).process_api(block_fn, inputs, state, request, *args, **options)

        try:
            if not client:  # called by a program in this process
                return await run()
            await request.request.scope[BEGIN]()
            return await unless_left(partial(self._left, request, options.get("event_id")), run())
        except ClientDisconnect as error:
            raise GradioError(print_exception=False) from error  # nobody reads it
        except (TranslatableError, GradioError) as error:
            if client:
                request.request.scope[REFUSED] = True
            if isinstance(error, GradioError):
                raise
            raise GradioError(translate(language_of(request.headers), error), print_exception=False) from error

    async def _left(self, request: gr.Request, event_id: str | None) -> None:
        """Return once nobody waits for an event any more; one of the queue outlives the request that it came with."""
        event = self._queue.event_ids_to_events.get(event_id) if event_id else None
        while event.alive if event else not await request.request.is_disconnected():
            await asyncio.sleep(LEAVING)

    async def call_server_function(self, request: Request) -> Response:
        """In place of gradio's endpoint, which answers 500 to whatever it cannot read, and keeps a state for it."""
        try:
            language = language_of(request.headers)
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
            return JSONResponse(
                await unless_left(partial(_disconnected, request), self._answer(function, data, visitor))
            )
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

    async def _answer(self, function: Callable, data: object, visitor: Visitor) -> object:
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
        """Forget what nobody comes for any more, again and again: uploads, answers of the queue, freed memory."""
        seen: dict[str, float] = {}
        while True:
            await asyncio.sleep(SWEEP)
            seen = await self.forget_abandoned(seen)
            await anyio.to_thread.run_sync(uploads.expire)
            await anyio.to_thread.run_sync(trim_memory)

    async def forget_abandoned(self, seen: dict[str, float]) -> dict[str, float]:
        """Drop the messages of sessions that have had no work and no reader since the time in `seen`; the new `seen`.

        gradio keeps them until they are read, for ever for a client that asks and leaves.
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


async def _unreadable(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": say(language_of(request.headers), "server.unreadable")}, 422)


async def _disconnected(request: Request) -> None:
    """Return once the client has left, whose request was read whole."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def unless_left(left: Callable[[], Awaitable[None]], work: Awaitable[Any]) -> Any:
    """The result of the work, which is cancelled when `left` returns first; then, ClientDisconnect is raised.

    A thread that computes goes on to its end, and holds its turn until then: so anyio cancels, and asyncio does not.
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
