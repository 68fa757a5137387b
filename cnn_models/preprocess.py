"""From picture to tensor: the one place that crops, centres, resizes and normalises."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor
from torch.nn import functional as F

from cnn_models.decode import PictureError, decode
from cnn_models.specs import Dataset

SIDE = 28
WORK_SIDE = 512  # pixels; larger pictures are averaged down to it first, which also quiets their noise
FAINTEST = 16  # grey levels by which ink must differ from paper


class BlankPicture(PictureError):
    """A picture on which nothing stands out from its background."""


def to_dataset_form(grey: np.ndarray, dataset: Dataset) -> np.ndarray:
    """H x W uint8 of any size to 28 x 28 uint8, bright on black, made as the makers of the data set made theirs.

    A picture that already has the data set's form, either way round, keeps every byte. Raises BlankPicture.
    """
    in_form, make = FORMS[dataset.name]
    picture = _bright_on_dark(grey)
    if picture.shape == (SIDE, SIDE) and picture.min() == 0 and picture.max() >= 254 and in_form(picture):
        return picture
    return make(*_foreground(picture))


def to_input(pictures: Tensor, size: int, mean: float, std: float) -> Tensor:
    """Pictures N x 28 x 28 or N x 1 x 28 x 28 to the normalised float32 N x 1 x size x size a network takes.

    Pictures are uint8 or floats from 0 to 1, on any device, and stay there; mean and std are in those floats' units.
    """
    if pictures.dtype != torch.uint8 and not pictures.is_floating_point():
        raise ValueError(f"pictures are uint8 or floats, not {pictures.dtype}")
    x = pictures.unsqueeze(1) if pictures.ndim == 3 else pictures
    x = x.float().div_(255) if x.dtype == torch.uint8 else x.float()
    x = x.sub(mean).div_(std)  # before resizing: the same by linearity, on fewer pixels
    if x.shape[-2:] != (size, size):
        x = F.interpolate(x, (size, size), mode="bilinear", align_corners=False)
    return x


def _border(picture: np.ndarray) -> np.ndarray:
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def _bright_on_dark(grey: np.ndarray) -> np.ndarray:
    border = _border(grey.astype(np.int16))
    low, high = int(grey.min()), int(grey.max())
    quarter = (high - low) // 4
    return grey if (border <= low + quarter).sum() > (border >= high - quarter).sum() else 255 - grey


def _foreground(picture: np.ndarray) -> tuple[np.ndarray, float]:
    image = Image.fromarray(picture)
    image.thumbnail((WORK_SIDE, WORK_SIDE), Image.Resampling.BOX)
    values = np.asarray(image.filter(ImageFilter.GaussianBlur(max(image.size) // 200)), np.float32)
    over = values - _background(values)
    edge = _border(over)
    noise = 1.4826 * float(np.median(np.abs(edge - np.median(edge))))
    if over.max() < max(FAINTEST, 6 * noise):
        raise BlankPicture("The picture is blank; draw or choose one in which something stands out from its background.")
    return np.maximum(over, 0), noise


def _background(values: np.ndarray) -> np.ndarray:
    h, w = values.shape
    y, x = np.meshgrid(np.linspace(-1, 1, h, dtype=np.float32), np.linspace(-1, 1, w, dtype=np.float32), indexing="ij")
    ys, xs, edge = _border(y), _border(x), _border(values)
    dark = edge <= (values.min() + values.max()) / 2
    one = np.ones(dark.sum(), np.float32)
    # Two more rows pull the slopes to 0 where the border leaves them open.
    a = np.concatenate([np.stack([one, ys[dark], xs[dark]], 1), [[0, 1, 0], [0, 0, 1]]])
    b = np.concatenate([edge[dark], [0, 0]])
    c, cy, cx = np.linalg.lstsq(a, b, rcond=None)[0]
    return c + cy * y + cx * x


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right, bottom."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def _fit(values: np.ndarray, mask, side: int, how) -> np.ndarray:
    left, top, right, bottom = _box(mask)
    width, height = right - left, bottom - top
    scale = side / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(Image.fromarray(values).resize(size, how, box=(left, top, right, bottom)))


def _paste(picture, top, left):
    h, w = picture.shape
    out = np.zeros((SIDE, SIDE), np.uint8)
    top, left = min(max(top, 0), SIDE - h), min(max(left, 0), SIDE - w)
    out[top : top + h, left : left + w] = picture
    return out


def _centre(values):
    total = values.sum(dtype=np.float64)
    return tuple(float((values.sum(a, dtype=np.float64) * np.arange(values.shape[1 - a])).sum() / total) for a in (1, 0))


HOW_M = Image.Resampling.BOX
LOW_M = 8
def _make_mnist(over, noise):
    top = float(np.median(over[over > over.max() / 2]))
    low = max(top / LOW_M, 4 * noise)
    ink = np.where(over > low, np.minimum(over, top), 0).astype(np.float32)
    small = np.maximum(_fit(ink, ink > 0, 20, HOW_M), 0)
    small = np.rint(small * (255 / small.max())).astype(np.uint8)
    cy, cx = _centre(small)
    return _paste(small, int(14.5 - cy), int(14.5 - cx))


def _is_mnist(p):
    l, t, r, b = _box(p)
    cy, cx = _centre(p)
    return max(r - l, b - t) in (19, 20) and max(abs(cy - 14), abs(cx - 14)) < 0.53

HOW_F = Image.Resampling.BOX
TOL_F = 12.75
PERCENT = 50
def _make_fashion(over, noise):
    low = max(TOL_F, 4 * noise)
    small = _fit(over, over > low, 28, HOW_F)
    small = np.clip(small * (255 / small.max()), 0, 255)
    im = Image.fromarray(np.rint(small).astype(np.uint8)).filter(ImageFilter.UnsharpMask(1, PERCENT, 0))
    small = np.asarray(im)
    h, w = small.shape
    return _paste(small, (29 - h) // 2, (29 - w) // 2)

def _is_fashion(p):
    l, t, r, b = _box(p)
    return max(r - l, b - t) >= 26 and abs(t - (28 - b)) <= 2 and abs(l - (28 - r)) <= 2

FORMS: dict[str, tuple[Callable[[np.ndarray], bool], Callable]] = {
    "mnist": (_is_mnist, _make_mnist),
    "fashion_mnist": (_is_fashion, _make_fashion),
}
