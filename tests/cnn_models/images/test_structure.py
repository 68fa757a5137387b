"""Files of far too many parts are refused by their structure, those that programs write are not."""

import struct
import time

import numpy as np
import pytest
from PIL import Image

from cnn_models.images.decode import FORMATS, ImageError, decode
from cnn_models.images.structure import (
    BLOCKS,
    BOXES,
    CHEAP_BYTES,
    CHEAP_CHUNKS,
    CHUNKS,
    ENTRIES,
    SCANS,
    SEGMENTS,
    STRIPS,
    TABLES,
    check_structure,
    is_cheap,
    is_heic,
)
from tests.crafted_images import (
    NOISE,
    SIDE,
    avif_with,
    box,
    chunk,
    encode,
    gif_with,
    jpeg_of_scans,
    jpeg_with,
    png_with,
    slow_png,
    tiff_of,
    webp_with,
)
from ui.common.sketchpad import sample

COMMENT = b"\xff\xfe\0\2"  # of a JPEG
TIME = chunk(b"tIME", bytes(7))
SHARED = tuple((40_000 + index, 7, 10**6, 8) for index in range(10))  # ten values in the same bytes


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda: jpeg_of_scans(1_200), "100 scans"),
        (lambda: jpeg_of_scans(640_000, NOISE[:8, :8]), "100 scans"),
        (lambda: jpeg_with(COMMENT * 4_000_000), "1,000 segments"),
        (lambda: jpeg_with(b"\xff\xd9" * 4_000_000), "1,000 segments"),
        (lambda: jpeg_with(bytes(4_000_000)), "damaged"),
        (lambda: jpeg_with(b"\xff\xd0" * 200_000), "damaged"),
        (lambda: png_with(TIME * 400_000), "20,000 chunks"),
        (lambda: png_with(chunk(b"IDAT") * 400_000), "20,000 chunks"),
        (lambda: gif_with(b"!\xfe\0" * 4_000_000), "5,000 blocks"),
        (lambda: gif_with(b"!\xfe" + b"\1a" * 4_000_000 + b"\0"), "5,000 blocks"),
        (lambda: gif_with(b"x" * 4_000_000), "5,000 blocks"),
        (lambda: webp_with(b"abcd\0\0\0\0" * 2_000_000), "20,000 chunks"),
        (lambda: tiff_of(400_000), "80,000 strips"),
        (lambda: tiff_of(400_000, tag=324), "80,000 strips or tiles"),
        (lambda: tiff_of(400_000, is_big=True), "80,000 strips"),
        (lambda: tiff_of(SIDE, entries=((40_000, 4, 1, 0),) * 60_000), "1,000 entries"),
        (lambda: tiff_of(SIDE, entries=((40_000, 4, 1, 0),) * 60_000, is_big=True), "1,000 entries"),
        (lambda: tiff_of(SIDE, entries=SHARED) + bytes(10**6), "damaged"),
        (lambda: avif_with(boxes=box(b"free") * 2_000_000), "1,000 boxes"),
        (lambda: avif_with(tables=box(b"free", bytes(TABLES))), "64 KB of tables"),
        (lambda: avif_with(boxes=box(b"moov", bytes(TABLES))), "64 KB of tables"),
        (lambda: avif_with(tables=box(b"idat") * 2_000_000), "64 KB of tables"),
    ],
)
def test_too_many_parts_are_refused_at_once(make, parts):
    content = make()
    start = time.process_time()
    with pytest.raises(ImageError, match=parts):
        decode(content)
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize(
    "content",
    [
        jpeg_of_scans(SCANS - 10),
        jpeg_with(COMMENT * (SEGMENTS - 50)),
        jpeg_with(bytes(1000)),
        png_with(TIME * (CHUNKS - 3)),
        gif_with(b"!\xfe" + (b"\xff" + bytes(255)) * (BLOCKS - 10) + b"\0"),
        webp_with(b"abcd\0\0\0\0" * (CHUNKS - 10)),
        tiff_of(SIDE),
        tiff_of(SIDE, tag=324),
        tiff_of(SIDE, is_big=True),
        tiff_of(STRIPS),
        tiff_of(SIDE, entries=((40_000, 4, 1, 0),) * (ENTRIES - 20)),
        avif_with(tables=box(b"free", bytes(TABLES - 300))),
        avif_with(tables=box(b"idat", bytes(2 * TABLES))),
        avif_with(boxes=box(b"free") * (BOXES - 5)),
        avif_with(boxes=struct.pack(">I4sQ", 1, b"free", 16) + struct.pack(">I4s", 0, b"free") + bytes(99)),
    ],
)
def test_as_many_as_are_allowed_are_taken(content):
    assert decode(content).shape == (SIDE, SIDE)


def frames(count: int) -> dict:
    images = [Image.new("L", (SIDE, SIDE), index) for index in range(count)]
    return {"save_all": True, "append_images": images}


@pytest.mark.parametrize(
    ("format", "options"),
    [
        *((format, {}) for format in FORMATS),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"icc_profile": bytes(3_000_000)}),
        ("PNG", {"compress_level": 0}),
        ("GIF", frames(50)),
        ("WEBP", frames(50)),
        ("TIFF", {"strip_size": 1}),
        ("TIFF", {"strip_size": 1, "compression": "tiff_lzw"}),
        ("TIFF", {"big_tiff": True}),
        ("TIFF", frames(50)),
        ("MPO", frames(5)),
        ("AVIF", frames(50)),
    ],
)
def test_what_programs_write_is_taken(format, options):
    image = np.random.default_rng(0).integers(0, 256, (1000, 100), np.uint8) if "save_all" not in options else NOISE
    assert decode(encode(image, format, **options)).shape == image.shape


def test_a_marker_in_entropy_coded_data_is_none():
    """There, 0xFF is followed by 0x00 or it restarts the decoder; both are found in a noisy image."""
    content = encode(np.random.default_rng(0).integers(0, 256, (2000, 2000), np.uint8), "JPEG", restart_marker_blocks=1)
    assert content.count(b"\xff\x00") > SEGMENTS and content.count(b"\xff\xd0") > SEGMENTS
    check_structure(content)


def test_bytes_that_look_like_parts_but_are_data_are_not_counted():
    check_structure(jpeg_with(b"\xff\xfe\xff\xff" + b"\xff\xda" * 32_000 + bytes(1533)))  # within a comment
    check_structure(png_with(chunk(b"tEXt", TIME * 100_000)))
    check_structure(gif_with(b"!\xfe\xff" + b"!\xfe\0" * 85 + b"\0"))
    check_structure(encode(NOISE, "JPEG") + COMMENT * 10_000)  # behind its end
    check_structure(png_with(b"") + TIME * 100_000)


@pytest.mark.parametrize(
    "content", [jpeg_of_scans(2), png_with(TIME), gif_with(b""), webp_with(b""), tiff_of(SIDE), avif_with()]
)
def test_what_is_cut_short_is_for_the_decoder_to_report(content):
    for length in [*range(80), *range(80, len(content), 97)]:
        check_structure(content[:length])
        assert not is_cheap(content[:length])
    check_structure(b"II\x2b\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1))


@pytest.mark.parametrize(
    ("brands", "heic"),
    [
        (b"heic\0\0\0\0mif1heic", True),
        (b"mif1\0\0\0\0mif1heix", True),
        (b"avif\0\0\0\0avifmif1", False),
        (b"isom\0\0\0\0mp41", False),
        (b"", False),
    ],
)
def test_a_heic_is_known_by_its_brands(brands, heic):
    assert is_heic(box(b"ftyp", brands) + b"heic") == heic


def test_what_the_canvas_sends_is_cheap():
    assert is_cheap(sample("mnist", 7).read_bytes())
    assert is_cheap(encode(Image.new("RGBA", (280, 280)), "PNG"))
    assert is_cheap(png_with(chunk(b"sRGB", b"\0") + chunk(b"eXIf", bytes(68))))  # as Safari has them
    assert is_cheap(png_with(b"", 1000, 1000))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        encode(NOISE, "JPEG"),
        slow_png(1),
        png_with(chunk(b"zTXt", b"a\0\0")),
        png_with(chunk(b"acTL", bytes(8))),
        png_with(chunk(b"eXIf", bytes(300))),
        png_with(TIME * CHEAP_CHUNKS),
        png_with(b"", 1001, 1000),
        png_with(b"", data=bytes(CHEAP_BYTES)),
        png_with(chunk(b"IHDR", struct.pack(">IIBBBBB", 9000, 4000, 8, 0, 0, 0, 0))),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR"),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND"),
    ],
)
def test_what_may_take_long_is_not_cheap(content):
    assert not is_cheap(content)
