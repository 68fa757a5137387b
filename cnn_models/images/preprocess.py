"""From pixels to the input tensor: segment, crop, centre, resize and normalise.

`FORMS` repeats the preprocessing of each data set's authors. Constants marked "measured" were chosen on validation
images that were enlarged, moved, and placed on noisy, shaded, JPEG-compressed paper.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional

from cnn_models.images.arrays import border_of, bright_on_dark, over_white
from cnn_models.images.decode import Decoded, ImageError
from cnn_models.images.segment import SEGMENTS, segment
from cnn_models.images.steps import Box, Step
from cnn_models.specs import Dataset

SIDE = 28
WORK_SIDE = 512  # pixels; a larger image is first averaged down to it, which reduces its noise
FAINTEST = 16  # grey levels between foreground and background, at least
# Steps that can be omitted: the first is part of `decode`, the last of the network's input (`Network.without`).
FORM_STEPS = ("polarity", "ink", "scale", "centre")
SWITCHES = ("orientation", *chain(*SEGMENTS.values()), *FORM_STEPS, "normalisation")


class BlankImage(ImageError):
    """An image without a foreground."""

    def __init__(self):
        super().__init__("image.blank")


def to_dataset_form(grey: np.ndarray, dataset: Dataset, off: Collection[str] = ()) -> np.ndarray:
    """An image H x W uint8, dark on light or light on dark, in the data set's form: 28 x 28 uint8, bright on black.

    An image that already has this form, or its negative, keeps every byte: this holds for each of the 70,000 images of
    both data sets. One that has it in another place is only moved. `off` are SWITCHES to omit. Raises BlankImage.
    """
    return steps(grey, dataset, off)[-1].image


class Preprocessed(NamedTuple):
    """The `steps` of an image, and the `images` in the form of its data set, 28 x 28 uint8.

    There is one image, or one for each digit, from the left; the last `steps` are those of the chosen one. `doubt` is
    that of `Found`.
    """

    steps: tuple[Step, ...]
    images: tuple[np.ndarray, ...]
    doubt: str = ""

    @property
    def is_photograph(self) -> bool:
        """Whether what it shows had to be found."""
        return len(self.steps) > 1 and self.steps[1].name != FORM_STEPS[0]


def preprocess(image: Decoded, dataset: Dataset, off: Collection[str] = (), chosen: int = 0) -> Preprocessed:
    """An image in its data set's form; what a photograph shows is found first. Raises BlankImage, ValueError.

    `off` are SWITCHES to omit, `chosen` is the index of the digit whose steps are returned.
    """
    _check(off)
    found = segment(image, dataset, off)
    if not found.images:
        whole = steps(image.luminance, dataset, off)
        return Preprocessed((decoded(image), *found.steps, *whole[1:]), (whole[-1].image,), found.doubt)
    each = [_steps(grey, dataset, off, is_clean="light" not in off) for grey in found.images]
    last = each[min(chosen, len(each) - 1)]
    return Preprocessed((decoded(image), *found.steps, *last), tuple(one[-1].image for one in each), found.doubt)


def decoded(image: Decoded) -> Step:
    """The first step, also of blank images: the pixels as shown, with transparency over white."""
    return Step("decoded", _reduced(image.pixels if image.pixels.ndim == 2 else over_white(image.pixels)))


def steps(grey: np.ndarray, dataset: Dataset, off: Collection[str] = ()) -> tuple[Step, ...]:
    """The steps of `to_dataset_form`: decoded, polarity, ink, scale, centre. Raises BlankImage, ValueError."""
    _check(off)
    reduced = _reduced(grey)
    return Step("decoded", reduced), *_steps(reduced, dataset, off)


def _check(off: Collection[str]) -> None:
    if unknown := set(off) - set(SWITCHES):
        raise ValueError(f"no steps {', '.join(sorted(unknown))}; those that can be omitted are {', '.join(SWITCHES)}")


def _reduced(pixels: np.ndarray) -> np.ndarray:
    image = Image.fromarray(pixels)
    image.thumbnail((WORK_SIDE, WORK_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _steps(grey: np.ndarray, dataset: Dataset, off: Collection[str], is_clean: bool = False) -> tuple[Step, ...]:
    """The steps from polarity on. An image that `is_clean` is bright on black without noise. Raises BlankImage."""
    form, image = FORMS[dataset.name], bright_on_dark(grey)
    start = Step("polarity", grey if "polarity" in off else image)
    # Without "polarity", the ink is still found on the negative, and the results are negated again.
    flip = 255 if "polarity" in off and image is not grey else 0

    def finish(ink: np.ndarray, box: Box, small: np.ndarray, last: np.ndarray) -> tuple[Step, ...]:
        return start, Step("ink", flip ^ ink, (box,)), Step("scale", flip ^ small), Step("centre", flip ^ last)

    is_whole = {"ink", "scale", "centre"}.isdisjoint(off)
    if is_whole and np.count_nonzero(image == 0) >= SIDE and image.max() >= 254:  # as in all of both data sets
        left, top, right, bottom = box = _box(image)
        if max(right - left, bottom - top) in form.edges:
            is_placed = image.shape == (SIDE, SIDE) and form.is_centred(image)
            cut = image[top:bottom, left:right]
            return finish(image, box, cut, image if is_placed else form.centre(cut))
    height, width = image.shape
    whole = 0, 0, width, height
    if "ink" in off:
        if image.min() == image.max():
            raise BlankImage
        ink, box = image.astype(np.float32), whole
    else:
        ink, box = form.ink(*((image.astype(np.float32), 0.0) if is_clean else _foreground(image)))
    small = _fit(ink, whole, SIDE) if "scale" in off else form.scale(ink, box)
    last = _stay(small, whole if "scale" in off else box, max(height, width)) if "centre" in off else form.centre(small)
    return finish(np.minimum(ink, 255).astype(np.uint8), box, small, last)


def to_input(images: Tensor, size: int, mean: float, std: float) -> Tensor:
    """The input tensor, N x 1 x size x size float32, of images N x 28 x 28 or N x 1 x 28 x 28, on their device.

    Images are uint8 or floats from 0 (black) to 1 (white), which is also the scale of `mean` and `std`.
    Raises ValueError for other types and shapes.
    """
    if images.dtype != torch.uint8 and not images.is_floating_point():
        raise ValueError(f"images are uint8 or floats, not {images.dtype}")
    x = images.unsqueeze(1) if images.ndim == 3 else images  # N x 1 x 28 x 28
    if x.ndim != 4 or x.shape[1] != 1:
        raise ValueError(f"images are N x H x W or N x 1 x H x W, not {tuple(images.shape)}")
    x = x.float().div_(255) if x.dtype == torch.uint8 else x.float()
    x = x.sub(mean).div_(std)  # before resizing, which is linear: the same result with fewer operations
    if x.shape[-2:] != (size, size):
        x = functional.interpolate(x, (size, size), mode="bilinear", align_corners=False)
    return x


def _foreground(image: np.ndarray) -> tuple[np.ndarray, float]:
    """The image minus its background, H x W float32, and the std of the noise, in grey levels. Raises BlankImage."""
    noise = 1.05 * float(np.median(np.abs(np.diff(border_of(image.astype(np.float32))))))  # the std of normal noise
    smooth = Image.fromarray(image).filter(ImageFilter.GaussianBlur(max(image.shape) // 200))
    values = np.asarray(smooth, np.float32)
    least = max(FAINTEST, 6 * noise)
    above = np.maximum(values - _background(values, tolerance=least), 0)
    if above.max() < least:
        raise BlankImage
    return above, noise


def _background(values: np.ndarray, tolerance: float) -> np.ndarray:
    """The quadratic surface, H x W, fitted to the border, since paper in a photo is lit unevenly.

    If the foreground touches the border, so that the fit exceeds `tolerance`, only the dark part of the border is used.
    """
    y, x = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in values.shape), indexing="ij")
    terms = np.stack([np.ones_like(x), y, x, y * y - 0.5, x * x - 0.5], axis=-1)  # H x W x 5
    flat = np.eye(5)[1:]  # a prior of 0 for all terms but the constant, for borders of few pixels
    border, at_border = border_of(values), border_of(terms)
    dark = border <= values.min() + (values.max() - values.min()) / 4
    for part in (np.ones_like(dark), dark):
        equations, levels = np.concatenate([at_border[part], flat]), np.append(border[part], np.zeros(4))
        weights = np.linalg.lstsq(equations, levels, rcond=None)[0].astype(np.float32)
        if np.abs(border - at_border @ weights).max() <= tolerance:
            break
    return terms @ weights


def _box(mask: np.ndarray) -> Box:
    """The box of the values that are not 0."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    rows, columns = image.sum(axis=1, dtype=np.float64), image.sum(axis=0, dtype=np.float64)
    return rows @ np.arange(len(rows)) / rows.sum(), columns @ np.arange(len(columns)) / columns.sum()


def _fit(values: np.ndarray, box: Box, side: int) -> np.ndarray:
    """The box, its longer edge resized to `side`, anti-aliased, and its maximum scaled to 255; uint8."""
    width, height = box[2] - box[0], box[3] - box[1]
    scale = side / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(Image.fromarray(values).resize(size, Image.Resampling.HAMMING, box))
    return np.rint(small * (255 / small.max())).astype(np.uint8)


def _paste(image: np.ndarray, top: int, left: int) -> np.ndarray:
    """The image on 28 x 28 black pixels, at the nearest possible place to `top` and `left`."""
    height, width = image.shape
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    canvas[top : top + height, left : left + width] = image
    return canvas


def _stay(small: np.ndarray, box: Box, side: int) -> np.ndarray:
    """The resized box of an image of this side, on 28 x 28 pixels at its place in the image."""
    scale = SIDE / side
    top, left = ((box[i] + box[i + 2]) / 2 * scale - small.shape[1 - i] / 2 for i in (1, 0))
    return _paste(small, round(top), round(left))


def _ink_digit(above: np.ndarray, noise: float) -> tuple[np.ndarray, Box]:
    """The ink, with values clipped at the stroke's median, and its box."""
    stroke = float(np.median(above[above > above.max() / 2]))
    ink = np.where(above > max(stroke / 4, 4 * noise), np.minimum(above, stroke), np.float32(0))  # 4: measured
    return ink, _box(ink)


def _scale_digit(ink: np.ndarray, box: Box) -> np.ndarray:
    """LeCun et al. 1998, section III.A: into 20 x 20 pixels with the same aspect ratio, anti-aliased."""
    return _fit(ink, box, 20)


def _centre_digit(digit: np.ndarray) -> np.ndarray:
    """The digit on 28 x 28 pixels with its centre of mass at pixel 14, moved by whole pixels."""
    left, top, right, bottom = _box(digit)
    digit = digit[top:bottom, left:right]
    y, x = _centre_of_mass(digit)
    return _paste(digit, round(14 - y), round(14 - x))


def _is_digit_centred(image: np.ndarray) -> bool:
    return all(13.47 < centre < 14.5 for centre in _centre_of_mass(image))  # all 70,000 are from 13.48 to 14.50


def _ink_clothing(above: np.ndarray, noise: float) -> tuple[np.ndarray, Box]:
    """Xiao et al. 2017, section 2: margins within 5 % of the background are cut off."""
    return above, _box(above > max(0.05 * 255, 4 * noise))


def _scale_clothing(above: np.ndarray, box: Box) -> np.ndarray:
    """Xiao et al. 2017, section 2: longer edge 28, sharpened; averaged, not subsampled, against noise in photos."""
    small = _fit(above, box, SIDE)
    return np.asarray(Image.fromarray(small).filter(ImageFilter.UnsharpMask(radius=1, percent=25, threshold=0)))


def _centre_clothing(clothing: np.ndarray) -> np.ndarray:
    left, top, right, bottom = _box(clothing)
    clothing = clothing[top:bottom, left:right]
    height, width = clothing.shape
    return _paste(clothing, (SIDE - height + 1) // 2, (SIDE - width + 1) // 2)


def _is_clothing_centred(image: np.ndarray) -> bool:
    """Whether opposite margins differ by 2 at most, as in all 70,000, perhaps after removing traces of JPEG."""
    boxes = _box(image), _box(image > 25)
    return any(abs(left + right - SIDE) <= 2 and abs(top + bottom - SIDE) <= 2 for left, top, right, bottom in boxes)


class Form(NamedTuple):
    """The form of a data set's images: the longer edge of the foreground in pixels, and the steps that produce it."""

    edges: range
    ink: Callable[[np.ndarray, float], tuple[np.ndarray, Box]]
    scale: Callable[[np.ndarray, Box], np.ndarray]
    centre: Callable[[np.ndarray], np.ndarray]
    is_centred: Callable[[np.ndarray], bool]


FORMS = {
    "mnist": Form(range(19, 21), _ink_digit, _scale_digit, _centre_digit, _is_digit_centred),
    "fashion_mnist": Form(range(26, 29), _ink_clothing, _scale_clothing, _centre_clothing, _is_clothing_centred),
}
