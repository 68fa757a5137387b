"""The memory of the app while visitors draw, upload and open the page: hours of use in minutes. Linux only.

python -m tests.benchmarks.memory_growth [drawings, 10000 by default]
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
from gradio_client import Client, handle_file
from PIL import Image, ImageDraw

from tests.benchmarks.app import chromium, started
from tests.benchmarks.concurrent_users import memory, visit
from tests.conftest import ROOT

PARTS = 10
UPLOADS, PAGES, CALLS = 5, 100, 25  # an upload for so many drawings, a page load, a call of /compare


def drawing(random: np.random.Generator) -> Image.Image:
    """Three random strokes."""
    image = Image.new("L", (112, 112), 255)
    points = [tuple(map(int, random.integers(15, 97, 2))) for _ in range(4)]
    ImageDraw.Draw(image).line(points, fill=0, width=9, joint="curve")
    return image


def encoded(image: Image.Image, format: str) -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


class Visitors:
    """Visitors of the page with ten drawings each."""

    def __init__(self, url: str):
        self.url, self.random = url, np.random.default_rng(0)
        config = json.load(urllib.request.urlopen(f"{url}/config"))
        self.component = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "compare-page")
        self.http = httpx.Client(base_url=f"{url}/gradio_api", timeout=60)

    def send(self, number: int, image: str) -> None:
        data = {"image": image, "quick": number % 10 > 0, "drawing": True}
        body = {"data": data, "fn_name": "look", "component_id": self.component, "session_hash": f"s{number // 10}"}
        answer = self.http.post("/component_server", json=body)
        if not answer.is_success or not answer.json()["answers"]:
            raise SystemExit(f"drawing {number}: {answer.status_code} {answer.text[:300]}")

    def draw(self, number: int) -> None:
        self.send(number, f"data:image/png;base64,{base64.b64encode(encoded(drawing(self.random), 'PNG')).decode()}")

    def upload(self, number: int) -> None:
        photo = Image.fromarray(self.random.normal(235, 6, (480, 640)).clip(0, 255).astype(np.uint8))
        photo.paste(drawing(self.random).resize((300, 300)), (170, 90))
        files = {"files": (f"{number}.jpg", encoded(photo, "JPEG"))}
        self.send(number, f"upload:{self.http.post('/upload', files=files).json()[0]}")

    def use(self, first: int, last: int, browser, client: Client) -> None:
        """Send the drawings from `first` to before `last`, with their share of uploads, page loads and calls."""
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self.draw, range(first, last)))
            list(pool.map(self.upload, range(first, last, UPLOADS)))
        for _ in range(first, last, PAGES):
            visit(browser, self.url, 1)
        for _ in range(first, last, CALLS):
            client.predict(
                handle_file(ROOT / "ui" / "common" / "samples" / "mnist.7.png"), "mnist", [], api_name="/compare"
            )


def parts(count: int) -> Iterator[tuple[int, int]]:
    edges = [round(count * part / PARTS) for part in range(PARTS + 1)]
    return itertools.pairwise(edges)


def main() -> None:
    count = int(re.sub(r"\D", "", sys.argv[1])) if len(sys.argv) > 1 else 10_000
    with started() as (app, url), chromium() as browser:
        visitors, client, after = Visitors(url), Client(url, verbose=False), []
        print("| drawings | uploads | page loads | calls | MB |\n|---:|---:|---:|---:|---:|")
        for first, last in parts(count):
            visitors.use(first, last, browser, client)
            after.append(memory(app.pid))
            print(
                f"| {last:,} | {last // UPLOADS:,} | {last // PAGES} | {last // CALLS} | {after[-1]:.0f} |", flush=True
            )
        print(f"from a tenth to all of it: {100 * (after[-1] / after[0] - 1):+.1f} %")


if __name__ == "__main__":
    main()
