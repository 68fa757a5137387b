"""The drawing of the Compare tab, for the other tabs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnn_models import DATASETS
from cnn_models.images.decode import decode
from cnn_models.images.preprocess import BlankImage, preprocess
from cnn_models.images.worker import read_untrusted
from ui.common.modules import event_js
from ui.common.reading import known
from ui.common.sketchpad import image_of, sample

SAMPLE = 7  # class of the test image that is used without a drawing
SENT = event_js("common/drawing.js", "withDrawing")
"""The `js` of an event: its last two inputs become the sketchpad's value and its data set."""


class Drawing(NamedTuple):
    """A 28 x 28 uint8 image in the form of its data set; a test image if it is not `drawn`."""

    grid: np.ndarray
    dataset: str
    drawn: bool


def drawing_of(value: object, dataset: object) -> Drawing:
    """The image in a value of the sketchpad, or a test image if it is empty; both arguments are untrusted.

    Raises ImageError, Refused.
    """
    name = known("dataset", dataset, DATASETS)
    image = image_of(value)
    try:
        if image is not None:
            return Drawing(preprocess(read_untrusted(image), DATASETS[name]).images[0], name, True)
    except BlankImage:
        pass
    return Drawing(decode(sample(name, SAMPLE)), name, False)
