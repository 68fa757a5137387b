"""Files that the server does not take are sent as the browser draws them, in Chromium."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from cnn_models.images.decode import MAX_BYTES, MAX_PIXELS
from tests.browser.test_page import SEVEN, draw
from tests.crafted_images import chunk, encode
from ui.common.texts import LANGUAGES, say

FOUR = Image.open("ui/common/samples/mnist.4.png").resize((256, 256))
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">
<path d="M7 3 L6 12 H17 M16 4 V21" fill="none" stroke="#124" stroke-width="2" stroke-linecap="round"/></svg>"""

UPLOADS, SERVER = re.compile("gradio_api/upload"), re.compile("component_server")
PAGE = {"content_type": "text/html", "body": "<html><h1>nginx</h1></html>"}
# Responses of a proxy or the server, each with the key and the values of its sentence; None: there is no response.
RESPONSES = [
    (None, "failed.offline", {}),
    ({"status": 200, **PAGE}, "failed.other", {}),
    ({"status": 302, "headers": {"Location": "/robots.txt"}}, "failed.other", {}),
    ({"status": 403, **PAGE}, "failed.status", {"status": 403}),
    ({"status": 404, **PAGE}, "server.unknown", {}),
    ({"status": 408, "body": ""}, "server.slow", {}),
    ({"status": 413, **PAGE}, "failed.large", {}),
    ({"status": 413, "json": {"detail": "Its own words."}}, "failed.said", {"why": "Its own words."}),
    ({"status": 429, "json": {"error": 5}}, "request.busy", {}),
    ({"status": 500, "body": "Internal Server Error"}, "failed.status", {"status": 500}),
    *(({"status": status, **PAGE}, "failed.proxy", {"status": status}) for status in (502, 503, 504)),
    ({"status": 507, **PAGE}, "server.upload.full", {}),
    ({"status": 507, "json": {"detail": "<b>Full</b>"}}, "failed.said", {"why": "<b>Full</b>"}),
]  # fmt: skip


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
    expect(page.locator(".sketchpad-hint span")).to_have_text("This browser cannot show the image")


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


@pytest.fixture
def open_page(browser, url):
    """`open_page(language)` is the page, where failed requests are no errors."""
    opened = []

    def open_page(language: str = "en"):
        opened.append(browser.new_page(locale={"en": "en-GB", "zh": "zh-CN"}[language]))
        opened[0].goto(url)
        opened[0].wait_for_selector("#sketchpad canvas")
        return opened[0]

    yield open_page
    opened[0].close()


def respond(route, response):
    route.abort() if response is None else route.fulfill(**response)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_upload_that_fails_says_why_and_is_tried_again(open_page, tmp_path, language):
    page, now = open_page(language), []
    draw(page, SEVEN)
    expect(page.locator("#verdict")).to_contain_text("7")
    verdict = page.locator("#verdict").inner_text()
    page.route(UPLOADS, lambda route: respond(route, now[-1]))
    again = page.get_by_role("button", name=say(language, "pad.again"))
    for number, (response, key, values) in enumerate(RESPONSES):
        now.append(response)
        again.click() if number else choose(page, tmp_path, "four.png", encode(FOUR, "PNG"))
        sentence = say(language, "pad.unsent", why=say(language, key, **values))
        expect(page.locator(".sketchpad-hint span")).to_have_text(sentence)
        assert page.locator("#verdict").inner_text() == verdict
    page.unroute(UPLOADS)
    again.click()
    expect(page.locator("#verdict")).to_contain_text("4")
    expect(again).to_be_hidden()
    page.locator("#sketchpad .sketchpad-undo").click()
    expect(page.locator("#verdict")).to_have_text(verdict)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_prediction_that_fails_says_why(open_page, language):
    page, now = open_page(language), []
    page.locator("#options summary").click()
    page.route(SERVER, lambda route: respond(route, now[-1]))
    for response, key, values in RESPONSES:
        now.append(response)
        page.locator("input[name=calibrated]").click()
        sentence = say(language, "verdict.failed", why=say(language, key, **values))
        expect(page.locator("#verdict")).to_have_text(sentence)


def test_misclassified_images_that_fail_say_why(open_page):
    page = open_page()
    page.get_by_role("tab", name="Training", exact=True).click()
    page.get_by_role("tab", name="Errors", exact=True).click()
    page.locator("#errors [data-pick]").first.wait_for()
    page.route(SERVER, lambda route: route.fulfill(status=503, **PAGE))
    page.locator("#errors [data-pick]").first.click()
    expect(page.locator("#errors .errors-images")).to_have_text(say("en", "failed.proxy", status=503))


def test_a_file_that_a_proxy_finds_too_large_is_sent_smaller(open_page, tmp_path):
    page, refused = open_page(), []

    def proxy(route):
        if b"four.png" in route.request.post_data_buffer:
            refused.append(route)
            route.fulfill(status=413, **PAGE)
        else:
            route.continue_()

    page.route(UPLOADS, proxy)
    with page.expect_request(lambda each: b"redrawn.webp" in (each.post_data_buffer or b"")):
        choose(page, tmp_path, "four.png", encode(FOUR, "PNG"))
    expect(page.locator("#verdict")).to_contain_text("networks read 4")
    assert len(refused) == 1


def test_a_file_over_the_limit_that_the_browser_cannot_draw_is_not_sent(open_page, tmp_path):
    page, sent = open_page(), []
    page.on("request", lambda each: sent.append(each.url) if UPLOADS.search(each.url) else None)
    choose(page, tmp_path, "large.heic", bytes(MAX_BYTES + 1))
    expect(page.locator(".sketchpad-hint")).to_contain_text("larger than 80 MB; make it smaller")
    assert not sent


def test_a_folder_is_no_file(open_page):
    page = open_page()
    page.evaluate("""() => {
        const unreadable = new File(["x"], "folder");
        unreadable.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) });
        const drop = new Event("drop", { bubbles: true, cancelable: true });
        drop.dataTransfer = { files: [unreadable], types: ["Files"] };
        document.querySelector("#sketchpad").dispatchEvent(drop);
    }""")
    expect(page.locator(".sketchpad-hint")).to_contain_text(say("en", "pad.unread"))


@pytest.mark.parametrize("lost", [1, 10**6])
def test_an_upload_that_the_server_lost_is_sent_again_but_not_forever(open_page, tmp_path, lost):
    page, sent = open_page(), []

    def restarted(route):
        sent.append(route)
        route.fulfill(json=[f"{'0' * 32}/lost.png"]) if len(sent) <= lost else route.continue_()

    page.route(UPLOADS, restarted)
    choose(page, tmp_path, "four.png", encode(FOUR, "PNG"))
    expect(page.locator("#verdict")).to_contain_text("networks read 4" if lost == 1 else "upload it first")
    assert len(sent) == (2 if lost == 1 else 4)
