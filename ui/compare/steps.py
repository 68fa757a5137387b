"""The preprocessing as a strip of images, as HTML."""

from __future__ import annotations

import base64
import io
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from markupsafe import Markup
from PIL import Image

from cnn_models import DATASETS
from cnn_models.images.preprocess import FORMS, SIDE, SWITCHES, to_input
from cnn_models.images.segment import SEGMENTS
from cnn_models.images.steps import Box, Step
from ui.common.names import network_name
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import say
from ui.compare.request import Request

SHOWN = 320  # pixels along the longer edge at most


class Picture(NamedTuple):
    """A step's image as a data URL with its size, and what was found in it, as in `Step`."""

    url: str
    size: tuple[int, int]
    boxes: tuple[Box, ...]
    outline: tuple[tuple[int, int], ...]


class Shown(NamedTuple):
    """A step in the strip: the `name` of its switch, its text, and its image, if there is one.

    A `hidden` step keeps its switch, for the next photograph. That of another kind of data set is not `usable`.
    """

    name: str
    text: str
    picture: Picture | None
    hidden: bool
    usable: bool


def data_url(pixels: np.ndarray | Image.Image) -> str:
    """An image as a PNG in a data URL, compressed for speed: each update has several."""
    return png(pixels, compress_level=1)


def strip(request: Request, steps: tuple[Step, ...], sides: dict[int, list[str]], is_turned: bool = False) -> Markup:
    """Each step with its image and its switch, and the inputs of the networks, which `sides` groups by input size.

    `is_turned` is true if the image has an EXIF orientation other than upright.
    """
    found = {step.name: step for step in steps}
    kind = DATASETS[request.dataset].kind
    is_photograph = not found.keys().isdisjoint(chain(*SEGMENTS.values()))
    shown = []
    for switch in SWITCHES[:-1]:
        name = "decoded" if switch == "orientation" else switch
        key = f"steps.{name}.{kind}" if name in ("scale", "centre") else f"steps.{name}"
        if name == "decoded" and steps and not is_turned:
            key = "steps.decoded.unturned"
        text = say(request.language, key, side=FORMS[request.dataset].edges[-1])
        usable = all(switch not in names or each == kind for each, names in SEGMENTS.items())
        hidden = not usable or (name in SEGMENTS[kind] and name not in found and switch not in request.off)
        picture = _picture(found[name], is_photograph) if name in found else None
        shown.append(Shown(switch, text, picture, hidden, usable))
    inputs = [
        (side, ", ".join(map(network_name, names)), _input(request, steps[-1].image, side) if len(steps) > 1 else "")
        for side, names in sides.items()
    ]
    photo = ("orientation", *SEGMENTS[kind]) if is_photograph else ()
    return render(
        "compare/steps.html", language=request.language, off=request.off, steps=shown, inputs=inputs, photo=photo
    )


def _picture(step: Step, is_photograph: bool) -> Picture:
    """The image of a step, reduced to SHOWN; of a photograph as a JPEG, which is a tenth of a PNG."""
    image = Image.fromarray(step.image)
    image.thumbnail((SHOWN, SHOWN), Image.Resampling.BOX)
    url = _jpeg(image) if is_photograph and max(image.size) > SIDE else data_url(image)
    height, width = step.image.shape[:2]
    return Picture(url, (width, height), step.boxes, step.outline)


def _jpeg(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def enlarged(grid: np.ndarray, side: int) -> np.ndarray:
    """A 28 x 28 uint8 image resized to an input of side x side, before normalisation."""
    x = to_input(torch.tensor(grid)[None], side, mean=0.0, std=1.0)[0, 0]
    return (x * 255).round().to(torch.uint8).numpy()


def _input(request: Request, grid: np.ndarray, side: int) -> str:
    """The input of side x side as a data URL; black and white are those of a normalised image."""
    image, dataset = enlarged(grid, side), DATASETS[request.dataset]
    if "normalisation" in request.off:  # 0 to 1 lie within (0 - mean) / std to (1 - mean) / std
        image = np.rint(image * dataset.std + 255 * dataset.mean).astype(np.uint8)
    return data_url(image)
