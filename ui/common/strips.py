"""Strips of the channels and filters of each layer, as HTML."""

from __future__ import annotations

import base64
import io

import numpy as np
from markupsafe import Markup
from PIL import Image
from torch import Tensor, nn

from cnn_models.layers import Layer
from cnn_models.layers.channels import SHOWN, Channels, channels, dead_channels, filters, sample_size
from cnn_models.specs import Card
from ui.common.templates import render
from ui.common.texts import mark

SIDE = 56  # pixels along a tile at most; larger maps are averaged
WRAP = 128  # values of a vector in a row
CLEAR, ZERO = 0, 128  # colours of PALETTE: transparent, and of the value 0
# From the largest negative value, blue, over 0, black, to the largest positive, white.
PALETTE = [
    round(255 * min(1, abs(value)) * (1 if value > 0 else share))
    for value in ((colour - ZERO) / (ZERO - 1) for colour in range(256))
    for share in (0.39, 0.71, 1)
]
UNSHOWN = ("flatten", "dropout")  # which do not change values


def strips(model: nn.Module, card: Card, network: Layer, flow: list[Tensor]) -> dict[int, Markup]:
    """The filters, if they are images, and the strongest channels of each step that changes values, by its index."""
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
    """A button with one image of the tiles side by side, and its caption."""
    tiles = _tiles(found.values)
    count, height, width = tiles.shape
    key = f"layers.strip.{what if found.numbers else 'values'}"
    values = {"layer": layer.name, "count": f"{found.count:,}"} | ({"shown": count} if found.numbers else {})
    return render(
        "common/strip.html",
        key=key,
        values=values,
        width=width,
        height=height,
        numbers=found.numbers,
        is_long=len(found.numbers) > SHOWN,
        image=png(_row(tiles)),
        note=note,
    )


def _tiles(values: np.ndarray) -> np.ndarray:
    """N x H x W values as N x h x w colours of PALETTE, by the square root of the value relative to the largest."""
    if len(values) == 1 and values.shape[1] == 1 and values.shape[2] > WRAP:  # a vector
        flat = np.pad(values.ravel(), (0, -values.size % WRAP))
        values = flat.reshape(1, -1, WRAP)
    factor = -(-max(values.shape[1:]) // SIDE) if values.shape[1] > 1 and values.shape[2] != WRAP else 1
    if factor > 1:
        values = np.stack([np.asarray(Image.fromarray(tile).reduce(factor)) for tile in values.astype(np.float32)])
    scaled = values / (np.abs(values).max() or 1)
    return (ZERO + (ZERO - 1) * np.sign(scaled) * np.sqrt(np.abs(scaled))).round().astype(np.uint8)


def _row(tiles: np.ndarray) -> Image.Image:
    """Tiles side by side, with a transparent pixel after each."""
    image = Image.fromarray(np.concatenate(list(np.pad(tiles, ((0, 0), (0, 0), (0, 1)))), axis=1))
    image.putpalette(PALETTE)
    image.info["transparency"] = CLEAR
    return image


def png(image: np.ndarray | Image.Image, compress_level: int = 6) -> str:
    """An image as a PNG in a data URL."""
    buffer = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(buffer, "PNG", compress_level=compress_level)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
