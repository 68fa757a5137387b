"""A page of the Learn tab with a branch ablation: network, checkboxes for its branches, results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from cnn_models import ARCHITECTURES, ModelHub
from ui.common.modules import event_js, on_load
from ui.common.reading import fields, known, text
from ui.common.templates import render
from ui.common.texts import say
from ui.learn.ablation import Ablation, Extra
from ui.learn.ablation_grid import SEPARATOR, grid
from ui.learn.findings import why
from ui.learn.newest import Newest

MODULE = "learn/ablation.js"
EVENT: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def ablation_page(hub: ModelHub, tabs: tuple[gr.Tab, gr.Tab], names: Sequence[str], name: str, extra: Extra) -> None:
    """The page `name` for some architectures; `tabs` are the page's own and the Learn tab."""
    network, checkboxes, each, (predictions, accuracy, table, extra_html) = _components(names, name)
    requests = _Requests(hub, tabs, names, extra)
    off, *drawing = [gr.Textbox(visible=False) for _ in range(3)]  # filled in by the JavaScript of the events
    when, now, grid_id = gr.Number(visible=False), event_js(MODULE, "time"), f"{name}-off"
    show: dict[str, Any] = {
        "fn": requests.show,
        "inputs": [network, off, when, *drawing],
        "outputs": [predictions, accuracy, extra_html],
        "trigger_mode": "multiple",  # `Newest` ends the older ones
        **EVENT,
    }
    sent = event_js(MODULE, "withParts", grid_id)
    page, learn = tabs
    around = [tab.parent for tab in tabs if isinstance(tab.parent, gr.Tabs)]
    gr.on([tabs.select for tabs in around], requests.leave, when, js=now, queue=False, **EVENT)
    each.click(
        requests.each_part, [network, when, *drawing], table, trigger_mode="once",
        js=event_js(MODULE, "withTime"), **EVENT,
    )  # fmt: skip
    # The drawing or the data set may have changed since the page was left.
    gr.on([page.select, learn.select], requests.clear, when, table, js=now, queue=False, **EVENT)
    gr.on([page.select, checkboxes.input], **show, js=sent)
    learn.select(**show, js=event_js(MODULE, "withPartsIfOpen", grid_id, name))
    chosen = network.input(
        requests.choose, [network, when], [checkboxes, table],
        js=event_js(MODULE, "withNoneOff", grid_id), queue=False, **EVENT,
    )  # fmt: skip
    chosen.then(**show, js=sent)


def _components(names: Sequence[str], name: str) -> tuple[gr.Radio, gr.HTML, gr.Button, list[gr.HTML]]:
    """The network, the checkboxes, the button for all parts one by one, and predictions, accuracy, table and extra."""
    with gr.Row(elem_classes="lesson-row"):
        with gr.Column():
            why(name)
            network = gr.Radio(
                [(ARCHITECTURES[each].title, each) for each in names],
                value=names[0], label=say("en", "why.network"), show_label=False, container=False,
                visible=len(names) > 1,
            )  # fmt: skip
            off = gr.HTML(grid(names[0]), js_on_load=on_load(MODULE), elem_id=f"{name}-off", apply_default_css=False)
            each = gr.Button(say("en", "ablation.each"), size="sm")
        with gr.Column():
            shown = [
                gr.HTML(render("common/waiting.html"), elem_id=f"{name}-shown", apply_default_css=False),
                *(gr.HTML("", elem_id=f"{name}-{part}", apply_default_css=False) for part in ("test", "each")),
            ]
    return network, off, each, [*shown, gr.HTML("", elem_id=f"{name}-more", apply_default_css=False)]


class _Requests:
    """The functions of the page's events; every argument but `request` comes from the visitor."""

    def __init__(self, hub: ModelHub, tabs: tuple[gr.Tab, gr.Tab], names: Sequence[str], extra: Extra):
        self.ablation, self.names, self.extra = Ablation(hub, names), names, extra
        self.labels = [tab.label for tab in tabs]
        self.predictions, self.tables = Newest(), Newest()

    def show(
        self, name: object, off: object, when: object, value: object, dataset: object, request: gr.Request
    ) -> Iterator[tuple | dict]:
        """Predictions, accuracy and extra HTML, as `Ablation.show`."""
        if dataset:
            parts = [part for part in text("off", off).split(SEPARATOR) if part]
            found = self.ablation.show(name, parts, value, dataset, self.extra)
            yield from self.predictions.stream(request, when, found)
        else:  # another page of the Learn tab is open
            yield gr.skip(), gr.skip(), gr.skip()

    def each_part(
        self, name: object, when: object, value: object, dataset: object, request: gr.Request
    ) -> Iterator[str | dict]:
        """The table of all parts, as `Ablation.each_part`."""
        yield from self.tables.stream(request, when, self.ablation.each_part(name, value, dataset))

    def clear(self, when: object, request: gr.Request) -> str:
        """An empty table; ends a request for one."""
        self.tables.end(request, when)
        return ""

    def choose(self, name: object, when: object, request: gr.Request) -> tuple[str, str]:
        """The checkboxes of another network, and an empty table."""
        checkboxes = grid(known("network", name, self.names))
        self.predictions.end(request, when)
        return checkboxes, self.clear(when, request)

    def leave(self, when: object, opened: gr.EventData, request: gr.Request) -> None:
        """End all requests, unless the tab that was opened is one of the page's `tabs`."""
        if fields("opened", opened._data, {}).get("value") not in self.labels:
            self.predictions.end(request, when)
            self.tables.end(request, when)
