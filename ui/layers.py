"""The Layers tab: what each layer of a network does, and where its parameters and its arithmetic are."""

from __future__ import annotations

from html import escape

import gradio as gr

from cnn_models import ARCHITECTURES
from cnn_models.layers import Layer, architecture_layers

IMAGENET_SIZE = 224  # the side that the networks of ImageNet were made for
HEAD = (
    "<span>Layer</span><span>Window</span><span>Output</span><span>Sees</span>"
    "<span class='layers-number'>Parameters</span><span class='layers-number'>MACs</span>"
)
NOTE = (
    "Output: channels × height × width. Sees: the side, in pixels, of the square of the input that one value depends "
    "on at most. MACs: multiply-accumulates of convolutions and linear layers for one picture."
)


def layers_tab() -> None:
    """Chooser of the network, of the input size where there are two, and the network layer by layer."""

    def show(name: str, size: int) -> tuple[dict, str]:
        sizes = sizes_of(name)
        return gr.update(visible=len(sizes) > 1), page(name, size if size in sizes else sizes[0])

    first, *_ = ARCHITECTURES
    network = gr.Radio(
        [(f"{spec.title} ({spec.year})", name) for name, spec in ARCHITECTURES.items()],
        value=first,
        label="Network",
        show_label=False,
        container=False,
        elem_id="layers-network",
    )
    both = sorted({size for name in ARCHITECTURES if len(sizes_of(name)) > 1 for size in sizes_of(name)})
    size = gr.Radio(
        [(f"{side} × {side} input", side) for side in both],
        value=both[0],
        label="Input size",
        show_label=False,
        container=False,
        visible=len(sizes_of(first)) > 1,
        elem_id="layers-size",
    )
    table = gr.HTML(page(first, sizes_of(first)[0]), elem_id="layers", apply_default_css=False)
    for chooser in (network, size):
        chooser.input(
            show,
            [network, size],
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


def page(name: str, size: int) -> str:
    """A network as HTML: its facts, its totals, its layers. Raises ValueError for a size it cannot take."""
    spec, network = ARCHITECTURES[name], architecture_layers(name, size)
    layers = "".join(item(layer, network) for layer in network.children)
    return (
        f"<p class='layers-facts'>{escape(spec.summary)}"
        f"<br><a href='{escape(spec.url)}' target='_blank' rel='noopener'>{escape(spec.paper)}</a></p>"
        f"<div class='layers-totals'>{totals(network)}</div>"
        f"<div class='layers-scroll' role='region' aria-label='Layers of {escape(spec.title)}' tabindex='0'>"
        f"<div class='layers-row layers-head' aria-hidden='true'>{HEAD}</div>"
        f"<ol>{layers}</ol>"
        f"<div class='layers-row layers-sum'><span>Total</span><span></span><span></span><span></span>"
        f"{number(network.parameters, 'parameters')}{number(network.macs, 'MACs')}</div></div>"
        f"<p class='layers-note'>{NOTE}</p>"
    )


def totals(network: Layer) -> str:
    """The three big numbers; parameters and MACs with a strip that shows which layers hold them."""
    tiles = []
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
    tiles.append(f"<div><b>{shape(network.inputs[0])}</b> input<br>{shape(network.output)} logits out</div>")
    return "".join(tiles)


def item(layer: Layer, network: Layer, parent: str = "") -> str:
    """A layer as a list item; one with children opens, and branches are open from the start."""
    name = layer.name.removeprefix(f"{parent}.")
    if layer.kind == "branch":
        title = f"<b>{escape(name)}</b>"
    else:
        title = f"<b>{escape(layer.kind[:1].upper() + layer.kind[1:])}</b>"
        title += f" <code>{escape(name)}</code>" if name.lower() != layer.kind.lower() else ""
    sees = "all" if layer.receptive_field == network.inputs[0][-1] else f"{layer.receptive_field} px"
    cells = (
        f"<span>{title}</span><span>{window(layer)}</span><span>{shape(layer.output)}</span><span>{sees}</span>"
        + number(layer.parameters, "parameters", max(child.parameters for child in network.children))
        + number(layer.macs, "MACs", max(child.macs for child in network.children))
    )
    quiet = " layers-quiet" if not (layer.parameters or layer.kernel or layer.children) else ""
    if not layer.children:
        return f"<li class='layers-row {family(layer)}{quiet}'>{cells}</li>"
    inside = "".join(item(child, network, layer.name if layer.kind != "branch" else parent) for child in layer.children)
    opened = " open" if layer.kind == "branch" else ""
    return (
        f"<li><details{opened}><summary class='layers-row {family(layer)}'>{cells}</summary>"
        f"<ol>{inside}</ol></details></li>"
    )


def number(value: int, unit: str, most: int = 0) -> str:
    """A figure, its unit for those who listen, and a bar beside it, full at `most`; empty for nothing."""
    if not value:
        return "<span></span>"
    bar = f"<i style='--share:{value / most:.4f}'></i>" if most else ""
    return f"<span class='layers-number'>{value:,}<span class='visually-hidden'> {unit}</span>{bar}</span>"


def family(layer: Layer) -> str:
    return "layers-linear" if layer.kind == "linear" else "layers-convolution"


def window(layer: Layer) -> str:
    """Kernel, and stride and padding where they do something."""
    if not layer.kernel:
        return ""
    stride = f" stride {side(layer.stride)}" if layer.stride != (1, 1) else ""
    padding = f" pad {side(layer.padding)}" if layer.padding != (0, 0) else ""
    return f"{shape(layer.kernel)}<small>{stride}{padding}</small>"


def side(pair: tuple[int, int]) -> str:
    return str(pair[0]) if pair[0] == pair[1] else shape(pair)


def shape(sizes: tuple[int, ...]) -> str:
    return "×".join(f"{size}" for size in sizes)


def percent(share: float) -> str:
    """In whole percent, but never all or nothing of what is not."""
    if 0 < share < 0.01:
        return "below 1%"
    return "over 99%" if 0.99 < share < 1 else f"{share:.0%}"
