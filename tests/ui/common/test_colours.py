"""Line styles of networks in charts, and the distances of their colours."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from cnn_models import ARCHITECTURES
from ui.common import colours
from ui.common.colours import COLOURS, ENSEMBLE, line_styles
from ui.common.theme import PAPER

# Machado, Oliveira, Fernandes: A physiologically-based model for simulation of color vision deficiency, 2009; of linear
# RGB, at severity 1.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
# Ottosson: OKLab, 2020.
LMS = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
LAB = [
    [0.2104542553, 0.793617785, -0.0040720468],
    [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766],
]
BACKGROUND = {":root": PAPER.c50, ".dark": PAPER.c950}


def linear(colour):
    values = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def oklab(rgb):
    return np.array(LAB) @ np.cbrt(np.array(LMS) @ rgb.clip(0, 1))


def contrast(one, other):
    low, high = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] + 0.05 for colour in (one, other))
    return high / low


def shown(theme):
    """The colours of the networks and of the ensemble in a theme."""
    style = Path(colours.__file__).with_suffix(".raw.css").read_text(encoding="utf-8")
    values = dict(re.findall(r"(--[\w-]+): (#\w+);", re.search(rf"^{theme} {{(.*?)}}", style, re.M | re.S)[1]))
    return [values[variable[4:-1]] for variable in (*COLOURS.values(), ENSEMBLE)]


@pytest.mark.parametrize("theme", BACKGROUND)
@pytest.mark.parametrize("vision", VISION)
def test_any_two_networks_have_colours_far_apart(theme, vision):
    seen = [oklab(np.array(VISION[vision]) @ linear(colour)) for colour in shown(theme)]
    assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) >= 0.12


@pytest.mark.parametrize("theme", BACKGROUND)
def test_each_colour_is_visible_on_the_background(theme):
    assert all(contrast(colour, BACKGROUND[theme]) >= 3 for colour in shown(theme))
    assert len(set(COLOURS.values())) == len(ARCHITECTURES)


def test_every_line_has_a_style_of_its_own_and_the_colour_of_its_architecture():
    ids = ["lenet5.mnist", "mini_resnet.mnist", *(f"user{n}/lenet5.mnist@abcdef" for n in range(4))]
    styles = line_styles(ids)
    assert len(set(styles.values())) == len(ids)
    assert {colour for id, (colour, _) in styles.items() if "lenet5" in id} == {styles["lenet5.mnist"][0]}
