"""The page of a branch ablation on the Learn tab: chooser of the network, switches, and what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import gradio as gr

from cnn_models import ARCHITECTURES, ModelHub
from ui.common.drawing import SENT
from ui.common.reading import fields, known, text
from ui.common.texts import mark, say
from ui.learn.ablation import Ablation, More
from ui.learn.ablation_grid import NONE_OFF, OFF, SEPARATOR, grid
from ui.learn.newest import Newest

NOW = "performance.now()"
CODE = Path(__file__).with_name("ablation_grid.js").read_text(encoding="utf-8")
# SENT where a page is the chosen one of the Learn tab, else no data set: there may be another drawing when that is
# opened again.
CHOSEN = """(...inputs) => document.querySelector("#learn [role=tab][aria-selected=true]")?.dataset.text === "learn.%s"
  ? (%s)(...inputs) : [...inputs.slice(0, -1), ""]"""
EVENT = {"show_progress": "hidden", "api_visibility": "private"}


class Components(NamedTuple):
    """The chooser, the switches, a button, and the HTML of what `Ablation` finds."""

    network: gr.Radio
    off: gr.HTML
    each: gr.Button
    answers: gr.HTML
    accuracy: gr.HTML
    table: gr.HTML
    more: gr.HTML


def ablation_page(hub: ModelHub, tabs: tuple[gr.Tab, gr.Tab], names: Sequence[str], name: str, more: More) -> None:
    """The page `name` of the Learn tab on some architectures; `tabs` are its own and the one around it."""
    parts, requests = _components(names, name), _Requests(hub, tabs, names, more)
    off, *drawing = [gr.Textbox(visible=False) for _ in range(3)]  # filled in by the JavaScript of the events
    when = gr.Number(visible=False)
    sent = f"(network, off, when, ...drawing) => ({SENT})(network, {OFF % f'{name}-off'}, {NOW}, ...drawing)"
    show = {
        "fn": requests.show,
        "inputs": [parts.network, off, when, *drawing],
        "outputs": [parts.answers, parts.accuracy, parts.more],
        "trigger_mode": "multiple",  # the newest ends the others
        **EVENT,
    }
    page, whole = tabs
    gr.on([tab.parent.select for tab in tabs], requests.leave, when, js=f"() => {NOW}", queue=False, **EVENT)
    listing = f"(network, when, ...drawing) => ({SENT})(network, {NOW}, ...drawing)"
    parts.each.click(
        requests.each_part, [parts.network, when, *drawing], parts.table, trigger_mode="once", js=listing, **EVENT
    )
    # Meanwhile there may be another drawing, or another data set.
    gr.on([page.select, whole.select], requests.clear, when, parts.table, js=f"() => {NOW}", queue=False, **EVENT)
    gr.on([page.select, parts.off.input], **show, js=sent)
    whole.select(**show, js=CHOSEN % (name, sent))
    chosen = parts.network.input(
        requests.choose, [parts.network, when], [parts.off, parts.table], js=NONE_OFF % (f"{name}-off", NOW),
        queue=False, **EVENT,
    )  # fmt: skip
    chosen.then(**show, js=sent)


def _components(names: Sequence[str], name: str) -> Components:
    with gr.Row():
        with gr.Column(scale=0, min_width=280):
            network = gr.Radio(
                [(ARCHITECTURES[each].title, each) for each in names],
                value=names[0], label=say("en", "why.network"), show_label=False, container=False,
                visible=len(names) > 1,
            )  # fmt: skip
            off = gr.HTML(grid(names[0]), js_on_load=CODE, elem_id=f"{name}-off", apply_default_css=False)
            each = gr.Button(say("en", "switches.each"), size="sm")
        with gr.Column(scale=1):
            gr.HTML(mark(f"learn.{name}.why", "p class='lesson-why'"), apply_default_css=False)
            ids = (f"learn-{name}", f"{name}-test", f"{name}-each", f"{name}-more")
            shown = [gr.HTML("", elem_id=id, apply_default_css=False) for id in ids]
    return Components(network, off, each, *shown)


class _Requests:
    """What the events of a page run; every argument but `request` comes from the visitor."""

    def __init__(self, hub: ModelHub, tabs: tuple[gr.Tab, gr.Tab], names: Sequence[str], more: More):
        self.ablation, self.names, self.more = Ablation(hub, names), names, more
        self.labels = [tab.label for tab in tabs]
        self.answers, self.tables = Newest(), Newest()

    def show(
        self, name: object, off: object, when: object, value: object, dataset: object, request: gr.Request
    ) -> Iterator[tuple]:
        if dataset:
            found = self.ablation.show(name, text(off).split(SEPARATOR), value, dataset, self.more)
            yield from self.answers.stream(request, when, found)
        else:  # this page is not the one that is open
            yield gr.skip(), gr.skip(), gr.skip()

    def each_part(
        self, name: object, when: object, value: object, dataset: object, request: gr.Request
    ) -> Iterator[str]:
        yield from self.tables.stream(request, when, self.ablation.each_part(name, value, dataset))

    def clear(self, when: object, request: gr.Request) -> str:
        """An empty table."""
        self.tables.end(request, when)
        return ""

    def choose(self, name: object, when: object, request: gr.Request) -> tuple[str, str]:
        """The switches of another network, and an empty table."""
        switches = grid(known(name, self.names))
        self.answers.end(request, when)
        return switches, self.clear(when, request)

    def leave(self, when: object, opened: gr.EventData, request: gr.Request) -> None:
        """End all requests, unless the tab that was opened is this one."""
        if fields(opened._data, {}).get("value") not in self.labels:
            self.answers.end(request, when)
            self.tables.end(request, when)
