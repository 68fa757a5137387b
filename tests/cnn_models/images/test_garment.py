"""Garments in photographs: found on many grounds, in the form of product photographs, with a warning where not."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnn_models import DATASETS, compare
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.images.decode import Decoded
from cnn_models.images.garment import DARKEST, find_garment, symmetry
from cnn_models.images.preprocess import BlankImage, preprocess

FASHION = DATASETS["fashion_mnist"]
# Outlines of 100 x 100, as garments lie on a floor.
SHIRT = [(35, 15), (45, 19), (55, 19), (65, 15), (88, 35), (78, 46), (68, 38), (68, 85)]
TROUSERS = [(36, 10), (64, 10), (72, 90), (57, 90), (50, 35), (43, 90), (28, 90)]
DRESS = [(42, 10), (46, 18), (54, 18), (58, 10), (60, 40), (75, 90), (25, 90), (40, 40)]
OUTLINES = {"T-shirt": SHIRT + [(100 - x, y) for x, y in SHIRT[:3:-1]], "trousers": TROUSERS, "dress": DRESS}
GROUNDS = ("plain", "shaded", "carpet", "planks")
every_outline = pytest.mark.parametrize("name", OUTLINES)


def ground(kind: str, rng: np.random.Generator, side: int = 400) -> np.ndarray:
    """A floor, side x side x 3 float32."""
    floor = np.full((side, side, 3), rng.uniform(130, 220, 3), np.float32)
    if kind == "shaded":
        floor *= np.linspace(0.6, 1.1, side, dtype=np.float32)[:, None, None]
    if kind == "carpet":
        floor += cv2.GaussianBlur(rng.normal(0, 60, floor.shape).astype(np.float32), (0, 0), 2)
    if kind == "planks":
        floor *= np.repeat(rng.uniform(0.8, 1.1, 10), side // 10).astype(np.float32)[:, None, None]
        floor[:: side // 10] *= 0.5
    return floor


def photograph(outlines: list, kind: str = "plain", seed: int = 0, side: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Dark blue things on a floor, side x side x 3, and their mask; folds, noise and blur as of a camera."""
    rng = np.random.default_rng(seed)
    mask = np.zeros((side, side), np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.rint(np.array(outline) * side / 100).astype(np.int32)], 1)
    folds = cv2.GaussianBlur(rng.normal(0, 150, mask.shape).astype(np.float32), (0, 0), 8)
    cloth = np.array([40, 50, 90], np.float32) + folds[..., None]
    image = np.where(mask[..., None] > 0, cloth, ground(kind, rng, side))
    image = cv2.GaussianBlur(image + rng.normal(0, 5, image.shape).astype(np.float32), (0, 0), 1)
    return np.clip(image, 0, 255).astype(np.uint8), mask


def filled(outline: tuple, shape: tuple) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.array(outline)], 1)
    return mask


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def ellipse(x: float, y: float, width: float, height: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 40)
    return np.stack([x + width / 2 * np.cos(angles), y + height / 2 * np.sin(angles)], axis=1)


@pytest.mark.parametrize("kind", GROUNDS)
@every_outline
def test_the_outline_is_that_of_the_garment(name, kind):
    image, mask = photograph([OUTLINES[name]], kind)
    found = find_garment(image)
    (step,) = found.steps
    assert step.name == "ground"
    np.testing.assert_array_equal(step.image, image)
    assert overlap(filled(step.outline, mask.shape), mask) > 0.93
    assert found.doubt == ""


@every_outline
def test_the_garment_is_bright_on_black_and_the_ground_is_gone(name):
    (garment,) = find_garment(photograph([OUTLINES[name]], "planks")[0]).images
    border = np.concatenate([garment[0], garment[-1], garment[:, 0], garment[:, -1]])
    assert not border.any()
    is_dark = (garment > 0) & (garment < DARKEST)  # only where ground and garment are averaged
    assert np.count_nonzero(is_dark) < 0.02 * np.count_nonzero(garment)
    assert 150 < np.median(garment[garment > 0]) < 230


def test_a_wide_garment_becomes_narrower_and_a_narrow_one_keeps_its_form():
    def ratio(name: str) -> float:
        (garment,) = find_garment(photograph([OUTLINES[name]])[0]).images
        rows, columns = np.nonzero(garment)
        return np.ptp(columns) / np.ptp(rows)

    assert ratio("T-shirt") == pytest.approx((76 / 70 + 0.6) / 2, abs=0.05)
    assert ratio("trousers") == pytest.approx(44 / 80, abs=0.03)


def test_a_shoe_from_the_side_keeps_its_form():
    sole = ((10, 65), (90, 65), (90, 55), (60, 47), (38, 30), (36, 38), (12, 34))
    (shoe,) = find_garment(photograph([sole])[0]).images
    rows, columns = np.nonzero(shoe)
    assert np.ptp(columns) / np.ptp(rows) == pytest.approx(80 / 35, rel=0.08)


def test_a_print_in_the_colour_of_the_ground_is_no_hole_and_the_gap_between_legs_is_ground():
    image, mask = photograph([OUTLINES["T-shirt"]])
    image[180:210, 180:210] = image[5, 5]
    (step,) = find_garment(image).steps
    assert filled(step.outline, mask.shape)[195, 195]
    (garment,) = find_garment(image).images
    assert garment[garment.shape[0] // 2 - 20 : garment.shape[0] // 2 + 20, garment.shape[1] // 2].min() > 0
    (trousers,) = find_garment(photograph([OUTLINES["trousers"]])[0]).images
    assert trousers[trousers.shape[0] * 3 // 4, trousers.shape[1] // 2] == 0


def test_white_on_white_in_shade_is_found():
    rng = np.random.default_rng(0)
    mask = photograph([OUTLINES["T-shirt"]])[1]
    light = np.linspace(0.8, 1, 400, dtype=np.float32)[:, None, None]
    image = np.where(mask[..., None] > 0, 245, 205) * light + rng.normal(0, 3, (400, 400, 3))
    found = find_garment(np.clip(image, 0, 255).astype(np.uint8))
    assert overlap(filled(found.steps[0].outline, mask.shape), mask) > 0.9


def test_the_hook_of_a_hanger_is_no_part_of_the_garment():
    image, mask = photograph([OUTLINES["T-shirt"]])
    cv2.line(image, (200, 0), (200, 70), (20, 20, 20), 5)
    assert overlap(filled(find_garment(image).steps[0].outline, mask.shape), mask) > 0.93


SHOES = [ellipse(38, 50, 22, 70), ellipse(61, 50, 22, 70)]
GARMENTS = [np.array(DRESS) * 0.6 + (0, 20), np.array(TROUSERS) * 0.6 + (40, 20)]


@pytest.mark.parametrize("outlines", [SHOES, GARMENTS], ids=["shoes that touch", "a dress and trousers"])
def test_a_pair_of_shoes_from_above_and_two_garments_are_reported(outlines):
    assert find_garment(photograph(outlines)[0]).doubt == "pair"


def test_an_outline_without_mirror_symmetry_is_reported():
    outline = [(20, 20), (50, 20), (50, 60), (80, 70), (80, 80), (20, 80)]
    image, mask = photograph([outline])
    assert symmetry(mask) < 0.7
    assert find_garment(image).doubt == "shoes"


def test_a_ground_without_a_garment_is_reported():
    rng = np.random.default_rng(0)
    for kind in ("plain", "shaded"):
        noisy = ground(kind, rng) + rng.normal(0, 2, (400, 400, 3))
        assert find_garment(np.clip(noisy, 0, 255).astype(np.uint8)).doubt != ""


def test_a_blank_photograph_is_blank():
    blank = np.full((300, 200, 3), (90, 120, 200), np.uint8)
    assert find_garment(blank).images == ()
    with pytest.raises(BlankImage):
        preprocess(Decoded(blank), FASHION)


def test_without_the_step_ground_nothing_is_found():
    assert find_garment(photograph([OUTLINES["dress"]])[0], off=("ground",)) == ((), (), "")


def test_transparency_is_shown_over_white_and_grey_photographs_are_taken():
    image, mask = photograph([OUTLINES["T-shirt"]])
    transparent = np.dstack([image, mask * 255])
    over_white = np.where(mask[..., None] > 0, image, 255).astype(np.uint8)
    np.testing.assert_array_equal(find_garment(transparent).images, find_garment(over_white).images)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    assert overlap(filled(find_garment(grey).steps[0].outline, mask.shape), mask) > 0.93


def test_the_same_photograph_gives_the_same_garment():
    image, _ = photograph([OUTLINES["dress"]], "carpet")
    first = find_garment(image)
    find_garment(photograph([OUTLINES["trousers"]])[0])
    np.testing.assert_array_equal(find_garment(image).images, first.images)


@settings(deadline=None, max_examples=40)
@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90), st.sampled_from([3, 4])).flatmap(lambda s: arrays(np.uint8, s))
)
def test_any_pixels_are_taken(pixels):
    found = find_garment(pixels)
    assert all(image.dtype == np.uint8 and image.any() for image in found.images)
    assert found.images or found.doubt == "ground"


def test_fashion_mnist_on_a_floor_is_predicted_by_group():
    """Photographs made of test images: 400 pixels, negated, coloured, on planks."""
    rng = np.random.default_rng(0)
    images, labels = (np.asarray(part[:12]) for part in load_test_set("fashion_mnist"))
    right = 0
    for image, label in zip(images, labels, strict=True):
        large = cv2.resize(image, (280, 280), interpolation=cv2.INTER_CUBIC)
        floor = ground("planks", rng)
        alpha = cv2.resize((image > 8).astype(np.float32), (280, 280))[..., None]
        cloth = (255 - large[..., None]) * np.array([0.7, 0.8, 1], np.float32)
        floor[60:340, 60:340] = alpha * cloth + (1 - alpha) * floor[60:340, 60:340]
        verdict = compare(np.clip(floor, 0, 255).astype(np.uint8), "fashion_mnist", ["mini_resnet"]).verdict
        right += group(verdict.label) == group(FASHION.classes[label])
    assert right >= 11


def group(label: str) -> str:
    groups = (("T-shirt/top", "Pullover", "Shirt", "Coat"), ("Sandal", "Sneaker", "Ankle boot"))
    return next((each[0] for each in groups if label in each), label)
