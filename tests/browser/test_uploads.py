"""Files that the server does not take are sent as the browser draws them, in Chromium."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from cnn_models.images.decode import MAX_BYTES, MAX_PIXELS
from tests.browser.test_page import SEVEN, draw
from tests.crafted_images import chunk, encode

FOUR = Image.open("ui/common/samples/mnist.4.png").resize((256, 256))
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">
<path d="M7 3 L6 12 H17 M16 4 V21" fill="none" stroke="#124" stroke-width="2" stroke-linecap="round"/></svg>"""


def many_pixels() -> bytes:
    side = int(MAX_PIXELS**0.5) + 1
    return encode(FOUR.resize((side, side)), "PNG", compress_level=1)


def many_chunks() -> bytes:
    content = encode(FOUR, "PNG")
    return content[:33] + chunk(b"tEXt", b"a\0b") * 25_000 + content[33:]


FILES = {
    "drawing.svg": lambda: SVG,
    "icon.ico": lambda: encode(FOUR, "ICO"),
    "many_pixels.png": many_pixels,
    "many_chunks.png": many_chunks,
    "many_bytes.png": lambda: encode(FOUR, "PNG") + bytes(MAX_BYTES),
    "truncated.png": lambda: encode(FOUR, "PNG", compress_level=0)[:-2000],
}


def choose(page, folder, name, content):
    (folder / name).write_bytes(content)
    page.locator("#sketchpad input[type=file]").set_input_files(folder / name)


def test_what_the_browser_shows_is_read(page, tmp_path):
    for name, make in FILES.items():
        choose(page, tmp_path, name, make())
        expect(page.locator("#verdict"), name).to_contain_text("networks read 4")
        draw(page, SEVEN)
        expect(page.locator("#verdict")).to_contain_text("networks read 7")
        page.locator("#sketchpad .sketchpad-undo").click()
        expect(page.locator("#verdict"), name).to_contain_text("networks read 4")
        page.locator("#sketchpad .sketchpad-clear").click()
        expect(page.locator("#verdict")).to_contain_text("canvas is empty")


def test_what_neither_reads_gets_a_sentence(page, tmp_path):
    choose(page, tmp_path, "text.svg", b"no image")
    expect(page.locator("#verdict")).to_contain_text("not an image of a known format")
    expect(page.locator(".sketchpad-hint")).to_have_text("This browser cannot show the image")


def test_a_heic_is_read_that_the_browser_cannot_show(page, tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    content = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(255 - np.asarray(FOUR)).convert("RGB")).save(content)
    choose(page, tmp_path, "photo.heic", content.getvalue())
    expect(page.locator("#verdict")).to_contain_text("networks read 4")


def test_a_large_file_is_drawn_before_it_is_sent(page, tmp_path):
    sizes = []
    page.on(
        "request", lambda each: "/upload" in each.url and sizes.append(int(each.header_value("content-length") or 0))
    )
    choose(page, tmp_path, "large.png", encode(FOUR, "PNG") + bytes(21 * 10**6))
    expect(page.locator("#verdict")).to_contain_text("networks read 4")
    assert len(sizes) == 1 and sizes[0] < 10**6
