"""The sketchpad and the strip of test pictures below it; what comes from them is untrusted and decoded with care."""

from __future__ import annotations

import base64
import binascii
from html import escape
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from cnn_models import DATASETS
from cnn_models.decode import PictureError

HERE = Path(__file__).parent
PNG = "data:image/png;base64,"
UPLOAD = "upload:"
SAMPLE_CLICK = """
element.addEventListener("click", (event) => {
  const picture = event.target.closest("button")?.querySelector("img");
  if (picture) document.dispatchEvent(new CustomEvent("lineup:sample", { detail: picture.src }));
});
"""
TEMPLATE = """
<div class="sketchpad-paper">
  <canvas width="280" height="280" role="img" aria-label="Sketchpad: draw with mouse, pen or finger"></canvas>
  <div class="sketchpad-hint" data-empty="Draw here">Draw here</div>
</div>
<div class="sketchpad-tools">
  <button type="button" class="sketchpad-clear">Clear</button>
  <button type="button" class="sketchpad-upload">Upload a picture</button>
  <span>or paste, or drop one</span>
  <input type="file" accept="image/*" hidden aria-label="A picture to upload">
</div>
"""


def sketchpad() -> gr.HTML:
    """A canvas whose value is "", a PNG as a data URL, or `upload:` and a path; it fires `input` while one draws."""
    return gr.HTML(
        "",
        html_template=TEMPLATE,
        js_on_load=(HERE / "sketchpad.js").read_text(encoding="utf-8"),
        elem_id="sketchpad",
        apply_default_css=False,
    )


def samples(dataset: str) -> str:
    """The strip of bundled test pictures: the first of each class in the test set."""
    buttons = []
    for index, label in enumerate(DATASETS[dataset].classes):
        data = base64.b64encode((HERE / "samples" / f"{dataset}.{index}.png").read_bytes()).decode()
        name = escape(label, quote=True)
        buttons.append(f'<button type="button" title="{name}"><img src="{PNG}{data}" alt="{name}"></button>')
    return f'<div class="samples">{"".join(buttons)}</div>'


def sample_strip(dataset: str) -> gr.HTML:
    """The component for `samples`; choosing a picture puts it on the sketchpad."""
    return gr.HTML(samples(dataset), js_on_load=SAMPLE_CLICK, elem_id="samples", apply_default_css=False)


def picture_of(value: object) -> bytes | Path | None:
    """The picture in the sketchpad's value, still encoded; None when the canvas is empty. Raises PictureError."""
    if value in ("", None):
        return None
    if isinstance(value, str) and value.startswith(PNG):
        try:
            return base64.b64decode(value.removeprefix(PNG), validate=True)
        except binascii.Error:
            pass
    if isinstance(value, str) and value.startswith(UPLOAD):
        return uploaded(value.removeprefix(UPLOAD))
    raise PictureError("That is not a picture this page sent; clear the sketchpad and try again.")


def uploaded(path: object) -> Path:
    """The path, if it is of a file uploaded to this app: a visitor can send any. Raises PictureError."""
    if isinstance(path, str) and "\0" not in path:
        found = Path(path).resolve()
        if found.is_relative_to(Path(get_upload_folder()).resolve()) and found.is_file():
            return found
    raise PictureError("That is not a picture uploaded here; upload it first.")
