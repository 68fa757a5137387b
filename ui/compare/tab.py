"""The Compare tab."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gradio as gr
from anyio import to_thread
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.visitors import VISITOR
from ui.common.modules import on_load
from ui.common.sketchpad import samples, sketchpad
from ui.common.templates import render
from ui.compare.ask import PARTS, SORTS
from ui.compare.bring import Bringer, field
from ui.compare.keep import export, keep
from ui.compare.look import Looker
from ui.compare.why import Explainer
from ui.server.turns import Turns


def page(looker: Looker) -> Markup:
    """The tab, with the empty board."""
    return render(
        "compare/tab.html",
        first=looker.look({}),
        datasets=DATASETS,
        architectures=ARCHITECTURES,
        sketchpad=sketchpad(),
        samples=map(samples, DATASETS),
        keep=keep(),
        field=field(),
        sorts=SORTS,
        parts=PARTS,
    )


def in_thread(method: Callable) -> Callable:
    """A coroutine function of the same name, on which gradio can set attributes."""
    function = partial(to_thread.run_sync, method)
    function.__name__ = method.__name__
    return function


def compare_tab(hub: ModelHub, turns: Turns, slow: Turns) -> None:
    """Everything on the tab. What takes seconds takes `slow` turns."""
    looker = Looker(hub, turns.activity)
    explainer, bringer = Explainer(looker), Bringer(hub)

    async def why(sent: object) -> str:
        explain = await to_thread.run_sync(explainer.prepare, sent)
        async with slow.turn(VISITOR.get()):
            return await to_thread.run_sync(explain)

    def export_handwriting(sent: object) -> dict:
        return export(sent)

    gr.HTML(
        page(looker),
        js_on_load=on_load("compare/tab.js"),
        # Coroutines, as these order themselves among visitors, or wait for the Hub more than they compute.
        server_functions=[
            in_thread(looker.look),
            why,
            in_thread(bringer.bring),
            in_thread(bringer.bringing),
            export_handwriting,
        ],
        elem_id="compare-page",
        apply_default_css=False,
    )
