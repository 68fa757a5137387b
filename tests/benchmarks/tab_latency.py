"""The time to open each tab, first and later, in Chromium on the real app.

    python -m tests.benchmarks.tab_latency

From the click until the tab is painted, and until the requests of the tab are finished.
"""

from __future__ import annotations

import sys
import time
from statistics import median

from playwright.sync_api import Page, Request

from tests.benchmarks.app import chromium, settle, started, unfinished
from tests.browser.test_page import SEVEN, SHOWN, draw, open_tab
from ui.common.texts import say
from ui.learn.tab import ORDER

ROUNDS = 5


def opened(page: Page, title: str, selector: str, requests: set[Request]) -> tuple[float, float]:
    """Milliseconds until the tab is painted, and until its requests are finished."""
    start = time.perf_counter()
    open_tab(page, title, selector)
    painted = time.perf_counter()
    return 1000 * (painted - start), 1000 * (settle(page, requests) - start)


def main() -> None:
    with started(*sys.argv[1:]) as (_, url), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        requests = unfinished(page)
        page.goto(url)
        draw(page, SEVEN)
        page.wait_for_selector("#lineup .board-winner")
        tabs = [(say("en", f"tab.{name}"), selector) for name, selector in SHOWN.items()]
        tabs += [(say("en", f"learn.{name}"), ".lesson-why") for name in ORDER]
        times: dict[str, list[tuple[float, float]]] = {title: [] for title, _ in tabs}
        for _ in range(ROUNDS + 1):
            for title, selector in tabs:
                times[title].append(opened(page, title, selector, requests))
    print("| tab | first: painted | finished | later: painted | finished |\n|---|---:|---:|---:|---:|")
    for title, (first, *later) in times.items():
        figures = [*first, *(median(values) for values in zip(*later, strict=True))]
        print(f"| {title} | " + " | ".join(f"{value:,.0f} ms" for value in figures) + " |")


if __name__ == "__main__":
    main()
