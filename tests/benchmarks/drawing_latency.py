"""Latency of a drawing: end of a stroke to predictions, updates while drawing, and many visitors at once.

python -m tests.benchmarks.drawing_latency
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import threading
import time
import urllib.request

from playwright.sync_api import Page

from tests.benchmarks.app import chromium, started
from tests.conftest import ROOT

STROKES = 15
VISITORS = 20
SECONDS = 8
WARM_UP = 3  # seconds before that, to start threads and allocate memory
# Records when predictions arrive, and the time from the end of a stroke to those of all networks.
WATCH = """() => {
  window.live = { waits: [], answers: [], up: 0 };
  document.querySelector("#sketchpad canvas").addEventListener("pointerup", () => (live.up = performance.now()), true);
  document.addEventListener("answered", ({ detail }) => {
    if (detail.request.quick) live.answers.push(performance.now());
    if (detail.request.drawing || !live.up || (detail.request.quick && !detail.complete)) return;
    const { up } = live;
    live.up = 0;
    requestAnimationFrame(() => setTimeout(() => live.waits.push(performance.now() - up)));  // it is painted then
  }, true);
}"""


def stroke(page: Page, index: int, seconds: float = 0.0) -> None:
    """Draw a seven, a different one for every index as predictions are cached, within so many seconds."""
    box = page.locator("#sketchpad canvas").bounding_box()
    tilt = 0.01 * index
    corners = [(0.3, 0.25 + tilt), (0.7, 0.25), (0.45 + tilt, 0.8)]
    places = [
        (a[0] + (b[0] - a[0]) * step / 20, a[1] + (b[1] - a[1]) * step / 20)
        for a, b in itertools.pairwise(corners)
        for step in range(21)
    ]
    start = time.perf_counter()
    for number, (x, y) in enumerate(places):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if not number:
            page.mouse.down()
        time.sleep(max(0, start + seconds * number / len(places) - time.perf_counter()))
    page.mouse.up()


def one_visitor(url: str) -> None:
    """Print the latencies of a single visitor in Chromium."""
    with chromium() as browser:
        page = browser.new_page()
        payloads: list[int] = []
        page.on("request", lambda r: payloads.append(len(r.post_data or "")) if "component_server" in r.url else None)
        page.goto(url)
        page.wait_for_selector("#sketchpad canvas")
        stroke(page, STROKES)
        page.wait_for_selector("#lineup .board-winner")
        page.wait_for_timeout(3000)
        page.evaluate(WATCH)
        for index in range(STROKES):
            page.get_by_role("button", name="Clear", exact=True).click()
            page.wait_for_timeout(400)
            stroke(page, index)
            page.wait_for_function("live.up === 0")
        page.wait_for_timeout(100)
        waits = page.evaluate("live.waits")
        print(f"end of a stroke to all predictions: {_figures(waits)} over {len(waits)} strokes")
        payloads.clear()
        page.get_by_role("button", name="Clear", exact=True).click()
        page.wait_for_timeout(400)
        page.evaluate("live.answers = []")
        stroke(page, STROKES + 1, seconds=4)
        answers = page.evaluate("live.answers")
        gaps = [after - before for before, after in itertools.pairwise(answers)]
        rate, apart = len(answers) / 4, statistics.median(gaps)
        print(f"quick predictions while drawing for 4 s: {rate:.1f} a second, {apart:.0f} ms apart")
        print(f"payload of an update: median {statistics.median(payloads):.0f}, most {max(payloads)} bytes")


def many_visitors(url: str) -> None:
    """Print the latencies of many visitors who draw at once, with the requests of the page."""
    config = json.load(urllib.request.urlopen(f"{url}/config"))
    component = next(c["id"] for c in config["components"] if c["props"].get("elem_id") == "compare-page")
    images = drawings()
    times: dict[bool, list[float]] = {True: [], False: []}
    begin = time.perf_counter() + WARM_UP

    def visit(number: int, quick: bool) -> None:
        index = number * len(images) // VISITORS
        while time.perf_counter() < begin + SECONDS:
            index += 1
            data = {"image": images[index % len(images)], "quick": quick, "drawing": True}
            body = {"data": data, "fn_name": "predict", "component_id": component, "session_hash": f"visitor{number}"}
            request = urllib.request.Request(
                f"{url}/gradio_api/component_server", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            start = time.perf_counter()
            urllib.request.urlopen(request).read()
            if start > begin:
                times[quick].append(time.perf_counter() - start)
            time.sleep(max(0, start + 0.07 - time.perf_counter()))

    threads = [threading.Thread(target=visit, args=(n, quick)) for n in range(VISITORS) for quick in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for quick, name in ((True, "the small networks"), (False, "all networks")):
        print(f"{VISITORS} visitors at once, {name}: {_figures([1000 * t for t in times[quick]])}")


def drawings() -> list[str]:
    """Different drawings, as predictions are cached: the samples, each in 80 rotations."""
    from PIL import Image

    from ui.compare.steps import data_url

    images = []
    for path in sorted((ROOT / "ui" / "common" / "samples").glob("mnist.*.png")):
        sample = Image.open(path).convert("L")
        rotated = (sample.rotate(angle).resize((112, 112)) for angle in range(-40, 40))
        images += [data_url(Image.eval(each, lambda value: 255 - value)) for each in rotated]
    return images


def _figures(milliseconds: list[float]) -> str:
    ordered = sorted(milliseconds)
    worst = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    return f"median {statistics.median(ordered):.0f} ms, 95th percentile {worst:.0f} ms"


def main() -> None:
    with started() as (_, url):
        one_visitor(url)
        many_visitors(url)


if __name__ == "__main__":
    main()
