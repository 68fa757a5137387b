"""The Learn tab's pages: their numbers, and that every setting of their controls gives a page."""

import itertools
import math
import re

import pytest
import torch
from torch import nn

from cnn_models import create_model
from ui.learn import lessons
from ui.learn.tab import PAGES


def numbers(html):
    """The numbers in each grid of a page, row by row."""
    grids = re.findall(r'<div class="lesson-grid".*?</div>', html)
    return [[float(x.replace("−", "-") or "nan") for x in re.findall(r">([−\d.]*)</i>", grid)] for grid in grids]


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding"), [(6, 3, 1, 0), (7, 3, 2, 1), (5, 5, 1, 0), (4, 2, 3, 2), (3, 1, 1, 0)]
)
def test_a_convolution_is_pytorchs(size, kernel, stride, padding):
    """Each of three filters shown in turn: its kernels on two channels, and its bias, make its output."""
    for filter in (1, 2, 3):
        html = lessons.convolution(size, kernel, stride, padding, 2, 3, filter)
        one, its, two, other, *outputs = numbers(html)
        layer = nn.Conv2d(2, 1, kernel, stride)
        layer.weight.data = torch.tensor([its, other]).reshape(1, 2, kernel, kernel)
        layer.bias.data = torch.tensor([float(re.search(r'data-bias="(\d+)"', html)[1])])
        side = size + 2 * padding
        wanted = layer(torch.tensor([one, two]).reshape(1, 2, side, side)).flatten().tolist()
        assert len(outputs) == 3 and outputs[filter - 1] == wanted
        assert re.findall('data-grid="(output[^"]*)"', html)[filter - 1] == "output", "the window's"
        parameters = sum(p.numel() for p in nn.Conv2d(2, 3, kernel).parameters())
        assert f"3·(2·{kernel}·{kernel} + 1) = {parameters:,}" in html


def test_pooling_is_pytorchs():
    html = lessons.pooling(6, 3, 2, 1)
    padded, *outputs = numbers(html)
    image = torch.tensor(padded).reshape(1, 1, 8, 8)[..., 1:-1, 1:-1]
    for output, pool in zip(outputs, (nn.MaxPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1)), strict=True):
        assert output == pytest.approx(pool(image).flatten().tolist(), abs=0.005)
    assert re.findall(r"· (\d×\d)</span></figcaption>", html) == ["6×6", "3×3", "3×3"], "without the padding"
    assert sum(map(math.isnan, padded)) == html.count("lesson-padding") == 8 * 8 - 6 * 6 and "lesson.padded" in html


@pytest.mark.parametrize(
    ("settings", "verdict"),
    [((6, 2, 2, 0), "right"), ((7, 2, 2, 0), "wrong"), ((6, 3, 2, 1), "luck"), ((6, 3, 2, 0), "wrong")],
)
def test_the_short_formula_is_judged(settings, verdict):
    assert f"lesson.short.{verdict}" in lessons.pooling(*settings)


def test_a_1x1_convolution_costs_what_the_course_says():
    html = lessons.pointwise(192, 32, 28, 5, 16)
    assert "= 120,422,400" in html and "= 2,408,448 + 10,035,200 = 12,443,648" in html and "9.68" in html
    assert "192×28×28 → 16×28×28 → 32×28×28" in html and "times as many multiplications as through 16" in html
    assert "too many channels to save anything" in lessons.pointwise(192, 32, 28, 1, 256)


def test_dense_layers_are_counted_in_the_networks():
    html = lessons.networks() + lessons.dense_or_average(10)
    for name in ("alexnet", "googlenet"):
        dense = sum(p.numel() for m in create_model(name).modules() if isinstance(m, nn.Linear) for p in m.parameters())
        assert f"{sum(p.numel() for p in create_model(name).parameters()):,} parameters: {dense:,} in dense" in html
    assert "4,096·(6,400 + 1) = 26,218,496" in html and "10·(1024·3·3 + 1) = 92,170" in html


def test_what_does_not_fit_says_what_to_do():
    assert "A kernel of 7 does not fit in 4 pixels with 1 of padding" in lessons.convolution(4, 7, 1, 1, 1, 1, 1)
    assert "does not fit" in lessons.pooling(2, 3, 1, 0)


@pytest.mark.parametrize("kernel", range(1, 8))
@pytest.mark.parametrize("padding", range(4))
def test_pooling_is_refused_where_pytorch_refuses_it_with_the_reason(kernel, padding):
    html = lessons.pooling(6, kernel, 1, padding)
    try:
        nn.MaxPool2d(kernel, 1, padding)(torch.zeros(1, 6, 6))
        assert "lesson-error" not in html
    except RuntimeError as error:
        reason = "lesson.misfit" if "too small" in str(error) else "lesson.half"
        alone = all(index < padding for index in range(kernel))  # the first window, none of it on the image
        assert ("lesson.padding" if alone else reason) in html


@pytest.mark.parametrize("name", PAGES)
def test_every_end_of_every_control_gives_a_page(name):
    page, controls = PAGES[name]
    for values in itertools.product(*((c.low, c.value, c.high)[:: 2 if len(controls) > 5 else 1] for c in controls)):
        assert "</" in page(*values)
