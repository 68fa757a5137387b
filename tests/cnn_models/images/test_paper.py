"""Digits in photographs of paper: what is found is compared with the ink that was written."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnn_models import DATASETS
from cnn_models.images.decode import Decoded
from cnn_models.images.paper import find_digits
from cnn_models.images.preprocess import to_dataset_form
from cnn_models.images.segment import SEGMENTS, is_photograph, segment

MNIST = DATASETS["mnist"]
HEIGHT, WIDTH = 800, 600
PAPER, PEN, DESK = (238, 234, 226), (25, 30, 95), (96, 66, 42)
SIMILAR = 14  # grey levels: the greatest mean difference between what is found and what was written
Box = tuple[int, int, int, int]
sizes = st.integers(1, 90)


def write(digits: str = "5", left: int = 230, bottom: int = 460, scale: float = 6) -> tuple[np.ndarray, Box]:
    """The ink of digits in a row, H x W from 0 to 1, and its box."""
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.putText(ink, digits, (left, bottom), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, round(2.7 * scale), cv2.LINE_AA)
    return ink / np.float32(255), box_of(ink)


def box_of(ink: np.ndarray) -> Box:
    left, top, width, height = cv2.boundingRect((ink > 0).astype(np.uint8))
    return left, top, left + width, top + height


def page(ink: np.ndarray, pen: tuple[int, ...] = PEN, paper: tuple[int, ...] = PAPER) -> np.ndarray:
    """A page with this ink in a light that falls off, H x W x 3 float32."""
    light = np.linspace(1, 0.8, HEIGHT)[:, None, None] * np.linspace(1, 0.9, WIDTH)[:, None]
    return ((np.array(paper) + ink[..., None] * (np.array(pen) - np.array(paper))) * light).astype(np.float32)


def photo(scene: np.ndarray, seed: int = 0) -> np.ndarray:
    noisy = cv2.GaussianBlur(scene, (0, 0), 1) + np.random.default_rng(seed).normal(0, 3, scene.shape)
    decoded = cv2.imdecode(cv2.imencode(".jpg", noisy.clip(0, 255).astype(np.uint8))[1], cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded


def lines(*ends: tuple[int, int, int, int], thickness: int = 4) -> np.ndarray:
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left, top, right, bottom in ends:
        cv2.line(ink, (left, top), (right, bottom), 255, thickness, cv2.LINE_AA)
    return ink / np.float32(255)


def form(ink: np.ndarray) -> np.ndarray:
    """The data set's form of ink from 0 to 1."""
    left, top, right, bottom = box_of(ink)
    return to_dataset_form(np.pad((255 * ink[top:bottom, left:right]).astype(np.uint8), 4), MNIST)


def difference(image: np.ndarray, ink: np.ndarray) -> float:
    """The mean difference in grey levels from the form of this ink, at most a pixel away."""
    found, expected = to_dataset_form(image, MNIST).astype(float), form(ink)
    shifts = ((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1))
    return min(np.abs(np.roll(found, shift, (0, 1)) - expected).mean() for shift in shifts)


def check(pixels: np.ndarray, ink: np.ndarray, limit: float = SIMILAR) -> None:
    """That exactly the digit of this ink is found, without doubt."""
    found = find_digits(pixels)
    assert len(found.images) == 1 and not found.doubt
    assert difference(found.images[0], ink) < limit


def test_another_digit_is_not_similar():
    assert difference(find_digits(photo(page(write("5")[0]))).images[0], write("4")[0]) > 2 * SIMILAR


@pytest.mark.parametrize("digit", "0123456789")
def test_digit_on_plain_paper(digit):
    ink = write(digit)[0]
    check(photo(page(ink)), ink)


@pytest.mark.parametrize("scale", [2, 3, 12])
def test_size_of_the_digit_does_not_matter(scale):
    ink = write("2", 150, 600, scale)[0]
    check(photo(page(ink)), ink)


def test_image_is_bright_on_black_with_a_margin():
    image = find_digits(photo(page(write()[0]))).images[0]
    assert image.dtype == np.uint8 and image.max() == 255
    assert not image[[0, -1]].any() and not image[:, [0, -1]].any()


@pytest.mark.parametrize("blur", [1, 8, 25])
@pytest.mark.parametrize("corner", [(300, 380), (0, 400), (330, 0)])
def test_shadow_over_the_digit(blur, corner):
    ink, dark = write()[0], np.zeros((HEIGHT, WIDTH), np.float32)
    dark[corner[1] :, corner[0] :] = 0.6
    check(photo(page(ink) * (1 - cv2.GaussianBlur(dark, (0, 0), blur)[..., None])), ink)


def test_shadow_is_no_edge_of_a_sheet():
    scene = page(write()[0])
    scene[500:] *= 0.4
    found = find_digits(photo(scene))
    assert not found.steps[0].outline


@pytest.mark.parametrize("desk", [DESK, (205, 170, 128), (120, 122, 124), (28, 28, 30)])
@pytest.mark.parametrize("turn", [0, 10])
def test_sheet_on_a_desk_is_seen_from_above(desk, turn):
    ink = write()[0]
    corners = cv2.boxPoints(((300, 400), (400, 560), turn))[[1, 2, 3, 0]]
    corners[0] += 20  # a perspective
    matrix = cv2.getPerspectiveTransform(
        np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32), corners
    )
    scene = cv2.warpPerspective(page(ink), matrix, (WIDTH, HEIGHT), borderValue=desk)
    check(photo(scene), ink)
    outline = np.array(find_digits(photo(scene)).steps[0].outline)
    assert len(outline) == 4 and np.abs(outline - corners).max() < 15


@pytest.mark.parametrize("desk", [DESK, (205, 170, 128), (28, 28, 30)])
@pytest.mark.parametrize("side", ["left", "top", "bottom"])
def test_desk_beside_the_sheet(desk, side):
    ink = write()[0]
    scene = page(ink)
    grain = 1 + 0.15 * np.random.default_rng(1).normal(0, 1, (HEIGHT, 1, 1))
    part = {"left": np.s_[:, :90], "top": np.s_[:120], "bottom": np.s_[700:]}[side]
    scene[part] = (np.array(desk) * grain * np.ones((1, WIDTH, 1)))[part]
    check(photo(scene), ink)


@pytest.mark.parametrize(
    ("pen", "paper"),
    [((235, 215, 60), (240, 232, 212)), ((230, 30, 40), (40, 120, 40)), ((0, 0, 255), (0, 0, 0))],
    ids=["yellow on cream", "red on green", "blue on black"],
)
def test_ink_differs_in_colour(pen, paper):
    ink = write()[0]
    check(photo(page(ink, pen, paper)), ink)


def test_chalk_on_a_board():
    ink = write()[0]
    check(photo(page(ink, (230, 230, 225), (40, 60, 50))), ink)


@pytest.mark.parametrize("colour", [(255, 255, 255), (250, 210, 40), (0, 0, 0)])
@pytest.mark.parametrize("beneath", [0, 255])
def test_ink_on_transparency(colour, beneath):
    ink = write()[0]
    pixels = np.full((HEIGHT, WIDTH, 4), beneath, np.uint8)
    pixels[ink > 0, :3] = colour
    pixels[..., 3] = np.rint(255 * ink)
    check(pixels, ink)


def test_specks_and_staples_are_omitted():
    ink = write()[0]
    check(photo(page(np.maximum(ink, lines((60, 60, 100, 64), (500, 700, 503, 702), (520, 90, 523, 90))))), ink)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("gap", [0, 30])
def test_underlines_are_omitted(count, gap):
    ink, (left, _, right, bottom) = write("3")
    under = [(left - 45, bottom + gap + 25 * i, right + 40, bottom + gap + 25 * i + 3) for i in range(count)]
    check(photo(page(np.maximum(ink, lines(*under)))), ink, SIMILAR if gap else 1.5 * SIMILAR)


def test_base_of_a_digit_is_no_underline():
    ink = np.maximum(write("2")[0], lines((240, 455, 420, 455), thickness=16))
    check(photo(page(ink)), ink)


def test_circle_is_omitted():
    ink, ring = write()[0], np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(ring, (290, 395), (130, 150), 20, 5, 355, 255, 4, cv2.LINE_AA)
    check(photo(page(np.maximum(ink, ring / np.float32(255)))), ink)


@pytest.mark.parametrize("boxes", [1, 3])
def test_boxes_of_a_form_are_omitted(boxes):
    ink = write("5", 230)[0]
    cells = [190 + 180 * i for i in range(-1 if boxes == 3 else 0, boxes - 1 if boxes == 3 else 1)]
    frame = np.zeros((HEIGHT, WIDTH), np.uint8)
    for left in cells:
        cv2.rectangle(frame, (left, 290), (left + 170, 500), 255, 3)
    check(photo(page(np.maximum(ink, frame / np.float32(255)))), ink)


@pytest.mark.parametrize("is_squared", [False, True])
def test_ruled_and_squared_paper(is_squared):
    ink, spacing = write()[0], 44
    rules = [(0, y, WIDTH, y + 6) for y in range(10, HEIGHT, spacing)]
    rules += [(x, 0, x - 6, HEIGHT) for x in range(10, WIDTH, spacing)] if is_squared else []
    ruled = 0.35 * lines(*rules, thickness=2)
    check(photo(page(np.maximum(ink, ruled))), ink)


@pytest.mark.parametrize("digits", ["10", "11", "42", "2026"])
def test_several_digits_are_separated_from_left_to_right(digits):
    found = find_digits(photo(page(write(digits, 100, 460, 4)[0])))
    assert len(found.images) == len(digits) and not found.doubt
    boxes = found.steps[-1].boxes
    assert list(boxes) == sorted(boxes)
    for image, digit in zip(found.images, digits, strict=True):
        assert difference(image, write(digit, 200, 460, 4)[0]) < SIMILAR


@pytest.mark.parametrize("colour", [(255, 150, 40), (120, 230, 120), (250, 110, 170)])
def test_note_of_coloured_paper_on_a_white_wall(colour):
    ink = write()[0]
    scene, note = page(np.zeros_like(ink)), page(ink, paper=colour)
    scene[240:540, 140:460] = note[240:540, 140:460]
    found = find_digits(photo(scene))
    check(photo(scene), ink)
    assert np.abs(np.array(found.steps[0].outline).mean(axis=0) - (300, 390)).max() < 10


@pytest.mark.parametrize("shape", ["disc", "box"])
@pytest.mark.parametrize("colour", [(220, 50, 50), (20, 20, 20)])
@pytest.mark.parametrize("is_grey", [False, True])
def test_digit_in_a_filled_shape(shape, colour, is_grey):
    ink, (left, top, right, bottom) = write()
    scene, centre = np.full((HEIGHT, WIDTH, 3), 255, np.uint8), ((left + right) // 2, (top + bottom) // 2)
    if shape == "disc":
        cv2.circle(scene, centre, 160, colour, cv2.FILLED, cv2.LINE_AA)
    else:
        cv2.rectangle(scene, (left - 60, top - 50), (right + 60, bottom + 50), colour, cv2.FILLED)
    scene = np.rint(scene + ink[..., None] * (255.0 - scene)).astype(np.uint8)
    if is_grey:
        scene = cv2.cvtColor(scene, cv2.COLOR_RGB2GRAY)
        assert not is_photograph(scene)
    (image,) = segment(Decoded(scene), MNIST).images
    assert difference(image, ink) < SIMILAR


@pytest.mark.parametrize("thickness", [40, 60, 80])
def test_hole_of_a_bold_zero_is_no_digit(thickness):
    ring = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(ring, (290, 390), 100, 255, thickness, cv2.LINE_AA)
    check(photo(page(ring / np.float32(255))), ring / np.float32(255))


def test_binding_does_not_decide_the_colour_of_the_ink():
    ink = write()[0]
    scene = page(ink, (60, 150, 60))
    scene[:, :20], scene[:, 20:23] = 20, 255
    for y in range(10, HEIGHT, 30):
        cv2.circle(scene, (34, y), 9, (40, 40, 40), cv2.FILLED)
        cv2.line(scene, (8, y - 3), (30, y - 3), (235, 235, 240), 4)
    check(photo(scene), ink)


def test_shadow_with_its_edge_through_a_digit_is_no_desk():
    ink = write()[0]
    scene, light = page(ink), np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillConvexPoly(light, np.array([(WIDTH, 0), (290, 330), (290, 480), (WIDTH, 760)]), 1)
    check(photo(scene * np.where(light, 1, 0.6)[..., None]), ink)


def test_digit_cut_by_the_border_is_doubted():
    assert find_digits(photo(page(write(left=-60)[0]))).doubt == "sheet"


@pytest.mark.parametrize("is_on_desk", [False, True])
def test_blank_sheet_is_doubted(is_on_desk):
    scene = page(np.zeros((HEIGHT, WIDTH), np.float32))
    if is_on_desk:
        scene[:100] = scene[-100:] = scene[:, :80] = scene[:, -80:] = DESK
    assert find_digits(photo(scene)).doubt == "sheet"


def strokes(*parts: list[tuple[int, int]]) -> np.ndarray:
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    for points in parts:
        cv2.polylines(ink, [np.array(points)], False, 255, 14, cv2.LINE_AA)
    return ink / np.float32(255)


@pytest.mark.parametrize(
    "ink",
    [
        strokes([(260, 320), (250, 390), (330, 400), (340, 460), (250, 480)], [(275, 290), (350, 285)]),
        strokes([(260, 340), (300, 370), (255, 410)], [(280, 300), (370, 290)]),
        strokes([(260, 300), (250, 390), (300, 395)], [(330, 330), (325, 490)]),
        strokes([(250, 300), (350, 300), (290, 490)], [(255, 400), (285, 398)], [(325, 398), (365, 398)]),
        strokes([(340, 310), (270, 310), (270, 370), (330, 370)], [(260, 400), (345, 400), (345, 490), (260, 490)]),
        strokes([(300, 280), (250, 440)], [(265, 470), (300, 490), (345, 470)], [(345, 445), (347, 450)]),
    ],
    ids=["5 with a bar", "5 with a long bar", "open 4", "7 with a bar", "broken 8", "6 of a line, a bowl and a dot"],
)
def test_strokes_of_one_digit_stay_together(ink):
    check(photo(page(ink)), ink)


@pytest.mark.parametrize("seed", range(3))
def test_blank_paper_has_no_digit(seed):
    assert not find_digits(photo(page(np.zeros((HEIGHT, WIDTH), np.float32)), seed)).images


def test_text_is_doubted():
    ink = np.zeros((HEIGHT, WIDTH), np.uint8)
    for row in range(100, 700, 60):
        cv2.putText(ink, "a page of printed text", (40, row), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 255, 3, cv2.LINE_AA)
    assert find_digits(photo(page(ink / np.float32(255)))).doubt == "sheet"


def test_steps_show_what_was_found():
    ink, box = write()
    found = find_digits(photo(page(ink)))
    assert [step.name for step in found.steps] == ["sheet", "light", "components"]
    shown = found.steps[-1].image.shape
    assert np.allclose(np.array(found.steps[-1].boxes[0]) * HEIGHT / shown[0], box, atol=6)
    light = found.steps[1].image
    assert np.ptp(np.median(light[::40, 5], axis=1)) < 12  # the light no longer falls off


@pytest.mark.parametrize("step", ["sheet", "light", "components"])
def test_steps_can_be_omitted(step):
    scene = page(write("42", 150, 460, 4)[0])
    scene[:110] = DESK
    changes: Callable = {
        "sheet": lambda found: found.steps[0].outline == (),
        "light": lambda found: np.ptp(np.median(found.steps[1].image[-300::40, 5], axis=1)) > 8,
        "components": lambda found: len(found.images) == 1,
    }[step]
    assert changes(find_digits(photo(scene), off=(step,))) and not changes(find_digits(photo(scene)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 2), (64, 64, 3), (3, 900, 4), (200, 5, 3)])
def test_any_shape_and_noise_is_taken(shape):
    noise = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    for pixels in (noise, noise * 0, np.full_like(noise, 255)):
        found = find_digits(pixels)
        assert all(image.dtype == np.uint8 and image.ndim == 2 for image in found.images)


@given(
    pixels=st.one_of(
        arrays(np.uint8, st.tuples(sizes, sizes)),
        arrays(np.uint8, st.tuples(sizes, sizes, st.sampled_from((3, 4)))),
        st.builds(
            lambda pixels, factor: np.kron(pixels, np.ones((factor, factor, 1), np.uint8)),
            arrays(np.uint8, st.tuples(st.integers(2, 9), st.integers(2, 9), st.sampled_from((3, 4)))),
            st.integers(6, 30),
        ),
    ),
    off=st.sets(st.sampled_from(SEGMENTS["digits"])),
)
def test_any_image_without_any_steps_is_taken(pixels, off):
    found = find_digits(pixels, off)
    assert found.doubt in ("", "sheet")
    assert all(image.dtype == np.uint8 and image.ndim == 2 and image.max() > 0 for image in found.images)
