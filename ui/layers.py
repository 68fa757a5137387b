"""The Layers tab: what each layer of a network does, and where its parameters and its arithmetic are."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr

from cnn_models import ARCHITECTURES
from cnn_models.layers.table import Column, as_csv, column, markdown, shape
from ui.diagram import diagram
from ui.layer_rows import family, ids, memory, milliseconds, percent, rows

IMAGENET_SIZE = 224  # the side that the networks of ImageNet were made for
NOTE = (
    "Networks are aligned by the size of their maps: 224, 56, 28, 14, 7 … and what is nearest to them. "
    "Output: channels × height × width. Sees: the side, in pixels, of the square of the input that one value depends "
    "on at most. Memory: what the outputs of a layer add for one picture, as float32. MACs: multiply-accumulates of "
    "convolutions and linear layers for one picture. Time: of one picture on this machine, now; the median of five. "
    "A row opens to its formulas."
)
NONE = "Choose a network."
COPY = (("markdown", "Copy as Markdown"), ("csv", "Copy as CSV"))


def layers_tab() -> None:
    """Chooser of the networks, of the input size where there are two, and the networks layer by layer."""

    def show(names: list[str], size: int) -> tuple[dict, str]:
        chosen = [name for name in ARCHITECTURES if name in names]
        return gr.update(visible=any(len(sizes_of(name)) > 1 for name in chosen)), page(chosen, size)

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
        page(first, both[0]),
        js_on_load=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
        elem_id="layers",
        apply_default_css=False,
    )
    for chooser in (networks, size):
        chooser.input(
            show,
            [networks, size],
            [size, table],
            queue=False,
            show_progress="hidden",
            trigger_mode="always_last",
            api_visibility="private",
        )


def sizes_of(name: str) -> list[int]:
    """The input sizes to show a network at: the one it is run at here, and that of ImageNet if it takes it."""
    spec = ARCHITECTURES[name]
    return [spec.input_size] + [IMAGENET_SIZE] * (spec.input_size < IMAGENET_SIZE and IMAGENET_SIZE in spec.sizes)


def page(names: Sequence[str], size: int) -> str:
    """The networks as HTML: facts, totals and diagram of each, and their layers. `size` is for those that have two."""
    if not names:
        return f"<p class='layers-facts'>{NONE}</p>"
    columns = [column(name, size if size in sizes_of(name) else None) for name in names]
    heads = "".join(head(each, index) for index, each in enumerate(columns))
    texts = {"markdown": markdown(columns), "csv": as_csv(columns)}
    buttons = "".join(
        f"<button type='button' data-copy='{escape(texts[key], quote=True)}'>{label}</button>" for key, label in COPY
    )
    return (
        f"{heads}<div class='layers-tools'>{buttons}<span role='status'></span></div>"
        f"{rows(columns, [{}] * len(columns))}<p class='layers-note'>{NOTE}</p>"
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
