"""The Layers tab: shapes, parameters and multiply-accumulates (MACs) of each layer of a network."""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.layers.table import Column, column
from cnn_models.specs import IMAGENET_SIZE
from ui.common.drawing import SENT
from ui.common.modules import on_load
from ui.common.reading import all_known, whole
from ui.common.texts import say
from ui.layers.comparison import comparison
from ui.layers.page import flows, page
from ui.layers.similarity import similarity_component

DEFAULT = [next(iter(ARCHITECTURES))]  # the networks chosen at the start


def layers_tab(hub: ModelHub, tab: gr.Tab) -> None:
    """Choosers of the networks and of the input size, their layers, LeNet-5 beside AlexNet, similarities of layers.

    Opening the tab computes the activations of the drawing in the trained networks.
    """
    networks, size = _choosers()
    table = gr.HTML(
        page(columns_of(DEFAULT, SIZES[0]), [{}], ""),
        js_on_load=on_load("layers/tab.js"),
        elem_id="layers-page",
        apply_default_css=False,
    )
    seen, drawing = gr.State(), [gr.Textbox(visible=False), gr.Textbox(visible=False)]  # filled in by SENT
    gr.HTML(comparison(), elem_id="versus", apply_default_css=False)
    similarity_component(hub)

    def show(names: object, size: object, seen: object, value: object, dataset: object) -> tuple:
        names, size = all_known("networks", names, ARCHITECTURES), whole("size", size, SIZES[0], SIZES[-1])
        chosen = [name for name in ARCHITECTURES if name in names]
        now = [chosen, size, value, dataset, [card.weights_sha256 for card in hub.cards().values()]]
        if now == seen:  # the page has it already: megabytes, for five networks
            return gr.skip(), gr.skip(), now
        columns = columns_of(chosen, size)
        found, text = flows(columns, value, dataset, hub)
        sizes = gr.update(visible=any(len(sizes_of(name)) > 1 for name in chosen))
        return sizes, page(columns, found, text), now if all(found) else None

    gr.on(
        [networks.input, size.input, tab.select],
        show,
        [networks, size, seen, *drawing],
        [size, table, seen],
        js=SENT,
        queue=False,
        show_progress="hidden",
        trigger_mode="always_last",
        api_visibility="private",
    )


def _choosers() -> tuple[gr.CheckboxGroup, gr.Radio]:
    """Choosers of the networks and of the input size, hidden until a network with two sizes is chosen."""
    networks = gr.CheckboxGroup(
        [(f"{spec.title} ({spec.year})", name) for name, spec in ARCHITECTURES.items()],
        value=DEFAULT,
        label=say("en", "layers.networks"),
        show_label=False,
        container=False,
        elem_id="layers-network",
    )
    titles = ", ".join(spec.title for name, spec in ARCHITECTURES.items() if len(sizes_of(name)) > 1)
    size = gr.Radio(
        [(f"{titles}: {side}×{side}", side) for side in SIZES],
        value=SIZES[0],
        label=say("en", "layers.size"),
        show_label=False,
        container=False,
        visible=False,
        elem_id="layers-size",
    )
    return networks, size


def sizes_of(name: str) -> list[int]:
    """The input size of a network's checkpoints, and that of ImageNet if it is larger and the network accepts it."""
    spec = ARCHITECTURES[name]
    return [spec.input_size] + [IMAGENET_SIZE] * (spec.input_size < IMAGENET_SIZE and IMAGENET_SIZE in spec.sizes)


def columns_of(names: Sequence[str], size: int) -> list[Column]:
    """The networks with their layers; `size` applies to those with two sizes."""
    return [column(name, size if size in sizes_of(name) else None) for name in names]


SIZES = sorted({size for name in ARCHITECTURES if len(sizes_of(name)) > 1 for size in sizes_of(name)})
