"""The Learn tab: one page for each topic, updated while its controls move."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import gradio as gr

from cnn_models import ModelHub
from cnn_models.architectures import googlenet
from cnn_models.layers import architecture_layers
from cnn_models.specs import IMAGENET_SIZE
from ui.common.modules import event_js
from ui.common.reading import whole
from ui.common.texts import mark, say
from ui.learn import lessons
from ui.learn.blocks import inception_page, shortcuts_page
from ui.learn.ensembles import ensembles_page


class Control(NamedTuple):
    """A slider over integers; its label is the text `lesson.<name>`."""

    name: str
    low: int
    high: int
    value: int


SIZE, KERNEL = Control("size", 1, 10, 8), Control("kernel", 1, 7, 3)
STRIDE, PADDING = Control("stride", 1, 4, 1), Control("pad", 0, 3, 0)
STEP = Control("step", 0, 99, 0)
CHANNELS, _, _, (FIVE_REDUCE, FIVE), _ = googlenet.BLOCKS["3a"]
_FIVE = next(
    step for step in architecture_layers("googlenet", IMAGENET_SIZE).steps() if step.name == "inception3a.five"
)
SIDE = _FIVE.output[-1]
# The pages that are computed from their sliders alone.
PAGES: dict[str, tuple[Callable[..., str], tuple[Control, ...]]] = {
    "convolution": (
        lessons.convolution,
        (SIZE, KERNEL, STRIDE, PADDING, STEP, Control("channels", 1, 3, 2),
         Control("filters", 1, 3, 2), Control("filter", 1, 3, 1)),
    ),
    "pooling": (lessons.pooling, (SIZE, KERNEL._replace(value=2), STRIDE._replace(value=2), PADDING, STEP)),
    "pointwise": (
        lessons.pointwise,
        (Control("channels", 1, 512, CHANNELS), Control("filters", 1, 512, FIVE), Control("size", 1, 112, SIDE),
         Control("kernel", 1, 11, 5), Control("middle", 1, 256, FIVE_REDUCE)),
    ),
    "dense": (lessons.dense_or_average, (Control("units", 1, 4096, 10),)),
}  # fmt: skip
# The pages on trained networks.
REAL: dict[str, Callable[[ModelHub, gr.Tab, gr.Tab], None]] = {
    "inception": inception_page,
    "shortcuts": shortcuts_page,
    "ensembles": ensembles_page,
}
ORDER = ("convolution", "pooling", "pointwise", "inception", "shortcuts", "dense", "ensembles")


def learn_tab(hub: ModelHub, learn: gr.Tab) -> None:
    """The pages as tabs; `learn` is the tab around them."""
    with gr.Tabs(overflow_behavior="wrap"):
        for name in ORDER:
            with gr.Tab(say("en", f"learn.{name}")) as tab:
                if name in REAL:
                    REAL[name](hub, tab, learn)
                else:
                    _sliders(name, *PAGES[name])


def _sliders(name: str, page: Callable[..., str], controls: tuple[Control, ...]) -> None:
    """A page and its sliders."""
    with gr.Row():
        with gr.Column(scale=0, min_width=280):
            inputs = [gr.Slider(c.low, c.high, c.value, step=1, label=say("en", f"lesson.{c.name}")) for c in controls]
        with gr.Column(scale=1):
            gr.HTML(mark(f"learn.{name}.why", "p class='lesson-why'"), apply_default_css=False)
            shown = gr.HTML(page(*(c.value for c in controls)), elem_id=f"learn-{name}", apply_default_css=False)

    def show(*values: object) -> str:
        return page(*(whole(c.name, value, c.low, c.high) for value, c in zip(values, controls, strict=True)))

    # `change`, as a slider's reset button triggers no `input`.
    gr.on(
        [slider.change for slider in inputs], show, inputs, shown,
        js=event_js("learn/tab.js", "within", [(c.low, c.high) for c in controls]),
        queue=False, show_progress="hidden", trigger_mode="always_last", api_visibility="private",
    )  # fmt: skip
