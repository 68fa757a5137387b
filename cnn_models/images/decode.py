"""From an untrusted image file, pillow image or array to its pixels."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from cnn_models.errors import ImageError
from cnn_models.images.structure import check_structure, is_heic, is_jpeg

if TYPE_CHECKING:  # workers do without torch, which takes seconds to import
    from torch import Tensor

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF")
MAX_BYTES = 80 * 10**6  # phones write JPEGs of 200 megapixels with 30 to 80 MB
MAX_PIXELS = 52 * 10**6
JPEG_PIXELS = 256 * 10**6  # of a JPEG, which is decoded to a quarter, 16th or 64th of its pixels
MAX_SIDE = 20_000
LONGEST = 1024  # pixels: larger images are averaged down to this longer edge, which reduces their noise
TILE_WIDTH, TILE_LENGTH = 322, 323  # tags of a TIFF

DEEP_MODES = ("F", "I", "I;16", "I;16L", "I;16B", "I;16N")  # pillow would clip these to 8 bits, not scale them
WHITES = (1, 255, 65_535, 2**31)  # possible values of white in images of floats or 32-bit integers
CHANNELS = (1, 3, 4)  # of arrays and tensors: grey, RGB, RGBA

Source: TypeAlias = "bytes | str | Path | Image.Image | np.ndarray | Tensor"


@dataclass(frozen=True, eq=False)
class Decoded:
    """The pixels of an image, and whether its EXIF orientation is a rotation or reflection.

    `pixels` are uint8, H x W (grey), H x W x 3 (RGB) or H x W x 4 (RGBA, where some are transparent); H and W are
    LONGEST at most.
    """

    pixels: np.ndarray
    is_turned: bool = False

    @cached_property
    def luminance(self) -> np.ndarray:
        """The luminance (ITU-R 601), H x W uint8, with transparency shown over white."""
        if self.pixels.ndim == 2:
            return self.pixels
        image = Image.fromarray(self.pixels)
        grey = image.convert("L")
        if image.mode == "RGBA":
            grey = Image.composite(grey, Image.new("L", grey.size, 255), image.getchannel("A"))
        return np.asarray(grey)


def decode(source: Source, off: Collection[str] = ()) -> np.ndarray:
    """The luminance (ITU-R 601) of an image as H x W uint8: upright, first frame, transparency shown over white.

    Images larger than LONGEST are averaged down to it.

    `source` is the content of a file, the path of one, a pillow image, an array H x W or H x W x C (C is 1, 3 or 4), or
    a tensor H x W or C x H x W on any device. Arrays and tensors are of uint8, uint16, or floats from 0 (black) to 1
    (white). With "orientation" in `off`, the EXIF orientation is ignored. Raises ImageError for anything else, for
    damaged images, and, before decoding, for images that are too large and files with too many parts. These limits do
    not bound the time; for untrusted clients, use `decode_untrusted`.
    """
    return read(source, off).luminance


def read(source: Source, off: Collection[str] = ()) -> Decoded:
    """The pixels of an image as `decode` takes it, and whether its EXIF orientation is one, applied or not."""
    try:
        image = _open(source)
        _check_size(*image.size)
        is_turned = image.getexif().get(ExifTags.Base.Orientation) in range(2, 9)  # loading applies it to a TIFF
        return Decoded(_pixels(image if "orientation" in off else ImageOps.exif_transpose(image)), is_turned)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise ImageError("image.pixels") from error
    except Image.UnidentifiedImageError as error:
        raise ImageError("image.kind", known=", ".join(FORMATS)) from error
    except Exception as error:  # a damaged file makes pillow raise nearly anything
        raise ImageError("image.damaged") from error


def content_of(source: bytes | str | Path) -> bytes:
    """The bytes of a file, given by its path or content. Raises ImageError, also for a file that is too large."""
    if isinstance(source, bytes):
        _check_bytes(len(source))
        return source
    path = Path(source)
    try:
        if not path.is_file():
            raise ImageError("image.nofile", name=repr(path.name[:80]))
        _check_bytes(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise ImageError("image.unread", name=repr(path.name[:80])) from error


def _open(source: Source) -> Image.Image:
    """The pillow image of a source; of a file, only the header is read."""
    match source:
        case bytes() | str() | Path():
            return _open_content(content_of(source))
        case Image.Image():
            return source
        case np.ndarray():
            return _from_array(source)
    if (torch := sys.modules.get("torch")) and isinstance(source, torch.Tensor):
        return _from_array(_array_of(source))
    raise ImageError("image.none")


def _open_content(content: bytes) -> Image.Image:
    check_structure(content)
    file = io.BytesIO(content)
    if is_jpeg(content):
        return _open_jpeg(file)
    if is_heic(content):
        return _open_heic(file)
    image = Image.open(file, formats=FORMATS)
    if tags := getattr(image, "tag_v2", None):  # a TIFF is decoded by tiles, which may exceed the image
        _check_size(tags.get(TILE_WIDTH, 1), tags.get(TILE_LENGTH, 1))
    return image


def _open_jpeg(file: io.BytesIO) -> Image.Image:
    """A JPEG that will be decoded at a half, quarter or eighth of its size, where that is LONGEST or more."""
    image = JpegImageFile(file)  # not Image.open, which refuses 200 megapixels
    width, height = image.size
    _check_size(width, height, JPEG_PIXELS)
    if (part := LONGEST / max(width, height)) < 1:
        image.draft(None, (max(1, int(part * width)), max(1, int(part * height))))
    return image


def _open_heic(file: io.BytesIO) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError("image.heic") from None
    return HeifImageFile(file)


def _check_bytes(count: int) -> None:
    if count > MAX_BYTES:
        raise ImageError("image.bytes", most=MAX_BYTES // 10**6)


def _check_size(width: int, height: int, most: int = MAX_PIXELS) -> None:
    if not width or not height:
        raise ImageError("image.empty")
    if max(width, height) > MAX_SIDE or width * height > most:
        limits = {"millions": most // 10**6, "side": f"{MAX_SIDE:,}"}
        raise ImageError("image.size", width=f"{width:,}", height=f"{height:,}", **limits)


def _array_of(tensor: Tensor) -> np.ndarray:
    """A tensor as an array H x W or H x W x C."""
    if tensor.ndim == 3 and tensor.shape[0] in CHANNELS:
        tensor = tensor.movedim(0, -1)
    elif tensor.ndim != 2 and not (tensor.ndim == 3 and tensor.shape[2] in CHANNELS):
        raise ImageError("image.tensor", shape=tuple(tensor.shape))
    if tensor.is_floating_point():  # numpy has no bfloat16
        tensor = tensor.float()
    return tensor.detach().cpu().numpy()


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in CHANNELS):
        raise ImageError("image.shape", shape=array.shape)
    if array.shape[2:] == (1,):
        array = array[..., 0]
    _check_size(array.shape[1], array.shape[0])
    if np.issubdtype(array.dtype, np.floating):
        return Image.fromarray(_to_8_bits(array, white=1))
    if array.dtype.newbyteorder("=") == np.uint16:
        return Image.fromarray(_to_8_bits(array, white=65_535))
    if array.dtype != np.uint8:
        raise ImageError("image.dtype", kind=array.dtype)
    return Image.fromarray(array)


def _to_8_bits(values: np.ndarray, white: int) -> np.ndarray:
    if not (values.min() >= 0 and values.max() <= white):  # also true for NaN
        raise ImageError("image.values", white=f"{white:,}")
    return np.rint(values * np.float32(255 / white)).astype(np.uint8)


def _pixels(image: Image.Image) -> np.ndarray:
    image = _shown(image)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.BOX)
    pixels = np.asarray(image)
    if pixels.shape[2:] == (4,) and pixels[..., 3].min() == 255:
        pixels = pixels[..., :3]
    if pixels.shape[2:] == (3,) and (pixels[..., :1] == pixels).all():
        pixels = pixels[..., 0]
    return np.ascontiguousarray(pixels)


def _shown(image: Image.Image) -> Image.Image:
    """The image in mode L, RGB or RGBA."""
    if image.mode in DEEP_MODES:
        values = np.asarray(image)
        whites = (65_535,) if image.mode.startswith("I;16") else WHITES
        white = next((white for white in whites if values.max() <= white), whites[-1])
        return Image.fromarray(_to_8_bits(values, white))
    if image.mode == "LAB":
        return image.getchannel("L")  # pillow does not convert LAB; its lightness is close to luma
    if image.has_transparency_data:
        return (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
