"""The sketchpad and the strips of test pictures below it; what comes from them is untrusted and decoded with care."""

from __future__ import annotations

import base64
from contextlib import suppress
from html import escape
from pathlib import Path

from cnn_models import DATASETS
from cnn_models.images.decode import MAX_BYTES, PictureError
from ui.common import uploads
from ui.common.texts import attribute, mark

HERE = Path(__file__).parent
PNG = "data:image/png;base64,"
UPLOAD = "upload:"


def sketchpad() -> str:
    """The canvas and its tools, as HTML; `sketchpad.js` makes them work."""
    tools = "".join(
        mark(f"pad.{name}", tag=f'button type="button" class="sketchpad-{name}"') for name in ("undo", "redo", "clear")
    )
    return f"""
<div id="sketchpad">
  <div class="sketchpad-paper">
    <canvas width="280" height="280" tabindex="0" role="application" {attribute("aria-label", "pad.name")}></canvas>
    <div class="sketchpad-cursor" hidden></div>
    {mark("pad.hint", tag='div class="sketchpad-hint"')}
    <div class="visually-hidden sketchpad-spoken" role="status"></div>
  </div>
  <div class="sketchpad-tools">{tools}
    <label>{mark("pad.brush")}
      <input type="range" min="8" max="40" value="21" {attribute("aria-label", "pad.brush.size")}></label>
  </div>
  <div class="sketchpad-tools">
    <button type="button" class="sketchpad-upload">{mark("pad.upload")}</button>
    {mark("pad.elsewise")}
    <input type="file" accept="image/*" data-most="{MAX_BYTES // 10**6}" hidden {attribute("aria-label", "pad.file")}>
  </div>
</div>"""


def samples(dataset: str) -> str:
    """The strip of bundled test pictures: the first of each class in the test set."""
    buttons = []
    for index, label in enumerate(DATASETS[dataset].classes):
        data = base64.b64encode((HERE / "samples" / f"{dataset}.{index}.png").read_bytes()).decode()
        name = escape(label, quote=True)
        is_digit = DATASETS[dataset].kind == "digits"
        title, alt = (
            f'{kind}="{name}"' if is_digit else attribute(kind, f"class.{label}") for kind in ("title", "alt")
        )
        buttons.append(f'<button type="button" {title}><img src="{PNG}{data}" {alt}></button>')
    name = attribute("aria-label", "samples.name")
    return f'<div class="samples" role="group" data-dataset="{dataset}" {name}>{"".join(buttons)}</div>'


def picture_of(value: object) -> bytes | Path | None:
    """The picture in the sketchpad's value, still encoded; None when the canvas is empty. Raises PictureError."""
    if value in ("", None):
        return None
    if (content := png_of(value)) is not None:
        return content
    if isinstance(value, str) and value.startswith(UPLOAD):
        return uploaded(value.removeprefix(UPLOAD))
    raise PictureError("image.unsent")


def png_of(value: object) -> bytes | None:
    """The content of a PNG that came as a data URL; None for anything else."""
    if isinstance(value, str) and value.startswith(PNG):
        with suppress(ValueError):  # letters that are not of base64
            return base64.b64decode(value.removeprefix(PNG), validate=True)
    return None


def uploaded(path: object) -> Path:
    """The path of an upload by its name, or as gradio found it: a visitor can send any. Raises PictureError."""
    if found := uploads.upload_path(path):
        return found
    if isinstance(path, str):
        with suppress(OSError, ValueError):  # a name that no file can have
            found = Path(path).resolve()
            if found.is_relative_to(uploads.folder()) and found.is_file():
                return found
    raise PictureError("image.unknown")
