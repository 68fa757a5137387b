"""The strip of the preprocessing, picture by picture, as HTML."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
import torch
from PIL import Image, ImageDraw

from cnn_models import DATASETS
from cnn_models.preprocess import FORMS, SWITCHES, Step, to_input
from ui.ask import Ask
from ui.texts import say
from ui.verdict import network_name

SHOWN = 96  # pixels; larger pictures are shown as small
RED = (226, 72, 40)


def data_url(picture: np.ndarray | Image.Image) -> str:
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(buffer, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def strip(ask: Ask, steps: tuple[Step, ...], sides: dict[int, list[str]]) -> str:
    """Every step as a picture under its switch, then what each network is given; `sides` are networks by input size."""
    kind, items = DATASETS[ask.dataset].kind, []
    for name in ("decoded", *SWITCHES):
        key = f"steps.{name}.{kind}" if name in ("scale", "centre") else f"steps.{name}"
        step = next((step for step in steps if step.name == name), None)
        text = say(ask.language, key, side=FORMS[ask.dataset].edges[-1])
        items.append(_figure(text, step and _picture(step), "" if name == "decoded" else name, ask))
    for side, names in sides.items():
        titles = ", ".join(map(network_name, names))
        text = say(ask.language, "steps.input", names=titles, side=side)
        items.append(_figure(text, _given(steps[-1].picture, side) if len(steps) > 1 else None, "", ask))
    return (
        f"<section class='steps'><h2>{say(ask.language, 'steps.title')}</h2><ol>{''.join(items)}</ol>"
        f"<p>{say(ask.language, 'steps.why')}</p></section>"
    )


def _figure(text: str, picture: str | None, switch: str, ask: Ask) -> str:
    image = f"<img src='{picture}' alt=''>" if picture else "<div></div>"
    caption = escape(text)
    if switch:
        checked = "" if switch in ask.off else " checked"
        caption = f"<label><input type='checkbox' name='step' value='{switch}'{checked}> {caption}</label>"
    return f"<li>{image}<span>{caption}</span></li>"


def _picture(step: Step) -> str:
    """The step's picture, no larger than it is shown, with the box that was found in it drawn around."""
    image = Image.fromarray(step.picture)
    scale = min(1, SHOWN / max(image.size))
    if scale < 1:
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BOX)
    if step.box:
        image = image.convert("RGB")
        left, top, right, bottom = (round(edge * scale) for edge in step.box)
        corners = max(left - 1, 0), max(top - 1, 0), min(right, image.width - 1), min(bottom, image.height - 1)
        ImageDraw.Draw(image).rectangle(corners, outline=RED)
    return data_url(_square(image))


def _square(image: Image.Image) -> Image.Image:
    """The whole picture on a transparent square: pages are fond of cropping."""
    if image.width == image.height:
        return image
    side = max(image.size)
    square = Image.new("RGBA", (side, side))
    square.paste(image.convert("RGB"), ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _given(grid: np.ndarray, side: int) -> str:
    """What a network of this input size is given, less the shift and scale of its normalisation."""
    x = to_input(torch.tensor(grid)[None], side, mean=0.0, std=1.0)[0, 0]
    return data_url((x * 255).round().to(torch.uint8).numpy())
