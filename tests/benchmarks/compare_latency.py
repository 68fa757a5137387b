"""Latency from page load to the first prediction, and of `/compare` relative to its forward passes.

python -m tests.benchmarks.compare_latency
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from gradio_client import Client, handle_file

from cnn_models import ModelHub, compare
from tests.benchmarks.app import chromium, started
from tests.conftest import ROOT

IMAGES = sorted((ROOT / "ui" / "common" / "samples").glob("mnist.*.png"))
ROUNDS = 30


def page_loads(url: str, rounds: int = 5) -> list[float]:
    """Seconds from the request of the page to the first prediction on its board."""
    times = []
    with chromium() as browser:
        for _ in range(rounds):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.wait_for_function("document.querySelector('#lineup .board-winner')")  # looks at every frame
            times.append(time.perf_counter() - start)
            page.close()
    return times


def over_http(curl: httpx.Client, image: Path) -> dict:
    """The response of `/compare` on a kept connection: upload, call, stream of events."""
    with image.open("rb") as file:
        path = curl.post("/upload", files={"files": file}).json()[0]
    data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, "mnist"]
    event = curl.post("/call/compare", json={"data": data}).json()["event_id"]
    return json.loads(curl.get(f"/call/compare/{event}").text.partition("data: ")[2])[0]


def timed(name: str, call: Callable[[Path], dict]) -> None:
    """Print the median milliseconds of a call, of its forward passes, and their ratio."""
    whole, forward = [], []
    for index in range(ROUNDS + 5):
        start = time.perf_counter()
        answer = call(IMAGES[index % 10])
        whole.append((time.perf_counter() - start) * 1000)
        forward.append(sum(model["milliseconds"] for model in answer["models"]))
    whole, forward = whole[5:], forward[5:]
    ratio = statistics.median(a / b for a, b in zip(whole, forward, strict=True))
    middle, passes = statistics.median(whole), statistics.median(forward)
    count = len(answer["models"])
    print(
        f"{name}: {middle:.1f} ms, of which the forward passes of {count} networks {passes:.1f} ms; ratio {ratio:.2f}"
    )


def main() -> None:
    begun = time.perf_counter()
    with started() as (_, url):
        print(f"`python app.py` to its address: {time.perf_counter() - begun:.1f} s, imports included")
        loads = page_loads(url)
        print(f"page load to first prediction: {loads[0]:.2f} s, later {statistics.median(loads[1:]):.2f} s")
        client = Client(url, verbose=False)
        timed("gradio_client", lambda path: client.predict(handle_file(path), "mnist", [], api_name="/compare"))
        with httpx.Client(base_url=f"{url}/gradio_api") as curl:
            timed("/compare on a kept connection", lambda path: over_http(curl, path))
        hub = ModelHub()
        timed("compare() in Python", lambda path: compare(path, "mnist", hub=hub).to_dict())


if __name__ == "__main__":
    main()
