"""What stays in the visitor's browser: the drawings of this visit, and those that were labelled, as a zip."""

from __future__ import annotations

import base64

from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.datasets.handwriting import Labelled, pack
from cnn_models.errors import TranslatableError
from cnn_models.images.decode import ImageError
from cnn_models.images.worker import decode_untrusted
from ui.common.reading import fields, items, known, text
from ui.common.sketchpad import png_of
from ui.common.templates import render
from ui.common.texts import mark_error

MOST = 500  # images that the page exports at once


def keep() -> Markup:
    """The strip of drawings, the choice of a label, and the figures of one's own handwriting."""
    return render("compare/keep.html", datasets=DATASETS)


def export(sent: object) -> dict:
    """The zip of what the page sends, a list of {image, dataset, label}, in base64; or an `error` as HTML."""
    try:
        images = map(_labelled, items(sent, most=MOST))
        return {"zip": base64.b64encode(pack(images, decode_untrusted)).decode()}
    except TranslatableError as error:
        return {"error": mark_error(error)}


def _labelled(each: object) -> Labelled:
    """A 28 x 28 PNG, with its data set and class. Raises ImageError, Refused, UnknownName."""
    sent = fields(each)
    dataset = known(sent.get("dataset"), DATASETS)
    label = known(sent.get("label"), DATASETS[dataset].classes)
    if (image := png_of(text(sent.get("image")))) is None:
        raise ImageError("image.unlabelled")
    return Labelled(image, dataset, label)
