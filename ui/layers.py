"""The Layers tab: what each layer of a network does, and where its parameters and its arithmetic are."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr
import numpy as np

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.checkpoint import CheckpointError
from cnn_models.decode import PictureError, decode
from cnn_models.layers.channels import flow
from cnn_models.layers.table import Column, as_csv, column, markdown, shape
from cnn_models.preprocess import BlankPicture, to_dataset_form
from ui.board import note_html
from ui.diagram import diagram
from ui.layer_rows import family, ids, memory, milliseconds, percent, rows
from ui.sketchpad import picture_of
from ui.strips import png, strips

IMAGENET_SIZE = 224  # the side that the networks of ImageNet were made for
NOTE = (
    "Networks are aligned by the size of their maps: 224, 56, 28, 14, 7 … and what is nearest to them. "
    "Output: channels × height × width. Sees: the side, in pixels, of the square of the input that one value depends "
    "on at most. Memory: what the outputs of a layer add for one picture, as float32. MACs: multiply-accumulates of "
    "convolutions and linear layers for one picture. Time: of one picture on this machine, now; the median of five. "
    "A row opens to its formulas."
)
DRAWN = (
    "Your drawing flows through: below each layer are its strongest channels, those with the largest mean absolute "
    "value. Zero is black, positive white, negative blue; choose a strip to enlarge it. A silent channel is zero "
    "everywhere."
)
NOTHING_DRAWN = DRAWN.replace("Your drawing", "Nothing is drawn on the Compare tab yet, so a test picture")
# What is drawn on the Compare tab, and of which data set it is.
DRAWING = """(networks, size) => {
  const dataset = document.querySelector("input[name=dataset]:checked")?.value;
  return [networks, size, window.lineup.drawing?.value ?? "", dataset ?? ""];
}"""
SAMPLE = Path(__file__).parent / "samples" / "7.png"
NONE = "Choose a network."
COPY = (("markdown", "Copy as Markdown"), ("csv", "Copy as CSV"))


def layers_tab(hub: ModelHub, tab: gr.Tab) -> None:
    """Chooser of the networks, of the input size where there are two, and the networks layer by layer.

    Whenever the tab is opened, the drawing flows through those that are trained.
    """

    def show(names: list[str], size: int, value: object, dataset: str) -> tuple[dict, str]:
        chosen = [name for name in ARCHITECTURES if name in names]
        columns = columns_of(chosen, size)
        found, text = flows(columns, value, dataset, hub)
        return gr.update(visible=any(len(sizes_of(name)) > 1 for name in chosen)), page(columns, found, text)

    first = [next(iter(ARCHITECTURES))]
    networks = gr.CheckboxGroup(
        [(f"{spec.title} ({spec.year})", name) for name, spec in ARCHITECTURES.items()],
        value=first,
        label="Networks",
        show_label=False,
        container=False,
        elem_id="layers-network",
    )
    both = sorted({size for name in ARCHITECTURES if len(sizes_of(name)) > 1 for size in sizes_of(name)})
    titles = " and ".join(ARCHITECTURES[name].title for name in ARCHITECTURES if len(sizes_of(name)) > 1)
    size = gr.Radio(
        [(f"{titles} at {side} × {side}", side) for side in both],
        value=both[0],
        label="Input size",
        show_label=False,
        container=False,
        visible=False,
        elem_id="layers-size",
    )
    table = gr.HTML(
        page(columns_of(first, both[0]), [{}], ""),
        js_on_load=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
        elem_id="layers",
        apply_default_css=False,
    )
    drawing = [gr.Textbox(visible=False), gr.Textbox(visible=False)]  # filled in by DRAWING
    event = {
        "inputs": [networks, size, *drawing],
        "js": DRAWING,
        "outputs": [size, table],
        "queue": False,
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "api_visibility": "private",
    }
    networks.input(show, **event)
    size.input(show, **event)
    tab.select(show, **event)


def sizes_of(name: str) -> list[int]:
    """The input sizes to show a network at: the one it is run at here, and that of ImageNet if it takes it."""
    spec = ARCHITECTURES[name]
    return [spec.input_size] + [IMAGENET_SIZE] * (spec.input_size < IMAGENET_SIZE and IMAGENET_SIZE in spec.sizes)


def grid_of(value: str, dataset: str) -> np.ndarray | None:
    """The sketchpad's value as networks see it, 28 x 28 uint8; None where nothing is drawn. Raises PictureError."""
    picture = picture_of(value)
    try:
        return None if picture is None else to_dataset_form(decode(picture), DATASETS[dataset])
    except BlankPicture:
        return None


def columns_of(names: Sequence[str], size: int) -> list[Column]:
    """The networks; `size` is for those that have two."""
    return [column(name, size if size in sizes_of(name) else None) for name in names]


def flows(columns: list[Column], value: object, dataset: str, hub: ModelHub) -> tuple[list[dict[int, str]], str]:
    """What each network's steps make of the sketchpad's value, by index, and the picture with what there is to say.

    Both come from the visitor. Where nothing is drawn, a test picture flows.
    """
    try:
        grid, word = grid_of(value, dataset), DRAWN
        if grid is None:
            grid, word = decode(SAMPLE.with_name(f"{dataset}.{SAMPLE.name}")), NOTHING_DRAWN
    except PictureError as error:
        return [{}] * len(columns), f"<p class='layers-facts'>{escape(str(error))}</p>"
    found, notes = [], []
    for each in columns:
        try:
            net = hub.get(f"{each.name}.{dataset}")
            found.append(strips(net.model, each.network, flow(net.model, net.card, grid, each.network.inputs[0][-1])))
        except CheckpointError as error:
            found.append({})
            notes.append(f"<p class='layers-facts'>{note_html(f'{ARCHITECTURES[each.name].title}: {error}.')}</p>")
    return found, f"<div class='layers-drawing'><img src='{png(grid)}' alt=''><p>{word}</p></div>{''.join(notes)}"


def page(columns: list[Column], found: list[dict[int, str]], drawing: str) -> str:
    """The networks as HTML: facts, totals and diagram of each, and their layers with what flows through them."""
    if not columns:
        return f"<p class='layers-facts'>{NONE}</p>"
    heads = "".join(head(each, index) for index, each in enumerate(columns))
    texts = {"markdown": markdown(columns), "csv": as_csv(columns)}
    buttons = "".join(
        f"<button type='button' data-copy='{escape(texts[key], quote=True)}'>{label}</button>" for key, label in COPY
    )
    return (
        f"{heads}<div class='layers-tools'>{buttons}<span role='status'></span></div>{drawing}"
        f"{rows(columns, found)}<p class='layers-note'>{NOTE}</p>"
    )


def head(column: Column, index: int) -> str:
    """Facts, totals and diagram of a network."""
    spec = ARCHITECTURES[column.name]
    return (
        f"<section class='layers-network'><h3>{escape(spec.title)}</h3><p class='layers-facts'>{escape(spec.summary)} "
        f"<a href='{escape(spec.url)}' target='_blank' rel='noopener'>{escape(spec.paper)}</a></p>"
        f"<div class='layers-totals'>{totals(column)}</div>"
        f"{diagram(column.network, spec.title, ids(index))}</section>"
    )


def totals(column: Column) -> str:
    """The big numbers; parameters and MACs with a strip that shows which layers hold them."""
    tiles, network = [], column.network
    for quantity, label in (("parameters", "parameters"), ("macs", "multiply-accumulates")):
        whole = getattr(network, quantity)
        parts = [(layer, part) for layer in network.children if (part := getattr(layer, quantity))]
        strip = "".join(
            f"<i class='{family(layer)}' style='flex-grow:{part}' "
            f"title='{escape(layer.name)}: {part:,} ({percent(part / whole)})'></i>"
            for layer, part in parts
        )
        linear = sum(getattr(step, quantity) for step in network.steps() if step.kind == "linear") / whole
        tiles.append(
            f"<div><b>{whole:,}</b> {label}<div class='layers-strip' aria-hidden='true'>{strip}</div>"
            f"<small><i class='layers-convolution'></i>convolutions {percent(1 - linear)}"
            f"<i class='layers-linear'></i>linear {percent(linear)}</small></div>"
        )
    tiles.append(
        f"<div><b>{shape(network.inputs[0])}</b> input<br>{shape(network.output)} logits out<br>"
        f"{memory(network.memory)} of outputs, {milliseconds(column.time(network))} here</div>"
    )
    return "".join(tiles)
