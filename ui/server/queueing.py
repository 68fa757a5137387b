"""gradio's queue of events, without its work for nobody."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any

from gradio import queueing
from gradio.server_messages import EventMessage


class Queue(queueing.Queue):
    """A queue that rests while it has no events; that of gradio polls for them a thousand times a second.

    It sends nothing to clients that have disconnected, and computes no statistics.
    """

    @classmethod
    def like(cls, other: queueing.Queue) -> Queue:
        """A new queue with the options of another one."""
        options = other.live_updates, other.max_thread_count, other.update_intervals, other.max_size, other.blocks
        return cls(*options, other.default_concurrency_limit)

    def start(self) -> None:
        self._pushed = asyncio.Event()  # of the event loop that runs now
        super().start()

    async def push(self, *args: Any, **options: Any) -> Any:
        try:
            return await super().push(*args, **options)
        finally:
            self._pushed.set()

    async def start_processing(self) -> None:
        await self._resting(super().start_processing())

    async def start_progress_updates(self) -> None:
        await self._resting(super().start_progress_updates())

    @types.coroutine
    def _resting(self, polling: Coroutine[Any, None, None]) -> Generator[Any, None, None]:
        """Run a coroutine that polls for events; while there is none, it does not wake up."""
        try:
            while True:
                sleep = polling.send(None)
                if not (len(self) or any(self.active_jobs)):
                    self._pushed.clear()
                    yield from self._pushed.wait().__await__()
                yield sleep
        except StopIteration:
            return
        finally:
            polling.close()

    def send_message(self, event: queueing.Event, event_message: EventMessage) -> None:
        with suppress(KeyError):  # the messages of the session are deleted
            super().send_message(event, event_message)

    def compute_analytics_summary(self, records: list) -> dict:
        return {}  # slow, and for a monitor that is off
