"""Drawings on the page's canvas are taken as they are: they give the same bytes as without any segmentation.

Only the digits of a drawing of several are separated.
"""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from cnn_models import DATASETS
from cnn_models.images.decode import read
from cnn_models.images.preprocess import BlankImage, preprocess, steps
from cnn_models.images.segment import CANVAS, is_photograph

SCREEN = 280  # pixels of a side, as in `ui/common/sketchpad.html`
SIDES = CANVAS, 84, 56, 42, 28, 20, 16  # of the PNG that is sent, as in `ui/common/sheet.js`
FINE = 2  # pixels of the rendering in a pixel of the canvas

coordinates = st.floats(0, SCREEN)
points = st.tuples(coordinates, coordinates, st.floats(0.3, 1))  # x, y, pressure
strokes = st.lists(st.tuples(st.integers(8, 40), st.lists(points, min_size=1, max_size=9)), min_size=1, max_size=6)


def png(drawing: list, side: int) -> bytes:
    """Strokes of #111 on white, as `Sheet` draws them: segments with round ends, their width times the pressure."""
    image = Image.new("RGBA", (FINE * SCREEN, FINE * SCREEN), "white")
    pen = ImageDraw.Draw(image)
    for width, line in drawing:
        for (x, y, pressure), start in zip(line, [line[0], *line], strict=False):
            radius = FINE * width * pressure / 2
            ends = [(FINE * start[0], FINE * start[1]), (FINE * x, FINE * y)]
            pen.line(ends, "#111", max(1, round(2 * radius)))
            for column, row in ends:
                pen.ellipse((column - radius, row - radius, column + radius, row + radius), "#111")
    buffer = io.BytesIO()
    image.resize((side, side), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS.keys())
@given(drawing=strokes, side=st.sampled_from(SIDES))
def test_a_drawing_on_the_canvas_gives_the_bytes_of_the_short_way(dataset, drawing, side):
    image = read(png(drawing, side))
    assert not is_photograph(image.pixels)
    try:
        expected = steps(image.luminance, dataset)
    except BlankImage:  # the pen was everywhere
        with pytest.raises(BlankImage):
            preprocess(image, dataset)
        return
    found = preprocess(image, dataset)
    if len(found.images) > 1:
        assert dataset.name == "mnist" and found.steps[1].name == "components"
        return
    assert [step.name for step in found.steps] == [step.name for step in expected]
    assert len(found.images) == 1 and np.array_equal(found.images[0], expected[-1].image)
    assert found.doubt == ""


ONE = [(20, [(60, 60, 1), (60, 220, 1)])]
SEVEN = [(20, [(150, 60, 1), (240, 60, 1), (190, 220, 1)])]
BAR = [(20, [(180, 140, 1), (225, 140, 1)])]
BODY = [(20, [(160, 70, 1), (155, 130, 1), (225, 140, 1), (220, 215, 1), (150, 215, 1)])]
ROOF = [(20, [(175, 40, 1), (235, 40, 1)])]


@pytest.mark.parametrize("side", SIDES[:3])
def test_several_digits_on_the_canvas_are_separated_from_the_left(side):
    both = preprocess(read(png(ONE + SEVEN, side)), DATASETS["mnist"])
    each = [preprocess(read(png(digit, side)), DATASETS["mnist"]).images[0] for digit in (ONE, SEVEN)]
    assert len(both.images) == 2 and len(both.steps[1].boxes) == 2
    for found, alone in zip(both.images, each, strict=True):
        assert np.abs(found.astype(int) - alone).mean() < 8


@pytest.mark.parametrize("drawing", [SEVEN + BAR, BODY + ROOF], ids=["7 with a bar", "5 with a bar of its own"])
def test_a_digit_of_several_strokes_on_the_canvas_is_one(drawing):
    assert len(preprocess(read(png(drawing, CANVAS)), DATASETS["mnist"]).images) == 1
