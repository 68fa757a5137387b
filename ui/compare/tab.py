"""The Compare tab."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import gradio as gr
from anyio import to_thread

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.visitors import VISITOR
from ui.common.modules import on_load
from ui.common.sketchpad import samples, sketchpad
from ui.common.texts import attribute, mark
from ui.compare.ask import PARTS, SORTS
from ui.compare.bring import Bringer, field
from ui.compare.keep import export, keep
from ui.compare.look import Looker
from ui.compare.why import Explainer
from ui.server.turns import Turns


def page(looker: Looker) -> str:
    """The tab as HTML, with the empty board."""
    first = looker.look({})
    datasets = "".join(
        f"<label><input type='radio' name='dataset' value='{name}'{' checked' * (not index)}>"
        f"{mark(f'dataset.{spec.kind}')}</label>"
        for index, (name, spec) in enumerate(DATASETS.items())
    )
    networks = "".join(
        f"<label><input type='checkbox' name='model' value='{name}' checked><span>{spec.title}</span></label>"
        for name, spec in ARCHITECTURES.items()
    )
    sorts = "".join(mark(f"board.sort.{name}", tag=f"option value='{name}'") for name in SORTS)
    return f"""
<div id="compare-row">
  <div class="compare-draw">
    <div id="dataset" class="choices" role="radiogroup" {attribute("aria-label", "dataset.choose")}>{datasets}</div>
    {sketchpad()}
    <div id="samples">{"".join(map(samples, DATASETS))}</div>
    {keep()}
  </div>
  <div class="compare-read">
    <div id="verdict" role="status">{first["verdict"]}</div>
    <div id="lineup">{first["board"]}</div>
    <div class="board-tools">
      <div id="models" class="choices" role="group" {attribute("aria-label", "board.models")}>{networks}</div>
      <label class="choice" {attribute("title", "board.calibrated.why")}>
        <input type="checkbox" name="calibrated" checked>{mark("board.calibrated")}</label>
      <label class="choice">{mark("board.sort")} <select name="sort">{sorts}</select></label>
    </div>
    {field()}
  </div>
  <div id="seen">{first["steps"]}</div>
  <section id="why">{mark("why.title", tag="h2")}{whys()}</section>
</div>"""


def whys() -> str:
    """A fold for each part of the why, empty until it is opened."""
    return "".join(
        f"<details data-part='{part}'>{mark(f'why.{part}', tag='summary')}<div></div></details>" for part in PARTS
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
