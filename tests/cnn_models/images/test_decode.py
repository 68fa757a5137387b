"""Every kind of image a person may bring, and much that is none."""

import contextlib
import io
import struct
import sys
import zlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes
from PIL import Image

from cnn_models.images.decode import FORMATS, MAX_BYTES, MAX_PIXELS, ImageError, decode, read
from tests import crafted_images as crafted

RAMP = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))  # 40 x 60, black at the left


def encode(pixels, format: str, **options) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


CRAFTED = {format: encode(RAMP, format) for format in FORMATS} | {
    "JPEG of scans": crafted.jpeg_of_scans(3),
    "PNG with chunks": crafted.png_with(crafted.chunk(b"tEXt", b"a\0b") * 3),
    "GIF with blocks": crafted.gif_with(b"\x21\xfe\x01a\0" * 3),
    "WebP with chunks": crafted.webp_with(b"EXIF\x02\0\0\0ab"),
    "TIFF of strips": crafted.tiff_of(crafted.SIDE),
    "TIFF of tiles": crafted.tiff_of(1, tag=324, is_big=True),
}


def close(a: np.ndarray, b: np.ndarray, levels: int = 1) -> bool:
    return a.dtype == np.uint8 and a.shape == b.shape and np.abs(a.astype(int) - b).max() <= levels


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_read(format):
    options = {"quality": 100} if format in ("JPEG", "WEBP") else {}
    assert close(decode(encode(RAMP, format, **options)), RAMP, 3)


def test_path_and_text_of_path_are_read(tmp_path):
    (tmp_path / "a.png").write_bytes(encode(RAMP, "PNG"))
    assert np.array_equal(decode(tmp_path / "a.png"), RAMP)
    assert np.array_equal(decode(str(tmp_path / "a.png")), RAMP)


@pytest.mark.parametrize("mode", ["1", "RGB", "RGBA", "RGBX", "LA", "PA", "P", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_every_pillow_mode_shows_the_same(mode):
    black_and_white = np.where(RAMP < 128, 0, 255).astype(np.uint8)
    image = Image.fromarray(black_and_white).convert("RGBA" if mode == "PA" else "RGB").convert(mode)
    assert close(decode(image), black_and_white)


def test_lab_shows_its_lightness():
    grey = Image.fromarray(RAMP)
    neutral = Image.new("L", grey.size, 128)
    assert np.array_equal(decode(encode(Image.merge("LAB", (grey, neutral, neutral)), "TIFF")), RAMP)


def test_cmyk_jpeg():
    assert close(decode(encode(Image.fromarray(RAMP).convert("CMYK"), "JPEG", quality=100)), RAMP, 3)


def test_colour_becomes_luminance():
    red, green, blue = (decode(np.full((2, 2, 3), c, np.uint8))[0, 0] for c in ([255, 0, 0], [0, 255, 0], [0, 0, 255]))
    assert (red, green, blue) == (76, 150, 29)  # 255 times 0.299, 0.587, 0.114


@pytest.mark.parametrize("mode", ["LA", "La", "RGBA", "RGBa"])
def test_alpha_is_shown_over_white(mode):
    black = Image.fromarray(np.zeros_like(RAMP)).convert("RGBA" if "R" in mode else "LA")
    black.putalpha(Image.fromarray(RAMP))
    assert close(decode(black.convert(mode)), 255 - RAMP)


def test_transparent_colour_of_palette_is_white():
    image = Image.fromarray(np.where(RAMP < 128, 0, 1).astype(np.uint8))
    image.putpalette([0, 0, 0, 90, 90, 90])
    for format in ("PNG", "GIF"):
        shown = decode(encode(image, format, transparency=0))
        assert shown[0, 0] == 255 and shown[0, -1] == 90


def test_transparent_colour_of_grey_is_white():
    assert decode(encode(np.array([[0, 90]], np.uint8), "PNG", transparency=0)).tolist() == [[255, 90]]


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bits_are_scaled_not_clipped(format):
    deep = RAMP.astype(np.uint16) * 257
    assert np.array_equal(decode(encode(deep, format)), RAMP)
    assert decode(encode(np.full((4, 4), 30_000, np.uint16), format)).max() == 117


@pytest.mark.parametrize(
    ("values", "white"), [(np.float32, 1), (np.float32, 255), (np.float32, 65_535), (np.int32, 65_535)]
)
def test_32_bits_are_scaled_by_what_white_is(values, white):
    assert close(decode(encode((RAMP * (white / 255)).astype(values), "TIFF")), RAMP)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 1, 6: -1, 7: -1, 8: 1}[orientation]  # counterclockwise
    mirrored = orientation in (2, 4, 5, 7)
    image = RAMP // 2 + np.linspace(0, 127, 40, dtype=np.uint8)[:, None]  # nothing about it is symmetrical
    upright = np.rot90(np.fliplr(image) if mirrored else image, turns)
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encode(image, "PNG", exif=exif)
    assert np.array_equal(decode(content), upright)
    assert np.array_equal(decode(content, off=["orientation"]), image)
    assert read(content).is_turned == read(content, off=["orientation"]).is_turned == (orientation > 1)


def test_meaningless_exif_does_no_harm():
    assert decode(encode(RAMP, "JPEG", exif=b"Exif\0\0" + b"\xff" * 50)).shape == RAMP.shape


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "MPO"])
def test_first_frame_counts(format):
    frames = [Image.new("L", (20, 20), level) for level in (200, 0)]
    shown = decode(encode(frames[0], format, save_all=True, append_images=frames[1:]))
    assert close(shown, np.full((20, 20), 200), 3)


def test_a_jpeg_of_a_phone_is_averaged_down():
    """The decoder reduces it to an eighth, and so nearly all of the pixels are never there."""
    half = Image.new("L", (16_320, 12_240), 200)
    half.paste(60, (0, 0, 8_160, 12_240))
    shown = decode(encode(half, "JPEG"))
    assert shown.shape == (768, 1024)
    assert close(shown[:, :510], np.full((768, 510), 60), 2) and close(shown[:, 514:], np.full((768, 510), 200), 2)


@pytest.mark.parametrize("size", [(1024, 700), (1025, 700), (2047, 999), (2048, 1000), (4100, 2999), (900, 4032)])
def test_a_reduced_jpeg_shows_what_the_whole_one_does(size):
    noise = np.random.default_rng(0).integers(0, 256, (9, 12, 3), np.uint8)
    content = encode(Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC), "JPEG", quality=95)
    assert close(read(content).pixels, read(Image.open(io.BytesIO(content))).pixels, 12)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_reduced_jpeg_is_turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = read(encode(Image.new("L", (4000, 2000)), "JPEG", exif=exif))
    assert found.pixels.shape == ((512, 1024) if orientation == 1 else (1024, 512))
    assert found.is_turned == (orientation == 6)


def heic(image: Image.Image) -> bytes:
    content = io.BytesIO()
    pytest.importorskip("pillow_heif").from_pillow(image).save(content, quality=100)
    return content.getvalue()


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_heic_is_read(mode):
    assert close(decode(heic(Image.fromarray(RAMP).convert(mode))), RAMP, 8)


def test_heic_without_its_reader_gets_a_sentence(monkeypatch):
    content = heic(Image.fromarray(RAMP))
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImageError, match="pillow-heif is installed; install it, or save the image as JPEG"):
        decode(content)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_heic_gets_a_sentence(part):
    content = heic(Image.fromarray(RAMP))
    with pytest.raises(ImageError, match="cut short"):
        decode(content[: int(len(content) * part)])


GREY = torch.from_numpy(RAMP.copy())
COLOURS = GREY.expand(3, 40, 60)
OPAQUE = torch.cat([COLOURS, torch.full((1, 40, 60), 255, dtype=torch.uint8)])


@pytest.mark.parametrize(
    "tensor",
    [
        GREY,
        GREY[None],
        GREY[..., None],
        COLOURS,
        OPAQUE,
        COLOURS.movedim(0, -1),
        COLOURS / 255,
        (GREY / 255).double().requires_grad_(),
        GREY.to(torch.uint16) * 257,
    ],
    ids=lambda tensor: f"{tuple(tensor.shape)} {tensor.dtype}",
)
def test_tensors(tensor):
    assert close(decode(tensor), RAMP)


def test_low_precision_tensors():
    for dtype in (torch.float16, torch.bfloat16):
        assert close(decode((GREY / 255).to(dtype)), RAMP)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_tensor_on_a_gpu():
    assert close(decode((COLOURS / 255).cuda()), RAMP)


@pytest.mark.parametrize("shape", [(), (60,), (2, 40, 60), (1, 1, 40, 60), (8, 1, 28, 28)])
def test_a_tensor_of_another_shape_gets_a_sentence(shape):
    with pytest.raises(
        ImageError, match=rf"tensor of shape \({', '.join(map(str, shape))},?\).*; H x W, and 1, 3 or 4 x"
    ):
        decode(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32, np.float64, ">u2", ">f8"])
@pytest.mark.parametrize("channels", [None, 1, 3, 4])
def test_arrays(dtype, channels):
    white = {"u1": 255, "u2": 65_535}.get(np.dtype(dtype).str[1:], 1)
    grey = RAMP.astype(float) / 255 * white
    planes = [grey] * min(channels or 1, 3) + [np.full_like(grey, white)] * ((channels or 1) - 3)
    array = np.dstack(planes) if channels else grey
    assert close(decode(array.astype(dtype)), RAMP)


def test_array_need_not_be_contiguous():
    assert np.array_equal(decode(np.dstack([RAMP] * 3)[::2, ::-3]), RAMP[::2, ::-3])


def header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to no pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", zlib.compress(bytes(100)))


def jpeg_header(width: int, height: int) -> bytes:
    """A JPEG that claims a size and has next to no pixels."""
    content = bytearray(encode(RAMP, "JPEG"))
    size = content.index(b"\xff\xc0") + 5
    content[size : size + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def tiled_tiff(side: int) -> bytes:
    """A TIFF of 64 x 64 pixels in one tile of side x side."""
    data = zlib.compress(bytes(64 * 64))
    tags = [(256, 64), (257, 64), (258, 8), (259, 8), (262, 1), (277, 1), (322, side), (323, side), (324, 8)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in [*tags, (325, len(data))])
    directory = struct.pack("<H", len(tags) + 1) + entries + bytes(4)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (header(60_000, 60_000), "pixels"),
        (header(13_000, 13_000), "pixels"),
        (header(7_300, 7_300), "pixels"),
        (jpeg_header(16_001, 16_001), "256 million"),
        (jpeg_header(20_001, 1), "pixels"),
        (header(20_001, 1), "pixels"),
        (tiled_tiff(40_000), "pixels"),
        (np.zeros((1, 20_001), np.uint8), "pixels"),
        (bytes(MAX_BYTES + 1), "MB"),
        (b"", "known format"),
        (b"just text, no image " * 99, "known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "known format"),
        (encode(RAMP, "PPM"), "known format"),
        (encode(RAMP, "ICO"), "known format"),
        (None, "no image"),
        (7, "no image"),
        ("nowhere/seven.png", "no file 'seven.png'"),
        ("a\0b", "no file"),
        ("x" * 5_000, "cannot be read"),
        ("/", "no file"),
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros(9), "shape"),
        (np.zeros((1, 3, 9, 9)), "shape"),
        (np.zeros((9, 9, 2)), "shape"),
        (np.zeros((9, 9), np.int64), "int64"),
        (np.zeros((9, 9), object), "object"),
        (np.full((9, 9), np.nan), "between 0 and 1"),
        (np.full((9, 9), 1.5), "between 0 and 1"),
        (np.full((9, 9), -0.1), "between 0 and 1"),
        (encode(np.full((9, 9), np.nan, np.float32), "TIFF"), "between"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_cannot_be_used_gets_a_sentence(source, why):
    with pytest.raises(ImageError, match=why) as caught:
        decode(source)
    assert str(caught.value).endswith(".") and ("; " in str(caught.value) or "are." in str(caught.value))


def test_sizes_at_the_limit_are_taken():
    assert decode(tiled_tiff(64)).shape == (64, 64)
    assert decode(np.zeros((20_000, 200), np.uint8)).shape == (1024, 10)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_truncated_file_gets_a_sentence(format, part):
    content = encode(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8), format)
    with pytest.raises(ImageError, match=r"cut short|known format"):
        decode(content[: int(len(content) * part)])


changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=5)), max_size=5)


@pytest.mark.parametrize("name", CRAFTED)
@pytest.mark.filterwarnings("ignore")
@given(changes=changes, length=st.floats(0.1, 1) | st.just(1))
def test_a_damaged_file_gives_an_image_or_a_sentence(name, changes, length):
    damaged = bytearray(CRAFTED[name])
    for place, values in changes:
        start = int(place * len(damaged))
        damaged[start : start + len(values)] = values
    check_image(bytes(damaged[: int(length * len(damaged))]))


@pytest.mark.filterwarnings("ignore")
@given(array=arrays(scalar_dtypes(), array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
def test_any_array_gives_an_image_or_a_sentence(array):
    check_image(array)


@given(
    array=arrays(st.sampled_from([np.float32, np.float64]), (3, 3), elements=st.floats(0, 1, width=32)), odd=st.floats()
)
def test_floats_outside_of_black_and_white_are_refused(array, odd):
    array[1, 1] = odd
    if 0 <= array[1, 1] <= 1:
        assert np.array_equal(decode(array), np.rint(array * np.float32(255)))
    else:
        with pytest.raises(ImageError, match="between 0 and 1"):
            decode(array)


def check_image(source: bytes | np.ndarray) -> None:
    with contextlib.suppress(ImageError):
        found = decode(source)
        assert found.dtype == np.uint8 and found.ndim == 2 and 0 < found.size <= MAX_PIXELS
