"""Streamed requests of which each visitor has one: a newer one ends the older."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import gradio as gr

from ui.common.reading import number

T = TypeVar("T")
LATEST = 1e15  # milliseconds that a page may have been open


class Newest:
    """The newest request of each session, by the clock of its page, as requests may overtake each other.

    gradio's own `cancels` fails if an event ends by itself at the same moment.
    """

    def __init__(self):
        self._last: dict[str | None, float] = {}  # session to the time its newest request was sent

    def end(self, request: gr.Request, when: object) -> None:
        """End the session's request if it was sent before `when`, in milliseconds. Raises Refused."""
        if self._last.get(request.session_hash, math.inf) < number("when", when, 0, LATEST):
            self._last.pop(request.session_hash, None)

    def stream(self, request: gr.Request, when: object, found: Iterator[T]) -> Iterator[T | dict]:
        """The values of `found` until the request is ended or a newer one arrives; then `gr.skip()`. Raises Refused."""
        session, when = request.session_hash, number("when", when, 0, LATEST)
        if when < self._last.get(session, -math.inf):
            return
        self._last[session] = when
        try:
            for each in found:
                if self._last.get(session) != when:
                    break
                yield each
            if self._last.get(session) != when:
                yield gr.skip()  # gradio sends the last value once more, which would replace the newer one
        finally:  # also if the page is closed
            if self._last.get(session) == when:
                self._last.pop(session, None)
