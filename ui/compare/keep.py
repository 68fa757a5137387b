"""What stays in the visitor's browser: the drawings of this visit, and those that were labelled, as a zip."""

from __future__ import annotations

import base64

from cnn_models import DATASETS
from cnn_models.datasets.handwriting import Labelled, pack
from cnn_models.errors import TranslatableError
from cnn_models.images.decode import PictureError
from cnn_models.images.worker import decode_untrusted
from ui.common.reading import fields, items, known, text
from ui.common.sketchpad import png_of
from ui.common.texts import TEXTS, attribute, mark, mark_error

MOST = 500  # pictures that the page exports at once


def keep() -> str:
    """The strip of drawings, the choice of a label, and the figures of one's own handwriting, as HTML."""
    choices = "".join(
        "".join(_option(name, index, label) for index, label in enumerate(spec.classes))
        for name, spec in DATASETS.items()
    )
    return f"""
<div id="keep">
  <div class="keep-tools">
    <button type="button" class="keep-link">{mark("keep.link")}</button>
    <label {attribute("title", "keep.label.why")}>{mark("keep.label")}
      <select name="label"><option value="">–</option>{choices}</select></label>
    <span class="visually-hidden keep-spoken" role="status"></span>
  </div>
  <div class="keep-strip" role="group" {attribute("aria-label", "keep.history")}></div>
  <div class="keep-figures" hidden>
    <p></p>
    <button type="button" class="keep-export">{mark("keep.export")}</button>
  </div>
</div>"""


def _option(dataset: str, index: int, label: str) -> str:
    tag = f"option value='{label}' data-dataset='{dataset}' data-key='{index}'"
    return mark(f"class.{label}", tag=tag) if f"class.{label}" in TEXTS["en"] else f"<{tag}>{label}</option>"


def export(sent: object) -> dict:
    """The zip of what the page sends, a list of {picture, dataset, label}, in base64; or an `error` as HTML."""
    try:
        pictures = map(_labelled, items(sent, most=MOST))
        return {"zip": base64.b64encode(pack(pictures, decode_untrusted)).decode()}
    except TranslatableError as error:
        return {"error": mark_error(error)}


def _labelled(each: object) -> Labelled:
    """A 28 x 28 PNG, with its data set and class. Raises PictureError, Refused, UnknownName."""
    sent = fields(each)
    dataset = known(sent.get("dataset"), DATASETS)
    label = known(sent.get("label"), DATASETS[dataset].classes)
    if (picture := png_of(text(sent.get("picture")))) is None:
        raise PictureError("image.unlabelled")
    return Labelled(picture, dataset, label)
