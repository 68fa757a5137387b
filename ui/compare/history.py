"""The drawings of this visit, which stay in the visitor's browser; labelled ones are exported as a zip."""

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

MOST = 500  # images in an export


def history() -> Markup:
    """The button for a link, the chooser of a label, and the strip of drawings."""
    return render("compare/history.html", datasets=DATASETS)


def export_handwriting(sent: object) -> dict:
    """The `zip`, in base64, of a list of {image, dataset, label}; or an `error` as HTML."""
    try:
        images = list(map(_labelled, items("images", sent, most=MOST)))
        return {"zip": base64.b64encode(pack(images, decode_untrusted)).decode()}
    except TranslatableError as error:
        return {"error": mark_error(error)}


def _labelled(each: object) -> Labelled:
    """A 28 x 28 PNG with its data set and class. Raises ImageError, Refused."""
    sent = fields("images", each)
    dataset = known("dataset", sent.get("dataset"), DATASETS)
    label = known("label", sent.get("label"), DATASETS[dataset].classes)
    if (image := png_of(text("image", sent.get("image")))) is None:
        raise ImageError("image.unlabelled")
    return Labelled(image, dataset, label)
