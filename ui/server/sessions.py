"""What gradio keeps of each session, without what it keeps for deep links, which are closed here."""

from __future__ import annotations

from copy import copy

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

CAPACITY = 500  # sessions; beyond that, the least recently used are evicted


class Session(SessionState):
    """A session that copies nothing of the page before a component of it changes.

    gradio's own copies the configuration of every component: 0.2 MB, for which all other requests wait 17 ms.
    """

    def __init__(self, blocks: gr.Blocks):
        self.blocks_config = copy(blocks.default_config)
        self.config_values, self.state_data, self._state_ttl = {}, {}, {}
        self.is_closed, self.STATE_TTL_WHEN_CLOSED = False, 3600


class Sessions(StateHolder):
    """The last sessions of a page."""

    def __init__(self, blocks: gr.Blocks):
        super().__init__()
        self.set_blocks(blocks)
        self.capacity = CAPACITY

    def __getitem__(self, session_id: str) -> Session:
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        return super().__getitem__(session_id)
