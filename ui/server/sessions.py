"""gradio's state of each session, without the copies for deep links, which are not used here."""

from __future__ import annotations

from copy import copy

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

CAPACITY = 500  # sessions; beyond that, the least recently used are evicted


class Session(SessionState):
    """A session that does not copy the configuration of all components.

    gradio's does: 0.2 MB, and 17 ms for which all other requests wait.
    """

    def __init__(self, blocks: gr.Blocks):
        self.blocks_config = copy(blocks.default_config)
        self.config_values, self.state_data, self._state_ttl = {}, {}, {}
        self.is_closed, self.STATE_TTL_WHEN_CLOSED = False, 3600


class Sessions(StateHolder):
    """The most recently used sessions of a page."""

    def __init__(self, blocks: gr.Blocks):
        super().__init__()
        self.set_blocks(blocks)
        self.capacity = CAPACITY

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)
