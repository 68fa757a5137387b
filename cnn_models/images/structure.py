"""Checks of an image file's structure before decoding: the number of its parts, and whether decoding is cheap.

Decoders spend time on every scan, segment, chunk, block, entry and strip of a file, even with few pixels. Here only
the parts of the container are counted, up to the limit; damage is left to the decoder. Files of usual programs stay
below the limits, which stop files that are made to keep a decoder busy.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import islice

from cnn_models.errors import ImageError

SCANS = 100  # of a JPEG: encoders write about 10, each takes as long as decoding the image once
SEGMENTS = 1_000  # of a JPEG: 20 MB of metadata are 300
JUNK = 100_000  # bytes between the segments of a JPEG's header, which pillow skips one at a time
CHUNKS = 20_000  # of a PNG or WebP: 80 MB of the usual 8 KB are 10,000
BLOCKS = 5_000  # of a GIF before its first frame: metadata in pieces of 255 bytes, which pillow joins one at a time
ENTRIES = 1_000  # of a TIFF's directory: cameras write some hundred
STRIPS = 80_000  # or tiles of a TIFF: one row a strip, in four planes, on the longest side
BOXES = 1_000  # of an AVIF or HEIC, outermost: encoders write three to ten
TABLES = 64 * 1024  # bytes of their boxes with the tables of items: 200 megapixels in 768 tiles are 40 KB

CHEAP_BYTES = 256 * 1024
CHEAP_PIXELS = 10**6
CHEAP_CHUNKS = 256
CHEAP_EXIF = 256  # bytes: Safari writes few entries
# Neither compressed text nor colour profiles, which may be a thousand times larger than their chunk, nor animations.
CHEAP_KINDS = frozenset(b"IHDR PLTE IDAT IEND tRNS sRGB gAMA cHRM sBIT bKGD pHYs tIME eXIf".split())

PNG = b"\x89PNG\r\n\x1a\n"
# A marker for libjpeg, also within entropy-coded data, in which 0xFF is followed by 0x00 or is a restart marker.
JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
STRIP_OFFSETS, TILE_OFFSETS = 273, 324
HEIC_BRANDS = frozenset(b"heic heix heim heis hevc hevx hevm hevs".split())


def check_structure(content: bytes) -> None:
    """Raise ImageError for a file with too many parts; takes milliseconds, and 0.6 s for 80 MB of markers."""
    if is_jpeg(content):
        _check_jpeg(content)
    elif content.startswith(PNG):
        _check_chunks(_png_chunks(content))
    elif content.startswith(b"RIFF"):
        _check_chunks(_riff_chunks(content))
    elif content.startswith((b"GIF87a", b"GIF89a")):
        _check_gif(content)
    elif content.startswith((b"II", b"MM")):
        _check_tiff(content)
    elif content[4:8] == b"ftyp":
        _check_boxes(content)


def is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff")


def is_heic(content: bytes) -> bool:
    """Whether a file is a HEIC, by the brands that it names."""
    size = min(int.from_bytes(content[:4], "big"), 256)
    brands = {content[at : at + 4] for at in range(8, size, 4)}
    return content[4:8] == b"ftyp" and not HEIC_BRANDS.isdisjoint(brands)


def is_cheap(content: bytes) -> bool:
    """Whether a file is a small plain PNG, as of a canvas, whose decoding takes milliseconds with any content."""
    if len(content) > CHEAP_BYTES or not content.startswith(PNG):
        return False
    chunks = list(islice(_png_chunks(content), CHEAP_CHUNKS + 1))
    kinds = [kind for kind, _ in chunks]
    if len(kinds) > CHEAP_CHUNKS or not CHEAP_KINDS.issuperset(kinds) or kinds.count(b"IHDR") != 1:
        return False
    if kinds[0] != b"IHDR" or kinds[-1] != b"IEND":
        return False
    width, height = struct.unpack_from(">II", content, 16)
    return width * height <= CHEAP_PIXELS and sum(size for kind, size in chunks if kind == b"eXIf") <= CHEAP_EXIF


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """The kind and length of each chunk, to the end of the image or of the file."""
    at, kind = len(PNG), b""
    while at + 12 <= len(content) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, length
        at += 12 + length  # with its length, kind and checksum


def _riff_chunks(content: bytes) -> Iterator[tuple[bytes, int]]:
    """The kind and length of each chunk of a WebP; a frame of an animation is one."""
    at = 12
    while at + 8 <= len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        yield kind, length
        at += 8 + length + length % 2


def _check_chunks(chunks: Iterator[tuple[bytes, int]]) -> None:
    if any(islice(chunks, CHUNKS, None)):
        raise ImageError("image.chunks", most=f"{CHUNKS:,}")


def _check_jpeg(content: bytes) -> None:
    scans = 0
    for count, marker in enumerate(_jpeg_segments(content), 1):
        scans += marker == SOS
        if scans > SCANS:
            raise ImageError("image.scans", most=SCANS)
        if count > SEGMENTS:
            raise ImageError("image.segments", most=f"{SEGMENTS:,}")


def _jpeg_segments(content: bytes) -> Iterator[int]:
    """The marker of each segment, to the end of the image: like libjpeg, over any bytes between them."""
    at, scanning = 2, False
    while found := JPEG_MARKER.search(content, at):
        if not scanning and found.start() - at > JUNK:
            raise ImageError("image.damaged")
        marker, at = content[found.start() + 1], found.end()
        if scanning and marker == EOI:
            return
        yield marker
        scanning |= marker == SOS
        if marker not in (SOI, EOI):  # all others begin with their length
            at += max(2, int.from_bytes(content[at : at + 2], "big"))


def _check_gif(content: bytes) -> None:
    if any(islice(_gif_blocks(content), BLOCKS, None)):
        raise ImageError("image.blocks", most=f"{BLOCKS:,}")


def _gif_blocks(content: bytes) -> Iterator[bytes]:
    """The first byte of each block, and of each part of one, before the first frame."""
    flags = content[10:11] or b"\0"
    at = 13 + (3 << (flags[0] & 7) + 1 if flags[0] & 128 else 0)
    while (kind := content[at : at + 1]) not in (b"", b",", b";"):
        yield kind
        at += 1
        if kind == b"!":  # anything else is skipped, a byte at a time
            at += 1
            while size := int.from_bytes(content[at : at + 1], "big"):
                yield kind
                at += 1 + size
            at += 1


def _check_tiff(content: bytes) -> None:
    """Check the first directory only, as pillow reads the others on request."""
    shared = 0
    for tag, bytes_each, count in _tiff_entries(content):
        if tag in (STRIP_OFFSETS, TILE_OFFSETS) and count > STRIPS:
            raise ImageError("image.strips", most=f"{STRIPS:,}")
        size = bytes_each * count
        shared += size if size <= len(content) else 0  # pillow reads nothing past the end
    if shared > 2 * len(content):  # the same bytes are read and kept repeatedly
        raise ImageError("image.damaged")


def _tiff_entries(content: bytes) -> list[tuple[int, int, int]]:
    """The tag, the bytes of each value and the count of values of each entry in the first directory."""
    order, is_big = "<" if content.startswith(b"II") else ">", content[2:3] == b"\x2b"
    offset, length, entry = (f"{order}{code}" for code in (("Q", "Q", "HHQ8x") if is_big else ("L", "H", "HHL4x")))
    try:
        (start,) = struct.unpack_from(offset, content, 8 if is_big else 4)
        (count,) = struct.unpack_from(length, content, start)
    except (struct.error, OverflowError):  # the file is too short
        return []
    if count > ENTRIES:
        raise ImageError("image.entries", most=f"{ENTRIES:,}")
    start, size = start + struct.calcsize(length), struct.calcsize(entry)
    table = content[start : start + count * size]
    found = struct.iter_unpack(entry, table[: len(table) // size * size])
    return [(tag, TIFF_SIZES.get(kind, 0), count) for tag, kind, count in found]


def _check_boxes(content: bytes) -> None:
    """Check the boxes of an AVIF or HEIC; decoders search the table of items from its begin for each of them."""
    tables = 0
    for count, (kind, start, end) in enumerate(_boxes(content, 0, len(content)), 1):
        if count > BOXES:
            raise ImageError("image.boxes", most=f"{BOXES:,}")
        tables += end - start if kind in (b"meta", b"moov") else 0
        if kind == b"meta":  # pixels may be in it too
            pixels = islice(_boxes(content, start + 4, end), BOXES)
            tables -= sum(stop - begin for inner, begin, stop in pixels if inner == b"idat")
    if tables > TABLES:
        raise ImageError("image.tables", most=TABLES // 1024)


def _boxes(content: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind, and the start and end of the content, of each box between two places of an AVIF or HEIC."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">L4s", content, at)
        head = 8
        if size == 1:  # the size follows, in 64 bits
            size, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        stop = min(at + max(size, head), end) if size else end  # 0: to the end
        yield kind, at + head, stop
        at = stop
