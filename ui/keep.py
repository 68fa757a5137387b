"""What stays in the visitor's browser: the drawings of this visit, and those that were labelled, as a zip."""

from __future__ import annotations

import base64
import binascii

from cnn_models import DATASETS
from cnn_models.decode import PictureError
from cnn_models.decode_worker import decode_untrusted
from cnn_models.handwriting import Labelled, pack
from ui.sketchpad import PNG
from ui.texts import TEXTS, attribute, mark, mark_sentence

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
    return mark(f"class.{label}", tag=tag) if f"class.{label}" in TEXTS else f"<{tag}>{label}</option>"


def export(sent: object) -> dict:
    """The zip of what the page sends, a list of {picture, dataset, label}, in base64; or an `error` as HTML."""
    try:
        if not isinstance(sent, list) or len(sent) > MOST:
            raise PictureError("That is not a list of at most {most} pictures.", most=MOST)
        return {"zip": base64.b64encode(pack(map(_labelled, sent), decode_untrusted)).decode()}
    except PictureError as error:
        return {"error": mark_sentence(error)}


def _labelled(each: object) -> Labelled:
    values = [each.get(name) for name in ("picture", "dataset", "label")] if isinstance(each, dict) else []
    if len(values) == 3 and all(isinstance(value, str) for value in values) and values[0].startswith(PNG):
        try:
            picture = base64.b64decode(values[0].removeprefix(PNG), validate=True)
            return Labelled(picture, values[1], values[2])
        except binascii.Error:
            pass
    raise PictureError("That is not a labelled picture of this page.")
