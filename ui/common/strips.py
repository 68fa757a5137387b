"""The drawing on its way through a network: strips of channels for the rows of the Layers tab. HTML, without gradio."""

from __future__ import annotations

import base64
import io

import numpy as np
from markupsafe import Markup
from PIL import Image
from torch import Tensor, nn

from cnn_models.layers import Layer
from cnn_models.layers.channels import Channels, channels, dead_channels, filters, sample_size
from cnn_models.specs import Card
from ui.common.templates import render
from ui.common.texts import mark

SIDE = 56  # pixels of a tile at most; larger maps are averaged down
WRAP = 128  # values of a vector in a row
UNSHOWN = ("flatten", "dropout")  # they change no value


def strips(model: nn.Module, card: Card, network: Layer, flow: list[Tensor]) -> dict[int, Markup]:
    """For each step that changes values, by index: its filters where they are images, and its strongest channels."""
    found, counts = {}, dead_channels(model, card, network)
    for step in network.steps():
        if step.index is None or step.kind in UNSHOWN:
            continue
        kernels = filters(model, step)
        note = ""
        if step.index in counts:
            silent = channels(flow[step.index]).inactive
            note = mark("layers.strip.silent", silent=silent, dead=counts[step.index], tested=sample_size(network))
        found[step.index] = strip(kernels, "filters", step) if kernels else Markup()
        found[step.index] += strip(channels(flow[step.index]), "channels", step, note)
    return found


def strip(found: Channels, what: str, layer: Layer, note: str = "") -> Markup:
    """A button with the tiles side by side in one image, and what is not seen in it in words."""
    tiles = _tiles(found.values)
    count, height, width, _ = tiles.shape
    key = f"layers.strip.{what if found.numbers else 'values'}"
    values = {"layer": layer.name, "count": f"{found.count:,}"} | ({"shown": count} if found.numbers else {})
    return render(
        "common/strip.html",
        key=key,
        values=values,
        width=width,
        height=height,
        numbers=found.numbers,
        image=png(_row(tiles)),
        note=note,
    )


def _tiles(values: np.ndarray) -> np.ndarray:
    """N x H x W to RGB: 0 is black, positive values are white, negative blue, scaled by the largest of all."""
    if len(values) == 1 and values.shape[1] == 1 and values.shape[2] > WRAP:  # a vector
        flat = np.pad(values.ravel(), (0, -values.size % WRAP))
        values = flat.reshape(1, -1, WRAP)
    scaled = values / (np.abs(values).max() or 1)
    rgb = np.stack([np.maximum(scaled, 0.15 * -scaled), np.maximum(scaled, 0.5 * -scaled), np.abs(scaled)], axis=-1)
    pixels = (255 * np.sqrt(rgb)).round().astype(np.uint8)
    factor = -(-max(values.shape[1:]) // SIDE) if values.shape[1] > 1 and values.shape[2] != WRAP else 1
    if factor > 1:
        pixels = np.stack([np.asarray(Image.fromarray(tile).reduce(factor)) for tile in pixels])
    return pixels


def _row(tiles: np.ndarray) -> np.ndarray:
    """RGB tiles side by side, RGBA, with one clear pixel after each."""
    opaque = np.pad(tiles, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=255)
    return np.concatenate(list(np.pad(opaque, ((0, 0), (0, 0), (0, 1), (0, 0)))), axis=1)


def png(pixels: np.ndarray) -> str:
    """Pixels as a data URL."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
