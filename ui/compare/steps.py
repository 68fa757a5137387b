"""The preprocessing as a strip of images, as HTML."""

from __future__ import annotations

import numpy as np
import torch
from markupsafe import Markup
from PIL import Image, ImageDraw

from cnn_models import DATASETS
from cnn_models.images.preprocess import FORMS, SWITCHES, to_input
from cnn_models.images.segment import SEGMENTS
from cnn_models.images.steps import Step
from ui.common.names import network_name
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import say
from ui.compare.request import Request

SHOWN = 96  # pixels along the longer edge at most
RED = (226, 72, 40)


def data_url(pixels: np.ndarray | Image.Image) -> str:
    """An image as a PNG in a data URL, compressed for speed: each update has several."""
    return png(pixels, compress_level=1)


def strip(request: Request, steps: tuple[Step, ...], sides: dict[int, list[str]], is_turned: bool = False) -> Markup:
    """Each step with its image and its switch, and the inputs of the networks, which `sides` groups by input size.

    `is_turned` is true if the image has an EXIF orientation other than upright.
    """
    found = {step.name: step for step in steps}
    shown = []
    kind = DATASETS[request.dataset].kind
    others = {name for each, names in SEGMENTS.items() if each != kind for name in names}
    for switch in SWITCHES[:-1]:
        if switch in others:
            continue
        name = "decoded" if switch == "orientation" else switch
        key = f"steps.{name}.{kind}" if name in ("scale", "centre") else f"steps.{name}"
        if name == "decoded" and steps and not is_turned:
            key = "steps.decoded.unturned"
        text = say(request.language, key, side=FORMS[request.dataset].edges[-1])
        shown.append((switch, text, _image(found[name]) if name in found else ""))
    inputs = [
        (side, ", ".join(map(network_name, names)), _input(request, steps[-1].image, side) if len(steps) > 1 else "")
        for side, names in sides.items()
    ]
    return render("compare/steps.html", language=request.language, off=request.off, steps=shown, inputs=inputs)


def _image(step: Step) -> str:
    """The image of a step as a data URL, reduced to SHOWN, with its boxes and its outline in red."""
    image = Image.fromarray(step.image)
    scale = min(1, SHOWN / max(image.size))
    if scale < 1:
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BOX)
    if step.boxes or step.outline:
        image = image.convert("RGB")
    pen = ImageDraw.Draw(image)
    for box in step.boxes:
        left, top, right, bottom = (round(edge * scale) for edge in box)
        corners = max(left - 1, 0), max(top - 1, 0), min(right, image.width - 1), min(bottom, image.height - 1)
        pen.rectangle(corners, outline=RED)
    if step.outline:
        pen.polygon([(round(x * scale), round(y * scale)) for x, y in step.outline], outline=RED)
    return data_url(_square(image))


def _square(image: Image.Image) -> Image.Image:
    """The image on a transparent square, so that CSS does not crop it."""
    if image.width == image.height:
        return image
    side = max(image.size)
    square = Image.new("RGBA", (side, side))
    square.paste(image.convert("RGB"), ((side - image.width) // 2, (side - image.height) // 2))
    return square


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
