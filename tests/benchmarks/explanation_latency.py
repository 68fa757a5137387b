"""The time from a click to each explanation of a drawing by five networks, and to the map, in Chromium on the real app.

python -m tests.benchmarks.explanation_latency

The peer is the prediction of the same networks for the drawing, another test image in each round.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

from playwright.sync_api import Page, Request

from cnn_models import ARCHITECTURES
from cnn_models.datasets.test_sets import load_test_set
from tests.benchmarks.app import chromium, settle, started, unfinished
from tests.traced import code, trace

ROUNDS = 5
ATTACK = "[data-part=attack]"
MAP = "location.hash = 't=training.map'"
PUT = "(code) => (location.hash = `#d=mnist&p=${code}`)"


def timed(page: Page, requests: set[Request], act: Callable[[], object]) -> float:
    """Milliseconds from an act to the end of the requests it causes."""
    start = time.perf_counter()
    act()
    return 1000 * (settle(page, requests) - start)


def click(page: Page, selector: str) -> Callable[[], object]:
    """A click of the script's, as Playwright's waits until the element stands still."""
    return lambda: page.locator(selector).first.evaluate("each => each.click()")


def measure(page: Page, requests: set[Request], number: int) -> dict[str, float]:
    """Milliseconds of each click in a round; a fold is closed again once it shows its figure."""
    drawing = code(trace(load_test_set("mnist")[0][number]))
    times = {"prediction": timed(page, requests, lambda: page.evaluate(PUT, drawing))}
    for part in page.locator("details[data-part]").evaluate_all("all => all.map((each) => each.dataset.part)"):
        fold = f"[data-part={part}] > summary"
        times[part] = timed(page, requests, click(page, fold))
        if part == "attack":
            for name, spec in ARCHITECTURES.items():
                chosen = page.locator(f"{ATTACK} [name=attacked]")
                times[f"attack on {spec.title}"] = timed(page, requests, lambda: chosen.select_option(name))  # noqa: B023
        click(page, fold)()
    times["map"] = timed(page, requests, lambda: page.evaluate(MAP))
    return times


def main() -> None:
    with started(*sys.argv[1:]) as (_, url), chromium() as browser:
        rounds = []
        for number in range(ROUNDS + 1):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            requests = unfinished(page)
            page.goto(url)
            page.wait_for_selector("#lineup .board-winner")
            rounds.append(measure(page, requests, number))
            page.close()
    first, *later = rounds
    print("| click | first | later, median | times the prediction |\n|---|---:|---:|---:|")
    for name in first:
        middle = median(each[name] for each in later)
        ratio = median(each[name] / each["prediction"] for each in later)
        print(f"| {name} | {first[name]:,.0f} ms | {middle:,.0f} ms | {ratio:.1f} |")


if __name__ == "__main__":
    main()
