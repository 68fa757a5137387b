"""The sketchpad, the test images below it, and the reader of their untrusted values."""

from __future__ import annotations

import base64
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.images.decode import FORMATS, MAX_BYTES, ImageError
from ui.common import uploads
from ui.common.templates import render

SAMPLES = Path(__file__).parent / "samples"
PNG = "data:image/png;base64,"
UPLOAD = "upload:"
UNREADABLE = "unreadable"  # what a browser sends that does not let the page read the drawing
LONGEST_PATH = 4096  # characters; a path of a million takes minutes to resolve


def sketchpad() -> Markup:
    """The canvas and its tools as HTML; see `sketchpad.js`."""
    formats = ", ".join((*FORMATS, "HEIC") if find_spec("pillow_heif") else FORMATS)
    return render("common/sketchpad.html", most=MAX_BYTES // 10**6, formats=formats)


def samples(dataset: str) -> Markup:
    """The first test image of each class as buttons."""
    shown = [
        (label, PNG + base64.b64encode(sample(dataset, index).read_bytes()).decode())
        for index, label in enumerate(DATASETS[dataset].classes)
    ]
    return render("common/samples.html", dataset=dataset, samples=shown)


def sample(dataset: str, index: int) -> Path:
    """The file of the bundled test image of a class, by the index of the class."""
    return SAMPLES / f"{dataset}.{index}.png"


def image_of(value: object) -> bytes | Path | None:
    """The encoded image in a value of the sketchpad; None for an empty canvas. Raises ImageError."""
    if value in ("", None):
        return None
    if (content := png_of(value)) is not None:
        return content
    if isinstance(value, str) and value.startswith(UPLOAD):
        return uploaded(value.removeprefix(UPLOAD))
    raise ImageError("image.unreadable" if value == UNREADABLE else "image.unsent")


def png_of(value: object) -> bytes | None:
    """The content of a PNG in a data URL; None for anything else."""
    if isinstance(value, str) and value.startswith(PNG):
        with suppress(ValueError):  # invalid base64
            return base64.b64decode(value.removeprefix(PNG), validate=True)
    return None


def uploaded(path: object) -> Path:
    """The path of an upload by its name or its path, which are untrusted. Raises ImageError."""
    if found := uploads.upload_path(path):
        return found
    if isinstance(path, str) and len(path) <= LONGEST_PATH:
        with suppress(OSError, ValueError):  # not a possible path
            found = Path(path).resolve()
            if found.is_relative_to(uploads.folder()) and found.is_file():
                return found
    raise ImageError("image.unknown")
