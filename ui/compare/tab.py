"""The Compare tab."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import gradio as gr
from anyio import to_thread
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.visitors import VISITOR
from ui.common.modules import on_load
from ui.common.sketchpad import samples, sketchpad
from ui.common.templates import render
from ui.compare.examples import examples
from ui.compare.explanations import Explainer
from ui.compare.game import game
from ui.compare.history import export_handwriting, history
from ui.compare.many import Many, many, sum_up
from ui.compare.predictor import Predictor
from ui.compare.request import PARTS, SORTS
from ui.compare.third_party import ThirdParty, form
from ui.server.turns import Turns


def page(predictor: Predictor) -> Markup:
    """The tab, with the empty board."""
    return render(
        "compare/tab.html",
        first=predictor.predict({}),
        datasets=DATASETS,
        architectures=ARCHITECTURES,
        sketchpad=sketchpad(),
        samples=map(samples, DATASETS),
        examples=[examples(predictor.hub, dataset) for dataset in DATASETS],
        history=history(),
        third_party=form(),
        game=game(predictor.hub),
        many=many(),
        sorts=SORTS,
        parts=PARTS,
    )


def in_thread(method: Callable[[object], Any]) -> Callable[[object], Coroutine[Any, Any, Any]]:
    """A coroutine function of the same name."""

    async def function(sent: object) -> Any:
        return await to_thread.run_sync(method, sent)

    function.__name__ = method.__name__
    return function


def compare_tab(hub: ModelHub, turns: Turns, slow: Turns) -> None:
    """Create the tab; explanations take `slow` turns."""
    predictor = Predictor(hub, turns.activity)
    explainer, third_party, several = Explainer(predictor), ThirdParty(hub), Many(predictor, slow)

    async def explain(sent: object) -> str:
        compute = await to_thread.run_sync(explainer.prepare, sent)
        async with slow.turn(VISITOR.get()):
            return await to_thread.run_sync(compute)

    async def compare_many(sent: object) -> dict:
        return await several.compare_many(sent)

    gr.HTML(
        page(predictor),
        js_on_load=on_load("compare/tab.js"),
        # Coroutines take no turn of the page: these have their own queue, or wait for the Hub more than they compute.
        server_functions=[
            in_thread(predictor.predict),
            explain,
            in_thread(third_party.add_checkpoint),
            in_thread(third_party.checkpoint_progress),
            export_handwriting,
            compare_many,
            sum_up,
        ],
        elem_id="compare-page",
        apply_default_css=False,
    )
