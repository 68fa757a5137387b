"""The page of a branch ablation on the Learn tab: chooser of the network, switches, and what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from cnn_models import ARCHITECTURES, ModelHub
from ui.common.modules import event_js, on_load
from ui.common.reading import fields, known, text
from ui.common.texts import mark, say
from ui.learn.ablation import Ablation, More
from ui.learn.ablation_grid import SEPARATOR, grid
from ui.learn.newest import Newest

MODULE = "learn/ablation.js"
EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


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
    when, now, grid_id = gr.Number(visible=False), event_js(MODULE, "time"), f"{name}-off"
    show: dict[str, Any] = {
        "fn": requests.show,
        "inputs": [parts.network, off, when, *drawing],
        "outputs": [parts.answers, parts.accuracy, parts.more],
        "trigger_mode": "multiple",  # the newest ends the others
        **EVENT,
    }
    sent = event_js(MODULE, "withParts", grid_id)
    page, whole = tabs
    around = [tab.parent for tab in tabs if isinstance(tab.parent, gr.Tabs)]
    gr.on([tabs.select for tabs in around], requests.leave, when, js=now, queue=False, **EVENT)
    parts.each.click(
        requests.each_part, [parts.network, when, *drawing], parts.table, trigger_mode="once",
        js=event_js(MODULE, "withTime"), **EVENT,
    )  # fmt: skip
    # Meanwhile there may be another drawing, or another data set.
    gr.on([page.select, whole.select], requests.clear, when, parts.table, js=now, queue=False, **EVENT)
    gr.on([page.select, parts.off.input], **show, js=sent)
    whole.select(**show, js=event_js(MODULE, "withPartsIfOpen", grid_id, name))
    chosen = parts.network.input(
        requests.choose, [parts.network, when], [parts.off, parts.table],
        js=event_js(MODULE, "withNoneOff", grid_id), queue=False, **EVENT,
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
            off = gr.HTML(grid(names[0]), js_on_load=on_load(MODULE), elem_id=f"{name}-off", apply_default_css=False)
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
    ) -> Iterator[tuple | dict]:
        if dataset:
            found = self.ablation.show(name, text(off).split(SEPARATOR), value, dataset, self.more)
            yield from self.answers.stream(request, when, found)
        else:  # this page is not the one that is open
            yield gr.skip(), gr.skip(), gr.skip()

    def each_part(
        self, name: object, when: object, value: object, dataset: object, request: gr.Request
    ) -> Iterator[str | dict]:
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
