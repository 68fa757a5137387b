"""Test images as strokes of the sketchpad: a stroke for each run of bright pixels in a row."""

import base64
import io
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.disagreements import BRIGHT, Disagreement
from cnn_models.images.decode import read
from cnn_models.images.preprocess import preprocess
from cnn_models.predict import Prediction, predict_all

SHEET = 280  # pixels, of the sketchpad
PIXEL = SHEET // 28
KEPT = 600  # bytes of a drawing that the game keeps at most, as `LONG` in `ui/compare/game_score.js`
SENT, FINE = 112, 4  # pixels of the image that the sketchpad sends, and how much finer it is painted here


class Stroke(NamedTuple):
    """A horizontal line in pixels of the sketchpad."""

    width: int
    y: float
    left: float
    right: float


def trace(image: np.ndarray, width: int = PIXEL, bright: int = BRIGHT) -> list[Stroke]:
    """The strokes of an image, 28 x 28 uint8, bright on black."""
    return [
        Stroke(width, (y + 0.5) * PIXEL, (left + 0.5) * PIXEL, (right - 0.5) * PIXEL)
        for y, row in enumerate(image >= bright)
        for left, right in _runs(row)
    ]


def _runs(row: np.ndarray) -> Iterator[tuple[int, int]]:
    """The first index of each run of True, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]])))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def code(strokes: list[Stroke]) -> str:
    """The strokes as `ui/compare/codec.js` writes them."""
    return "t" + base64.urlsafe_b64encode(_bytes(strokes)).decode().rstrip("=")


def is_kept(strokes: list[Stroke]) -> bool:
    """Whether the game can keep the drawing."""
    return len(_bytes(strokes)) <= KEPT


def _bytes(strokes: list[Stroke]) -> bytes:
    found = bytearray()
    for width, y, left, right in strokes:
        found += bytes([width, 0, 2])
        for x in (left, right):
            found += bytes([*(round((each / SHEET + 0.25) / 1.5 * 255) for each in (x, y)), 100])
    return bytes(found)


def painted(strokes: list[Stroke]) -> np.ndarray:
    """The drawing as the sketchpad sends it, grey on white."""
    scale = FINE * SENT / SHEET
    sheet = Image.new("L", (FINE * SENT, FINE * SENT), 255)
    pen = ImageDraw.Draw(sheet)
    for width, y, left, right in strokes:
        radius = width / 2
        box = [each * scale for each in (left - radius, y - radius, right + radius, y + radius)]
        pen.rounded_rectangle(box, radius * scale, fill=17)
    return np.asarray(sheet.resize((SENT, SENT), Image.Resampling.BOX))


def preprocessed(strokes: list[Stroke], dataset: str) -> np.ndarray:
    """The input of the networks of a data set, 28 x 28 uint8."""
    png = io.BytesIO()
    Image.fromarray(painted(strokes)).save(png, "PNG")
    return preprocess(read(png.getvalue()), DATASETS[dataset]).images[0]


def predictions(hub: ModelHub, id: str, inputs: list[np.ndarray]) -> list[Prediction]:
    """The predictions of a checkpoint."""
    return hub.run(id, lambda network: predict_all(network, inputs))


def margin(wanted: Disagreement, dataset: str, first: Prediction, second: Prediction) -> float:
    """The smaller of the two wanted probabilities; 0 where they do not split as wanted."""
    label, other = (DATASETS[dataset].classes[each] for each in (wanted.label, wanted.other))
    if (first.label, second.label) != (label, other):
        return 0.0
    return min(first.probabilities[label], second.probabilities[other])
