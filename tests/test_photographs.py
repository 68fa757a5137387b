"""The generated photographs: repeatable, of any size, with right answers, and of the kind that their name says."""

import cv2
import numpy as np
import pytest

from cnn_models.images.decode import decode
from tests.photographs import KINDS, garment, generate

SMALL = 320, 240
every_kind = pytest.mark.parametrize("kind", KINDS)


def parts(image: np.ndarray) -> int:
    """The number of connected components of at least 12 pixels that are darker than their surroundings."""
    grey = decode(image).astype(np.int16)
    ink = grey < cv2.medianBlur(grey.astype(np.uint8), 151).astype(np.int16) - 50
    areas = cv2.connectedComponentsWithStats(ink.astype(np.uint8))[2][1:, cv2.CC_STAT_AREA]
    return np.count_nonzero(areas >= 12)


@every_kind
def test_the_same_seed_makes_the_same_photograph_and_another_one_another(kind):
    first, again, other = (next(generate(kind, 1, SMALL, seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.pixels, again.pixels) and first[1:] == again[1:]
    assert first.pixels.shape != other.pixels.shape or (first.pixels != other.pixels).mean() > 0.01


@every_kind
def test_a_photograph_has_pixels_and_the_answer_of_its_kind(kind):
    for photograph in generate(kind, 3, SMALL):
        assert photograph.pixels.dtype == np.uint8
        assert photograph.pixels.shape[2] == (4 if kind == "ink on transparency" else 3)
        assert photograph.pixels.std() > 1
        labels = photograph.right.split(" ")
        assert set("".join(labels)) <= set("0123456789") and all(len(label) == 1 for label in labels)
        assert (len(labels) > 1) == (kind == "several digits")
        assert (photograph.turn in (90, 180, 270)) == (kind == "turned")


@pytest.mark.parametrize("kind", ["plain", "shadow, soft edge", "sheet on a desk", "several digits"])
def test_photographs_are_as_large_as_asked(kind):
    assert next(generate(kind, 1, (960, 720))).pixels.shape == (960, 720, 3)


def test_several_digits_do_not_touch():
    for photograph in generate("several digits", 8, SMALL, seed=3):
        assert parts(photograph.pixels) >= len(photograph.right.split(" "))


def test_ink_that_differs_in_colour_alone_has_hardly_a_contrast_in_luminance():
    def contrast(image: np.ndarray) -> float:
        return float(np.ptp(np.percentile(image[120:200, 80:160], (3, 97), axis=(0, 1)), axis=0).max())

    for kind, is_alone in (("ink that differs in colour alone", True), ("plain", False)):
        found = [each.pixels.astype(float) for each in generate(kind, 12, SMALL)]
        shares = [contrast(image @ (0.299, 0.587, 0.114)) / contrast(image) for image in found]
        assert (np.median(shares) < 0.4) == is_alone, shares


def test_a_shadow_darkens_a_part_of_the_page_only():
    for photograph in generate("shadow, hard edge", 6, SMALL):
        paper = cv2.medianBlur(decode(photograph.pixels), 31)
        assert np.percentile(paper, 2) < 0.75 * np.percentile(paper, 98)


def test_a_turned_photograph_upright_has_its_sides_exchanged_for_quarter_turns():
    for photograph in generate("turned", 6, SMALL):
        assert photograph.pixels.shape[:2] == (SMALL if photograph.turn == 180 else SMALL[::-1])


def test_a_garment_is_in_the_middle_of_its_ground():
    photograph = garment(np.random.default_rng(0), SMALL)
    assert photograph.right in ("T-shirt/top", "Trouser") and photograph.pixels.shape == (*SMALL, 3)
