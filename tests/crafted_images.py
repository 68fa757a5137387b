"""Hostile image files: with very many parts, or with few that take long to decode."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

SIDE = 64
NOISE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)


def encode(image: np.ndarray | Image.Image, format: str, **options) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format, **options)
    return buffer.getvalue()


def jpeg_of_scans(count: int, image: np.ndarray = NOISE) -> bytes:
    """A progressive JPEG with `count` copies of its last scan."""
    content = encode(image, "JPEG", progressive=True, quality=50)
    last = content.rindex(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def jpeg_with(header: bytes) -> bytes:
    """A JPEG with additional bytes between its first two segments."""
    content = encode(NOISE, "JPEG")
    first = 4 + int.from_bytes(content[4:6], "big")
    return content[:first] + header + content[first:]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(chunks: bytes, width: int = SIDE, height: int = SIDE, data: bytes | None = None) -> bytes:
    """A black PNG with additional chunks before its pixels."""
    size = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * height)) if data is None else data
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunks + chunk(b"IDAT", pixels) + chunk(b"IEND")


def slow_png(profiles: int = 15_000) -> bytes:
    """A PNG with as many chunks as are allowed, each a profile compressed a thousandfold: 10 s of CPU time."""
    return png_with(chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**6))) * profiles)


def gif_with(blocks: bytes) -> bytes:
    """A GIF with additional blocks before its first frame."""
    content = encode(NOISE, "GIF")
    palette = 3 << (content[10] & 7) + 1 if content[10] & 128 else 0
    return content[: 13 + palette] + blocks + content[13 + palette :]


def webp_with(chunks: bytes) -> bytes:
    """A WebP with additional chunks after its header."""
    frames = [Image.new("RGBA", (SIDE, SIDE), colour) for colour in ("red", "blue")]
    content = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    body = content[8:30] + chunks + content[30:]  # behind VP8X
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff_of(offsets: int, tag: int = 273, entries: tuple[tuple[int, ...], ...] = (), is_big: bool = False) -> bytes:
    """A black TIFF with so many strips of one row, or tiles (tag 324), all of the same bytes.

    `entries` are further ones: tag, type, count and value.
    """
    start = 16 if is_big else 8
    table = start + SIDE * SIDE
    kind = [(278, 4, 1, 1), (279, 4, offsets, table)]
    tiles = [(322, 4, 1, SIDE), (323, 4, 1, 1), (325, 4, offsets, table)]
    size = [(256, 4, 1, SIDE), (257, 4, 1, SIDE), (258, 4, 1, 8), (259, 4, 1, 1), (262, 4, 1, 1), (277, 4, 1, 1)]
    tags = sorted([*size, (tag, 4, offsets, table), *(kind if tag == 273 else tiles), *entries])
    count, layout, pointer = ("<Q", "<HHQQ", "<Q") if is_big else ("<H", "<HHLL", "<L")
    body = bytes(SIDE * SIDE) + struct.pack("<L", start) * offsets
    head = b"II\x2b\0\x08\0\0\0" if is_big else b"II\x2a\0"
    directory = struct.pack(count, len(tags)) + b"".join(struct.pack(layout, *each) for each in tags) + bytes(8)
    return head + struct.pack(pointer, start + len(body)) + body + directory


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def avif_with(tables: bytes = b"", boxes: bytes = b"") -> bytes:
    """An AVIF with additional boxes among its tables, and additional ones at its end."""
    content = encode(NOISE, "AVIF", quality=100)
    start = content.index(b"meta") - 4
    size, pixels = int.from_bytes(content[start : start + 4], "big"), content.index(b"mdat") + 4
    moved = struct.pack(">I", pixels + len(tables))
    meta = content[start + 8 : start + size].replace(struct.pack(">I", pixels), moved)
    return content[:start] + box(b"meta", meta + tables) + content[start + size :] + boxes
