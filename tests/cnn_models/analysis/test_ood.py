"""What the bundled networks together call unusual: not what people draw, but scribbles and the other data set."""

import math

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from cnn_models import DATASETS, ModelHub, compare
from cnn_models.analysis.ood import is_dot, lookalike
from cnn_models.images.preprocess import to_dataset_form
from tests.conftest import ROOT
from training.data import load

SAMPLES = ROOT / "ui" / "common" / "samples"

CLOTHES = {
    "T-shirt/top": [
        (0.3, 0.15), (0.42, 0.2), (0.58, 0.2), (0.7, 0.15), (0.92, 0.35), (0.8, 0.45), (0.7, 0.38), (0.7, 0.88),
        (0.3, 0.88), (0.3, 0.38), (0.2, 0.45), (0.08, 0.35), (0.3, 0.15),
    ],
    "Trouser": [(0.35, 0.1), (0.65, 0.1), (0.7, 0.9), (0.55, 0.9), (0.5, 0.35), (0.45, 0.9), (0.3, 0.9), (0.35, 0.1)],
    "Bag": [(0.2, 0.4), (0.8, 0.4), (0.85, 0.85), (0.15, 0.85), (0.2, 0.4)],
    "Sneaker": [(0.1, 0.5), (0.3, 0.42), (0.5, 0.55), (0.9, 0.65), (0.92, 0.78), (0.1, 0.78), (0.1, 0.5)],
}  # fmt: skip


def arc(x, y, width, height, start, end):
    """Points of an ellipse from one angle to another, in degrees, clockwise from the right."""
    angles = (math.radians(start + (end - start) * step / 24) for step in range(25))
    return [(x + width * math.cos(angle), y + height * math.sin(angle)) for angle in angles]


DIGITS = {
    "0": [arc(0.5, 0.5, 0.24, 0.36, -90, 270)],
    "1": [[(0.36, 0.3), (0.52, 0.12), (0.52, 0.88)]],
    "1 without a flag": [[(0.5, 0.12), (0.48, 0.88)]],
    "2": [[*arc(0.5, 0.33, 0.24, 0.2, -170, 30), (0.24, 0.86), (0.78, 0.86)]],
    "3": [arc(0.47, 0.31, 0.22, 0.18, -150, 90) + arc(0.47, 0.68, 0.25, 0.19, -90, 150)],
    "4": [[(0.32, 0.14), (0.3, 0.52), (0.72, 0.52)], [(0.7, 0.14), (0.66, 0.88)]],
    "5": [[(0.72, 0.14), (0.34, 0.14), (0.32, 0.46), *arc(0.46, 0.65, 0.25, 0.22, -110, 150)]],
    "6": [[(0.62, 0.12), (0.4, 0.32), *arc(0.5, 0.66, 0.22, 0.21, 180, -190)]],
    "7": [[(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]],
    "8": [arc(0.5, 0.32, 0.18, 0.18, 90, -270) + arc(0.5, 0.69, 0.22, 0.19, -90, 270)],
    "9": [[*arc(0.48, 0.34, 0.2, 0.2, 0, -360), (0.68, 0.36), (0.64, 0.88)]],
}


def drawing(strokes, side=280):
    """Dark on light, in the sketchpad's size, pen and grey; points are in units of its side."""
    image = Image.new("L", (2 * side, 2 * side), 255)
    pen, radius = ImageDraw.Draw(image), 0.075 * side
    for stroke in strokes:
        points = [(2 * side * x, 2 * side * y) for x, y in stroke]
        pen.line(points, fill=17, width=round(2 * radius), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=17)
    return np.asarray(image.resize((side, side), Image.Resampling.BOX))


def ones_with_a_flag(xs, ys, feet):
    """The flag begins at every x and y, the stem ends at every foot."""
    return [drawing([[(x, y), (0.52, 0.12), (foot, 0.88)]]) for x in xs for y in ys for foot in feet]


def warning(comparison):
    """The code of a verdict's warning; "" for none."""
    return comparison.verdict.warning.code if comparison.verdict.warning else ""


def scribbles(count):
    torch.manual_seed(0)
    return [drawing([torch.rand(25, 2).mul(0.8).add(0.1).tolist()]) for _ in range(count)]


@pytest.mark.parametrize("name", DIGITS)
def test_a_drawn_digit_is_not(name):
    verdict = compare(drawing(DIGITS[name]), "mnist").verdict
    assert (verdict.label, verdict.unusual) == (name[0], False)


def test_ones_with_a_flag_are_not_in_the_main():
    found = [compare(one, "mnist") for one in ones_with_a_flag((0.32, 0.36, 0.4), (0.22, 0.26, 0.3, 0.34), (0.52,))]
    assert sum(each.verdict.unusual for each in found) <= 1


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_sample_is_not(dataset):
    for index in range(10):
        assert not compare(SAMPLES / f"{dataset}.{index}.png", dataset).verdict.unusual


def test_clothing_among_digits_is_in_the_main(data_dir):
    clothing = load("fashion_mnist", train=False).images[:100].numpy()
    found = [compare(image, "mnist") for image in clothing]
    assert sum(each.verdict.unusual for each in found) > 80
    assert sum(warning(each) == "lookalike" for each in found) > 80


def test_scribbles_are_in_the_main():
    assert sum(compare(image, "mnist").verdict.unusual for image in scribbles(30)) > 15


def test_drawn_clothing_among_digits_is_unless_it_reads_as_a_digit():
    found = {name: compare(drawing([outline]), "mnist") for name, outline in CLOTHES.items()}
    taken = {name for name, each in found.items() if warning(each) != "lookalike"}
    assert taken <= {"T-shirt/top", "Trouser", "Bag", "Sneaker"}
    assert {found[name].verdict.label for name in taken} <= {"0", "8"}, "as a ring, a zero, or as two"


@pytest.mark.parametrize("radius", [0.004, 0.02, 0.035])
def test_a_dot_is_no_digit(radius):
    dot = [arc(0.5, 0.5, radius, radius, 0, 360)]
    assert compare(drawing(dot), "mnist").verdict.why.endswith("it is a dot, not a stroke.")
    assert warning(compare(drawing(dot), "fashion_mnist")) != "dot"


def test_digits_are_no_dots(data_dir):
    digits = load("mnist", train=False).images.numpy()
    assert sum(is_dot(digit, "mnist") for digit in digits) == 1
    assert not is_dot(np.zeros((28, 28), np.uint8), "mnist")
    assert not is_dot(255 - digits[0], "mnist")  # as it comes where the way round is left as it was


def test_digits_among_clothing_are_known_for_digits_and_drawn_clothing_is_not():
    verdicts = [compare(drawing(strokes), "fashion_mnist").verdict for strokes in DIGITS.values()]
    assert sum("more like one of MNIST" in verdict.why for verdict in verdicts) >= 9
    refused = {
        name
        for name, outline in CLOTHES.items()
        if warning(compare(drawing([outline]), "fashion_mnist")) == "lookalike"
    }
    assert refused <= {"Trouser"}, "whose outline alone reads as a zero"
    without, seven = ModelHub(weights_dir="nowhere"), drawing(DIGITS["7"])
    form = to_dataset_form(seven, DATASETS["fashion_mnist"])
    assert not lookalike(without, "fashion_mnist", seven, form, (), [])
