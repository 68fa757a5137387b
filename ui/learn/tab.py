"""The Learn tab: a path of lessons, each with a question, figures that follow their controls, and what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import gradio as gr

from cnn_models import ModelHub
from cnn_models.architectures import googlenet
from cnn_models.layers import architecture_layers
from cnn_models.specs import IMAGENET_SIZE
from ui.common.modules import event_js, on_load
from ui.common.reading import whole
from ui.common.templates import render
from ui.common.texts import say
from ui.learn import findings, lessons
from ui.learn.blocks import inception_page, shortcuts_page
from ui.learn.ensembles import ensembles_page
from ui.learn.findings import why


class Control(NamedTuple):
    """A slider over integers; its label is the text `lesson.<name>`."""

    name: str
    low: int
    high: int
    value: int


SIZE, KERNEL = Control("size", 1, 10, 8), Control("kernel", 1, 7, 3)
STRIDE, PADDING = Control("stride", 1, 4, 1), Control("pad", 0, 3, 0)
CHANNELS, _, _, (FIVE_REDUCE, FIVE), _ = googlenet.BLOCKS["3a"]
_FIVE = next(
    step for step in architecture_layers("googlenet", IMAGENET_SIZE).steps() if step.name == "inception3a.five"
)
SIDE = _FIVE.output[-1]
# The figures that are computed from their sliders alone.
PAGES: dict[str, tuple[Callable[..., str], tuple[Control, ...]]] = {
    "convolution": (
        lessons.convolution,
        (SIZE, KERNEL, STRIDE, PADDING, Control("channels", 1, 3, 2),
         Control("filters", 1, 3, 2), Control("filter", 1, 3, 1)),
    ),
    "pooling": (lessons.pooling, (SIZE, KERNEL._replace(value=2), STRIDE._replace(value=2), PADDING)),
    "pointwise": (
        lessons.pointwise,
        (Control("channels", 1, 512, CHANNELS), Control("filters", 1, 512, FIVE), Control("size", 1, 112, SIDE),
         Control("kernel", 1, 11, 5), Control("middle", 1, 256, FIVE_REDUCE)),
    ),
    "dense": (lessons.dense_or_average, (Control("units", 1, 4096, 10),)),
}  # fmt: skip
ANIMATED = ("convolution", "pooling")
# The lessons on trained networks.
REAL: dict[str, Callable[[ModelHub, gr.Tab, gr.Tab, gr.HTML], None]] = {
    "inception": inception_page,
    "shortcuts": shortcuts_page,
    "ensembles": ensembles_page,
}
ORDER = ("convolution", "pooling", "pointwise", "inception", "dense", "shortcuts", "ensembles")


def learn_tab(hub: ModelHub, learn: gr.Tab) -> None:
    """The lessons as tabs; `learn` is the tab around them."""
    with gr.Tabs(overflow_behavior="wrap", elem_id="lessons"):
        for index, name in enumerate(ORDER):
            # The ids are in addresses, see `ui/common/place.js`.
            with gr.Tab(say("en", f"learn.{name}"), elem_id=f"learn-{name}") as tab:
                _lesson(hub, learn, tab, index)


def _lesson(hub: ModelHub, learn: gr.Tab, tab: gr.Tab, index: int) -> None:
    """The question, the figures with their controls, what was found, and links to the lessons before and after."""
    name = ORDER[index]
    gr.HTML(render("learn/opening.html", name=name, number=index + 1, count=len(ORDER)), apply_default_css=False)
    found = gr.HTML(
        render("common/waiting.html"), elem_id=f"{name}-found", elem_classes="lesson-found", apply_default_css=False,
        render=False,
    )  # fmt: skip
    if name in REAL:
        REAL[name](hub, tab, learn, found)
    else:
        if name == "dense":
            with gr.Row(elem_classes="lesson-row"):
                why(name)
                gr.HTML(lessons.networks(), apply_default_css=False)
        _sliders(name, *PAGES[name])
    if name in findings.MEASURED:
        tab.select(lambda: findings.MEASURED[name](hub), None, found, **findings.EVENT)
    elif name in findings.COMPUTED:
        found.value = findings.COMPUTED[name]()
    around = {"back": ORDER[index - 1] if index else "", "next": ORDER[index + 1] if index + 1 < len(ORDER) else ""}
    with gr.Row(elem_classes="lesson-end"):
        found.render()
        gr.HTML(render("learn/ending.html", around=around), js_on_load=on_load("learn/tab.js"), apply_default_css=False)


def _sliders(name: str, page: Callable[..., str], controls: tuple[Control, ...]) -> None:
    """Sliders beside the figure they change."""
    with gr.Row(elem_classes="lesson-row"):
        with gr.Column():
            if name != "dense":
                why(name)
            with gr.Group(elem_classes="lesson-sliders"):
                inputs = [
                    gr.Slider(c.low, c.high, c.value, step=1, label=say("en", f"lesson.{c.name}")) for c in controls
                ]
        shown = gr.HTML(
            page(*(c.value for c in controls)), elem_id=f"{name}-shown", apply_default_css=False,
            js_on_load=on_load("learn/window.js") if name in ANIMATED else None,
        )  # fmt: skip

    def show(*values: object) -> str:
        return page(*(whole(c.name, value, c.low, c.high) for value, c in zip(values, controls, strict=True)))

    # `change`, as a slider's reset button triggers no `input`.
    gr.on(
        [slider.change for slider in inputs], show, inputs, shown,
        js=event_js("learn/tab.js", "within", [(c.low, c.high) for c in controls]), **findings.EVENT,
    )  # fmt: skip
