"""Each visitor's newest request of a kind, which ends the older ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeVar

import gradio as gr

from ui.common.reading import number

T = TypeVar("T")
LATEST = 1e15  # milliseconds that a page may have been open


class Newest:
    """Newest by the clock of the visitor's page, as requests overtake each other on their way.

    gradio's own `cancels` fails where an event ends by itself meanwhile.
    """

    def __init__(self):
        self._last: dict[str | None, float] = {}  # when it was sent, by session

    def end(self, request: gr.Request, when: object) -> None:
        """End what a visitor requested before `when`. Raises Refused."""
        if self._last.get(request.session_hash, math.inf) < number(when, 0, LATEST):
            self._last.pop(request.session_hash, None)

    def stream(self, request: gr.Request, when: object, found: Iterator[T]) -> Iterator[T | dict]:
        """What is found, until it is ended or a newer request arrives; then `gr.skip()`. Raises Refused."""
        session, when = request.session_hash, number(when, 0, LATEST)
        if when < self._last.get(session, -math.inf):
            return
        self._last[session] = when
        try:
            for each in found:
                if self._last.get(session) != when:
                    break
                yield each
            if self._last.get(session) != when:
                yield gr.skip()  # as gradio shows the last message once more, now over what is newer
        finally:  # also when the page was closed
            if self._last.get(session) == when:
                self._last.pop(session, None)
