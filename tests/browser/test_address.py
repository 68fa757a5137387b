"""Drawings in the address of the page: any code opens, and the code that the page writes opens as the same drawing."""

from __future__ import annotations

import base64
import struct
from urllib.parse import parse_qs, urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import texts


def encoded(kind: str, content: bytes) -> str:
    return kind + base64.urlsafe_b64encode(content).decode().rstrip("=")


def stroke(width: int, points: list[tuple[int, int, int]]) -> bytes:
    """A stroke in an address: width, number of points, then x, y and pressure of each."""
    return struct.pack(">BH", width, len(points)) + bytes(value for point in points for value in point)


coordinates = st.integers(0, 255)
points = st.tuples(coordinates, coordinates, st.integers(1, 100))
strokes = st.lists(st.builds(stroke, st.integers(8, 40), st.lists(points, min_size=1, max_size=9)), min_size=1)
drawings = strokes.map(lambda all: encoded("t", b"".join(all)))
images = st.binary(min_size=392, max_size=392).map(lambda content: encoded("p", content))
broken = st.binary(max_size=30).map(lambda content: encoded("t", content)) | texts


# Opens an address while a late answer to the drawing before writes its own.
OPEN = """hash => new Promise((go) => {
  addEventListener("hashchange", () => go(), { once: true });
  const late = location.href;
  location.hash = hash;
  history.replaceState(null, "", late);
})"""


def opened(page, code: str) -> str:
    """The code in the address of the page after it has opened this code."""
    parts = urlencode({"d": "mnist", "m": "lenet5", "p": code}, errors="replace")
    page.evaluate(OPEN, parts)
    page.wait_for_function("new URLSearchParams(location.hash.slice(1)).has('s')")
    return parse_qs(page.evaluate("location.hash.slice(1)")).get("p", [""])[0]


@settings(max_examples=20)
@given(code=drawings | images)
def test_a_drawing_opens_and_its_address_stays(page, code):
    written = opened(page, code)
    assert written[0] == code[0] and opened(page, written) == written
    assert written == code or code[0] == "t"  # close points of a stroke are dropped


def test_a_link_that_names_no_networks_keeps_those_that_are_chosen(page):
    chosen = page.evaluate("[...document.querySelectorAll('[name=model]:checked')].map((each) => each.value)")
    opened(page, "")  # which leaves LeNet-5 alone
    page.evaluate(OPEN, "d=mnist")
    page.wait_for_function("new URLSearchParams(location.hash.slice(1)).has('s')")
    assert parse_qs(page.evaluate("location.hash.slice(1)"))["m"] == ["lenet5"] != chosen


@settings(max_examples=20)
@given(code=broken)
def test_anything_else_opens_as_a_drawing_or_an_empty_page(page, code):
    written = opened(page, code)
    assert opened(page, written) == written
