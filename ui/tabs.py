"""Puts the tabs together."""

from __future__ import annotations

import gradio as gr

from cnn_models import ModelHub
from ui.api import endpoints
from ui.common import theme
from ui.common.texts import say
from ui.compare.tab import compare_tab
from ui.layers.tab import layers_tab
from ui.learn.tab import learn_tab
from ui.server.page import Page
from ui.training.tab import training_tab


def build(hub: ModelHub) -> Page:
    """The page, over the checkpoints of a hub."""
    with Page(title=theme.TITLE) as page:
        gr.HTML(theme.HEADER, apply_default_css=False)
        # Their ids are in addresses, see `ui/common/place.js`.
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab(say("en", "tab.compare"), elem_id="compare"):
                compare_tab(hub, page.turns, page.slow)
            with gr.Tab(say("en", "tab.layers"), elem_id="layers") as layers:
                layers_tab(hub, layers)
            with gr.Tab(say("en", "tab.training"), elem_id="training") as training:
                training_tab(hub, training)
            with gr.Tab(say("en", "tab.learn"), elem_id="learn") as learn:
                learn_tab(hub, learn)
        endpoints(hub, page.turns, page.slow)
    return page
