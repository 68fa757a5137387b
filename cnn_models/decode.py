"""Any picture a person may bring -> grey pixels. What comes in here is not trusted."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
MAX_BYTES = 20 * 10**6
MAX_PIXELS = 40 * 10**6
MAX_SIDE = 20_000

DEEP_MODES = ("F", "I", "I;16", "I;16L", "I;16B", "I;16N")
WHITES = (1, 255, 65_535, 2**31)  # what white can be in a picture of floats or of 32-bit integers


class PictureError(ValueError):
    """A picture that cannot be used; the message is one sentence for a person, with what to do."""


def decode(source: bytes | str | Path | Image.Image | np.ndarray) -> np.ndarray:
    """The luminance of a picture as H x W uint8, upright, its first frame, what is transparent shown over white.

    `source` is the content of a file, the path of one, a pillow picture, or an array H x W, H x W x 3 or H x W x 4
    of uint8, uint16 or floats from 0 (black) to 1 (white). Raises PictureError for anything else, for pictures that
    are damaged, and, before they are decoded, for pictures that are too large.
    """
    if isinstance(source, np.ndarray):
        return _luminance(_from_array(source))
    if isinstance(source, str | Path):
        source = _read(Path(source))
    if isinstance(source, bytes):
        _check_bytes(len(source))
    elif not isinstance(source, Image.Image):
        raise PictureError("There is no picture here; draw one or choose a file.")
    try:
        image = source if isinstance(source, Image.Image) else _open(source)
        _check_size(*image.size)
        return _luminance(ImageOps.exif_transpose(image))
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise PictureError("The picture has too many pixels; make it smaller.") from error
    except Image.UnidentifiedImageError as error:
        known = ", ".join(FORMATS)
        raise PictureError(f"This is not a picture of a kind known here; save it as one of {known}.") from error
    except Exception as error:  # a damaged file makes pillow raise nearly anything
        raise PictureError("The picture is damaged or cut short; save or upload it again.") from error


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise PictureError(f"There is no picture file {path.name[:80]!r}; choose another.")
        _check_bytes(path.stat().st_size)
        return path.read_bytes()
    except PictureError:
        raise
    except (OSError, ValueError) as error:
        raise PictureError(f"The file {path.name[:80]!r} cannot be read; choose another.") from error


def _open(content: bytes) -> Image.Image:
    """The picture with its header read and its pixels not yet decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MAX_PIXELS is the stricter check
        return Image.open(io.BytesIO(content), formats=FORMATS)


def _check_bytes(count: int) -> None:
    if count > MAX_BYTES:
        raise PictureError(f"The file is larger than {MAX_BYTES // 10**6} MB; make it smaller.")


def _check_size(width: int, height: int) -> None:
    if not width or not height:
        raise PictureError("The picture has no pixels; choose another.")
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PictureError(
            f"The picture is {width:,} x {height:,} pixels, at most {MAX_PIXELS // 10**6} million and "
            f"{MAX_SIDE:,} on a side can be taken; make it smaller."
        )


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise PictureError(f"An array of shape {array.shape} is not a picture; it must be H x W, H x W x 3 or H x W x 4.")
    _check_size(array.shape[1], array.shape[0])
    if np.issubdtype(array.dtype, np.floating):
        return Image.fromarray(_to_bytes(array, white=1))
    if array.dtype == np.uint16:
        return Image.fromarray(_to_bytes(array, white=65_535))
    if array.dtype != np.uint8:
        raise PictureError(f"An array of {array.dtype} is not a picture; it must hold uint8, uint16 or floats.")
    return Image.fromarray(np.ascontiguousarray(array))


def _to_bytes(values: np.ndarray, white: int) -> np.ndarray:
    if not (values.min() >= 0 and values.max() <= white):  # also true for NaN
        raise PictureError(f"The picture has values that are not between 0 and {white}; scale them so.")
    return np.rint(values * np.float32(255 / white)).astype(np.uint8)


def _luminance(image: Image.Image) -> np.ndarray:
    """ITU-R 601 luma, which pillow computes; composed over white, which is exact to rounding as luma is linear."""
    if image.mode in DEEP_MODES:
        values = np.asarray(image)
        fits = (white for white in WHITES if values.max() <= white)
        return _to_bytes(values, 65_535 if image.mode.startswith("I;16") else next(fits, WHITES[-1]))
    if image.mode == "LAB":
        return np.asarray(image.getchannel("L"))  # pillow does not convert LAB; its lightness is close to luma
    if not image.has_transparency_data:
        return np.asarray(image.convert("L"))
    image = image.convert("LA" if image.mode in ("LA", "La") else "RGBA")
    white = Image.new("L", image.size, 255)
    return np.asarray(Image.composite(image.convert("L"), white, image.getchannel("A")))
