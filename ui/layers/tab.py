"""The Layers tab: what each layer of a network does, and where its parameters and its arithmetic are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from html import escape

import gradio as gr
import numpy as np

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.images.decode import PictureError
from cnn_models.layers import Layer
from cnn_models.layers.channels import flow
from cnn_models.layers.run import RUNS
from cnn_models.layers.table import FIRST_STAGE, Column, as_csv, column, markdown, shape
from cnn_models.specs import IMAGENET_SIZE
from ui.common.drawing import SENT, drawing_of
from ui.common.modules import on_load
from ui.common.numbers import memory, milliseconds, whole_percent
from ui.common.reading import all_known, whole
from ui.common.strips import png, strips
from ui.common.texts import mark, mark_error, say
from ui.layers.diagram import diagram
from ui.layers.rows import family, ids, rows
from ui.layers.versus import versus


def layers_tab(hub: ModelHub, tab: gr.Tab) -> None:
    """Chooser of the networks, of the input size where there are two, and the networks layer by layer.

    Whenever the tab is opened, the drawing flows through those that are trained.
    """

    def show(names: object, size: object, seen: object, value: object, dataset: object) -> tuple:
        names, size = all_known(names, ARCHITECTURES), whole(size, both[0], both[-1])
        chosen = [name for name in ARCHITECTURES if name in names]
        now = [chosen, size, value, dataset, [card.weights_sha256 for card in hub.cards().values()]]
        if now == seen:  # megabytes, for five networks
            return gr.skip(), gr.skip(), now
        columns = columns_of(chosen, size)
        found, text = flows(columns, value, dataset, hub)
        sizes = gr.update(visible=any(len(sizes_of(name)) > 1 for name in chosen))
        return sizes, page(columns, found, text), now if all(found) else None

    first = [next(iter(ARCHITECTURES))]
    networks = gr.CheckboxGroup(
        [(f"{spec.title} ({spec.year})", name) for name, spec in ARCHITECTURES.items()],
        value=first,
        label=say("en", "layers.networks"),
        show_label=False,
        container=False,
        elem_id="layers-network",
    )
    both = sorted({size for name in ARCHITECTURES if len(sizes_of(name)) > 1 for size in sizes_of(name)})
    titles = ", ".join(ARCHITECTURES[name].title for name in ARCHITECTURES if len(sizes_of(name)) > 1)
    size = gr.Radio(
        [(f"{titles}: {side}×{side}", side) for side in both],
        value=both[0],
        label=say("en", "layers.size"),
        show_label=False,
        container=False,
        visible=False,
        elem_id="layers-size",
    )
    table = gr.HTML(
        page(columns_of(first, both[0]), [{}], ""),
        js_on_load=on_load("layers/tab.js"),
        elem_id="layers",
        apply_default_css=False,
    )
    seen, drawing = gr.State(), [gr.Textbox(visible=False), gr.Textbox(visible=False)]  # filled in by SENT
    gr.HTML(versus(), elem_id="versus", apply_default_css=False)
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


def sizes_of(name: str) -> list[int]:
    """The input sizes to show a network at: the one it is run at here, and that of ImageNet if it takes it."""
    spec = ARCHITECTURES[name]
    return [spec.input_size] + [IMAGENET_SIZE] * (spec.input_size < IMAGENET_SIZE and IMAGENET_SIZE in spec.sizes)


def columns_of(names: Sequence[str], size: int) -> list[Column]:
    """The networks; `size` is for those that have two."""
    return [column(name, size if size in sizes_of(name) else None) for name in names]


def flows(columns: list[Column], value: object, dataset: object, hub: ModelHub) -> tuple[list[dict[int, str]], str]:
    """What each network's steps make of the sketchpad's value, by index, and the picture with what there is to say.

    Both come from the visitor. Where nothing is drawn, a test picture flows.
    """
    try:
        grid, dataset, is_drawn = drawing_of(value, dataset)
    except PictureError as error:
        return [{}] * len(columns), f"<p class='layers-facts'>{mark_error(error)}</p>"
    found, notes = [], []
    for each in columns:
        try:
            found.append(hub.run(f"{each.name}.{dataset}", partial(_strips, each.network, grid)))
        except CheckpointError as error:
            found.append({})
            why = f"{mark_error(error)}{mark('list.stop')}"
            notes.append(f"<p class='layers-facts'>{escape(ARCHITECTURES[each.name].title)}: {why}</p>")
    text = f"<p>{mark('layers.drawn' if is_drawn else 'layers.undrawn')} {mark('layers.strips')}</p>"
    return found, f"<div class='layers-drawing'><img src='{png(grid)}' alt=''>{text}</div>{''.join(notes)}"


def _strips(network: Layer, grid: np.ndarray, net: LoadedModel) -> dict[int, str]:
    return strips(net.model, net.card, network, flow(net.model, net.card, grid, network.inputs[0][-1]))


def page(columns: list[Column], found: list[dict[int, str]], drawing: str) -> str:
    """The networks as HTML: facts, totals and diagram of each, and their layers with what flows through them."""
    if not columns:
        return f"<p class='layers-facts'>{mark('layers.none')}</p>"
    heads = "".join(head(each, index) for index, each in enumerate(columns))
    texts = {"markdown": markdown(columns), "csv": as_csv(columns)}
    buttons = "".join(
        f"<button type='button' data-copy='{escape(text, quote=True)}'>{mark(f'layers.copy.{key}')}</button>"
        for key, text in texts.items()
    )
    copied = f"<span role='status' hidden>{mark('layers.copied')}</span>"
    note = mark("layers.note", "p class='layers-note'", first=FIRST_STAGE, runs=RUNS)
    return f"{heads}<div class='layers-tools'>{buttons}{copied}</div>{drawing}{rows(columns, found)}{note}"


def head(column: Column, index: int) -> str:
    """Facts, totals and diagram of a network."""
    spec = ARCHITECTURES[column.name]
    return (
        f"<section class='layers-network'><h2>{escape(spec.title)}</h2>"
        f"<p class='layers-facts'>{mark(f'summary.{spec.name}')} "
        f"<a href='{escape(spec.url)}' target='_blank' rel='noopener'>{escape(spec.paper)}</a></p>"
        f"<div class='layers-totals'>{totals(column)}</div>"
        f"{diagram(column.network, spec.title, ids(index))}</section>"
    )


def totals(column: Column) -> str:
    """The big numbers; parameters and MACs with a strip that shows which layers hold them."""
    tiles, network = [], column.network
    for quantity in ("parameters", "macs"):
        whole = getattr(network, quantity)
        parts = [(layer, part) for layer in network.children if (part := getattr(layer, quantity))]
        strip = "".join(
            f"<i class='{family(layer)}' style='flex-grow:{part}' "
            f"title='{escape(layer.name)}: {part:,} ({whole_percent(part / whole)})'></i>"
            for layer, part in parts
        )
        linear = sum(getattr(step, quantity) for step in network.steps() if step.kind == "linear") / whole
        tiles.append(
            f"<div><b>{whole:,}</b> {mark(f'layers.sum.{quantity}')}"
            f"<div class='layers-strip' aria-hidden='true'>{strip}</div>"
            f"<small><i class='layers-convolution'></i>{mark('layers.convolutions')} {whole_percent(1 - linear)}"
            f"<i class='layers-linear'></i>{mark('layers.linears')} {whole_percent(linear)}</small></div>"
        )
    used = {"memory": memory(network.memory), "time": milliseconds(column.time(network))}
    tiles.append(
        f"<div><b>{shape(network.inputs[0])}</b> {mark('layers.sum.input')}<br>"
        f"{mark('layers.sum.output', output=shape(network.output))}<br>{mark('layers.sum.memory', **used)}</div>"
    )
    return "".join(tiles)
