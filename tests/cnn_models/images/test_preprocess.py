"""From any image to what training saw."""

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from torch.nn import functional
from torchvision import datasets

from cnn_models import DATASETS
from cnn_models.images.decode import Decoded, decode
from cnn_models.images.preprocess import (
    FORM_STEPS,
    FORMS,
    SWITCHES,
    BlankImage,
    preprocess,
    steps,
    to_dataset_form,
    to_input,
)  # fmt: skip

LOADERS = {"mnist": datasets.MNIST, "fashion_mnist": datasets.FashionMNIST}
MNIST, FASHION = DATASETS["mnist"], DATASETS["fashion_mnist"]


@pytest.fixture(scope="module")
def images(data_dir) -> dict[str, np.ndarray]:
    """The test images of each data set, 10,000 x 28 x 28."""
    return {name: loader(data_dir, train=False).data.numpy() for name, loader in LOADERS.items()}


every_dataset = pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS.keys())


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference in grey levels."""
    return np.abs(a.astype(float) - b).mean()


def enlarge(image: np.ndarray, times: float) -> np.ndarray:
    height, width = image.shape
    return np.asarray(Image.fromarray(image).resize((round(width * times), round(height * times)), 3))  # bicubic


def place(image: np.ndarray, side: int, top: int, left: int) -> np.ndarray:
    canvas = np.zeros((side, side), np.uint8)
    canvas[top : top + len(image), left : left + image.shape[1]] = image
    return canvas


def trim(image: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def stroke(side: int = 280, ink: int = 0, paper: int = 255) -> np.ndarray:
    """A 7, roughly, drawn with a stroke of 7 % of the side, in the middle of the page."""
    page = np.full((side, side), paper, np.uint8)
    width = side * 7 // 100
    page[side // 4 : side // 4 + width, side // 3 : side * 2 // 3] = ink
    page[side // 4 : side * 3 // 4, side * 2 // 3 - width : side * 2 // 3] = ink
    return page


def test_every_dataset_has_a_form():
    assert FORMS.keys() == DATASETS.keys()


@every_dataset
@pytest.mark.parametrize("is_negative", [False, True])
def test_own_images_keep_every_byte_either_way_round(data_dir, dataset, is_negative):
    parts = [LOADERS[dataset.name](data_dir, train=train).data.numpy()[::4] for train in (True, False)]
    for image in np.concatenate(parts):
        found = preprocess(Decoded(255 - image if is_negative else image), dataset)
        assert len(found.images) == 1 and np.array_equal(found.images[0], image)


@every_dataset
def test_own_images_as_png_reach_the_network_as_in_training(images, dataset):
    seen = to_input(torch.from_numpy(images[dataset.name][:100]), 28, dataset.mean, dataset.std)
    for image, expected in zip(images[dataset.name][:100], seen, strict=True):
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "PNG")
        form = torch.from_numpy(to_dataset_form(decode(buffer.getvalue()), dataset))
        assert torch.equal(to_input(form[None], 28, dataset.mean, dataset.std)[0], expected)


@pytest.mark.parametrize(
    ("dataset", "number"),
    [(MNIST, 19_841), (MNIST, 45_131), (FASHION, 26_299), (FASHION, 41_623)],  # least centred; most over the border
)
def test_hardest_own_images_keep_every_byte(data_dir, dataset, number):
    image = LOADERS[dataset.name](data_dir, train=True).data[number].numpy()
    assert np.array_equal(to_dataset_form(image, dataset), image)
    assert np.array_equal(to_dataset_form(255 - image, dataset), image)


def test_result_is_not_the_caller_s_array(images):
    mine = images["mnist"][0].copy()
    to_dataset_form(mine, MNIST)[:] = 7
    assert np.array_equal(mine, images["mnist"][0])


@every_dataset
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("side", [56, 112, 280, 1200])
def test_enlarged_images_come_out_close(images, dataset, negative, side):
    limit = {"mnist": 9, "fashion_mnist": 18}[dataset.name]
    sample = images[dataset.name][:40]
    large = [enlarge(p, side / 28) for p in sample]
    found = [to_dataset_form(255 - p if negative else p, dataset) for p in large]
    assert np.mean([distance(a, b) for a, b in zip(found, sample, strict=True)]) < limit


@every_dataset
def test_own_images_as_jpeg_stay_close(images, dataset):
    found = []
    for image in images[dataset.name][:100]:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=85)
        found.append(distance(to_dataset_form(decode(buffer.getvalue()), dataset), image))
    assert np.median(found) < 6


@every_dataset
@pytest.mark.parametrize("page", [28, 112])
def test_own_image_in_a_corner_is_only_moved(images, dataset, page):
    sample = images[dataset.name][:500]
    corners = [place(trim(p), page, 0, 0) for p in sample]
    found = [to_dataset_form(corner, dataset) for corner in corners]
    same = [np.array_equal(a, b) for a, b in zip(found, sample, strict=True)]
    assert np.mean(same) > {"mnist": 0.99, "fashion_mnist": 0.9}[dataset.name]  # clothing is centred to 2 pixels


@every_dataset
@pytest.mark.parametrize("negative", [False, True])
def test_place_on_the_page_does_not_matter(images, dataset, negative):
    for image in images[dataset.name][:20]:
        drawing = enlarge(trim(image), 5)
        forms = [place(drawing, 280, top, left) for top, left in ((70, 70), (5, 5), (5, 135), (135, 60))]
        middle, *others = (to_dataset_form(255 - page if negative else page, dataset) for page in forms)
        assert all(distance(middle, other) < 1 for other in others)


def test_mnist_form_of_a_drawing():
    for side in (112, 280, 1000):
        form = to_dataset_form(stroke(side), MNIST)
        assert trim(form).shape[0] == 20 and form.max() == 255 and form[0].max() == 0
        mass = form / form.sum()
        assert abs((mass.sum(1) * np.arange(28)).sum() - 14) <= 0.5
        assert abs((mass.sum(0) * np.arange(28)).sum() - 14) <= 0.5
        assert distance(form, to_dataset_form(255 - stroke(side), MNIST)) == 0


def test_fashion_form_of_a_photo():
    photo = np.full((300, 200), 250, np.uint8)
    photo[40:240, 50:150] = 90
    photo[10:20, 10:20] = 242  # within 5 % of the background
    form = to_dataset_form(photo, FASHION)
    top, left = (int(np.flatnonzero(form.any(axis))[0]) for axis in (1, 0))
    assert trim(form).shape == (28, 14) and (top, left) == (0, 7) and form.min() == 0 and form.max() == 255


@pytest.mark.parametrize("paper", ["grey", "noise", "slope", "vignette", "jpeg"])
def test_paper_leaves_no_trace(paper):
    rng, ramp = np.random.default_rng(0), np.linspace(-1, 1, 280)
    clean = stroke(280, ink=60, paper=225).astype(float)
    if paper == "noise":
        clean += rng.normal(0, 7, clean.shape)
    elif paper == "slope":
        clean += 15 * ramp + 15 * ramp[:, None]
    elif paper == "vignette":
        clean -= 40 * (ramp**2 + ramp[:, None] ** 2)
    image = clean.clip(0, 255).astype(np.uint8)
    if paper == "jpeg":
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=30)
        image = decode(buffer.getvalue())
    form, ideal = to_dataset_form(image, MNIST), to_dataset_form(stroke(), MNIST)
    assert distance(form, ideal) < 4
    assert form[ideal == 0].max() <= 60 and np.median(form[ideal == 255]) > 240


def test_large_image_is_averaged_not_sampled():
    noisy = stroke(1400, ink=60, paper=190) + np.random.default_rng(0).normal(0, 25, (1400, 1400))
    form, ideal = to_dataset_form(noisy.clip(0, 255).astype(np.uint8), MNIST), to_dataset_form(stroke(), MNIST)
    assert distance(form, ideal) < 5


def test_digit_is_anti_aliased():
    y, x = np.mgrid[-1:1:280j, -1:1:280j]
    ring = np.where(np.abs(np.hypot(x, y) - 0.6) < 0.08, 0, 255).astype(np.uint8)
    form = to_dataset_form(ring, MNIST)
    assert np.count_nonzero((form > 30) & (form < 225)) > 50


def test_blot_does_not_pale_the_stroke():
    page = stroke(280, ink=100)
    page[200:210, 170:180] = 0
    assert np.median(to_dataset_form(page, MNIST)[to_dataset_form(stroke(), MNIST) == 255]) == 255


def test_clothing_may_touch_the_border(images):
    sample = images["fashion_mnist"][:60]
    cropped = [enlarge(np.ascontiguousarray(trim(p)), 10) for p in sample]
    found = [distance(to_dataset_form(255 - crop, FASHION), p) for crop, p in zip(cropped, sample, strict=True)]
    assert np.mean(found) < 18


def test_thin_strokes_become_bright():
    page = np.full((280, 280), 255, np.uint8)
    page[40:240, 140] = 0
    assert to_dataset_form(page, MNIST).max() == 255


@every_dataset
@pytest.mark.parametrize(
    "blank",
    [
        np.full((280, 280), 255, np.uint8),
        np.zeros((28, 28), np.uint8),
        np.full((1, 1), 7, np.uint8),
        np.full((1, 5000), 200, np.uint8),
        np.tile(np.linspace(120, 220, 280).astype(np.uint8), (280, 1)),
        np.random.default_rng(0).normal(200, 8, (280, 280)).clip(0, 255).astype(np.uint8),
        np.random.default_rng(0).integers(0, 256, (280, 280), np.uint8),
        np.random.default_rng(0).integers(250, 256, (28, 28), np.uint8),
    ],
    ids=["white", "black", "pixel", "line", "slope", "paper", "noise", "near white"],
)
def test_blank_image_gets_a_sentence(dataset, blank):
    with pytest.raises(BlankImage, match="blank; draw"):
        to_dataset_form(blank, dataset)


sides = st.integers(1, 40) | st.sampled_from([280, 600])
shapes = st.tuples(sides, sides) | st.sampled_from([(1, 5000), (5000, 1), (3, 3000)])


@every_dataset
@given(
    grey=arrays(np.uint8, shapes, fill=st.integers(0, 255)),
    spot=st.tuples(*[st.floats(0, 1)] * 4, st.integers(0, 255)),
    off=st.sets(st.sampled_from(SWITCHES)),
)
def test_any_image_gives_a_form_or_a_sentence(dataset, grey, spot, off):
    top, bottom, left, right = (round(place * grey.shape[number // 2]) for number, place in enumerate(spot[:4]))
    grey[top : bottom + 1, left : right + 1] = spot[4]
    try:
        form = to_dataset_form(grey, dataset, off)
    except BlankImage as error:
        assert str(error).endswith(".")  # noqa: PT017  it may be refused or not
    else:
        assert form.shape == (28, 28) and form.dtype == np.uint8 and (off or form.max() == 255)


def random_images(count: int = 5) -> torch.Tensor:
    return torch.randint(0, 256, (count, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@every_dataset
def test_input_of_own_size_is_only_normalised(dataset):
    images = random_images()
    expected = ((images.float() / 255 - dataset.mean) / dataset.std)[:, None]
    found = to_input(images, 28, dataset.mean, dataset.std)
    assert found.dtype == torch.float32 and torch.equal(found, expected)
    assert torch.equal(to_input(images[:, None], 28, dataset.mean, dataset.std), expected)


@pytest.mark.parametrize("size", [20, 28, 32, 96])
def test_floats_and_bytes_give_the_same_input_and_stay_as_they_are(size):
    images = random_images()
    floats = images.float() / 255
    assert torch.equal(to_input(floats, size, 0.3, 0.4), to_input(images, size, 0.3, 0.4))
    assert to_input(floats.double(), size, 0.3, 0.4).dtype == torch.float32
    assert torch.equal(floats, random_images().float() / 255) and torch.equal(images, random_images())


@pytest.mark.parametrize("size", [20, 32, 96])
def test_input_is_resized_bilinearly(size):
    images = random_images()
    resized = functional.interpolate(images[:, None] / 255, (size, size), mode="bilinear", align_corners=False)
    assert torch.allclose(to_input(images, size, 0.3, 0.4), (resized - 0.3) / 0.4, atol=1e-5)


kinds = st.sampled_from(["?", "u1", "i2", "i8", "f2", "f4", "f8", "c8"])


@given(array=arrays(kinds, array_shapes(min_dims=0, max_dims=5, max_side=5)))
def test_any_tensor_becomes_an_input_or_is_refused(array):
    images = torch.from_numpy(array)
    is_image = images.ndim == 3 or (images.ndim == 4 and images.shape[1] == 1)
    if is_image and (images.dtype == torch.uint8 or images.is_floating_point()):
        found = to_input(images, 28, 0.3, 0.4)
        assert found.shape == (len(images), 1, 28, 28) and found.dtype == torch.float32
    else:
        with pytest.raises(ValueError, match="images are"):
            to_input(images, 28, 0.3, 0.4)


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS)
def test_steps_end_in_the_form_and_each_can_be_left_out(dataset):
    grey = np.full((112, 112), 255, np.uint8)
    grey[10:60, 70:84], grey[60:68, 60:100] = 20, 20
    whole = steps(grey, dataset)
    assert [step.name for step in whole] == ["decoded", *FORM_STEPS]
    assert (whole[-1].image == to_dataset_form(grey, dataset)).all() and whole[2].boxes == ((60, 10, 100, 68),)
    for name in FORM_STEPS:
        form = to_dataset_form(grey, dataset, off=[name])
        assert form.shape == (28, 28) and not (form == whole[-1].image).all(), name
    placed = to_dataset_form(grey, dataset, off=["scale", "centre"])  # small, and where it was
    rows, columns = np.nonzero(placed > 99)
    assert 14 <= columns.min() <= columns.max() <= 25 and rows.max() <= 17
    with pytest.raises(ValueError, match="polarity, ink, scale, centre"):
        steps(grey, dataset, off=["nothing"])
