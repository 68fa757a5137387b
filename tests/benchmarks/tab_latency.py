"""How long it takes to open each tab, the first time and later, in Chromium on the real app.

    python -m tests.benchmarks.tab_latency

From the click until the tab is painted, and until the server has answered what the tab asked for.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from statistics import median

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import BROWSERS, OPTIONS
from tests.browser.test_page import SEVEN, SHOWN, draw, open_tab
from ui.common.texts import say
from ui.learn.tab import ORDER

ROUNDS = 5


def opened(page: Page, title: str, selector: str, waiting: set) -> tuple[float, float]:
    """Milliseconds until the tab is painted, and until nothing that it asked for is outstanding."""
    start = time.perf_counter()
    open_tab(page, title, selector)
    painted = time.perf_counter()
    quiet = time.perf_counter()
    while time.perf_counter() < quiet + 0.3:
        page.wait_for_timeout(10)
        if waiting:
            quiet = time.perf_counter()
    return 1000 * (painted - start), 1000 * (max(painted, quiet) - start)


def main() -> None:
    app = subprocess.Popen(
        [sys.executable, "app.py", *sys.argv[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        url = next(found.group() for line in app.stdout if (found := re.search(r"http://\S+", line)))
        with sync_playwright() as playwright:
            executable = next(filter(None, map(shutil.which, BROWSERS)))
            page = playwright.chromium.launch(executable_path=executable, args=OPTIONS).new_page(
                viewport={"width": 1440, "height": 900}
            )
            waiting: set = set()
            page.on("request", lambda request: "/heartbeat" in request.url or waiting.add(request))
            page.on("requestfinished", lambda request: waiting.discard(request))
            page.on("requestfailed", lambda request: waiting.discard(request))
            page.goto(url)
            draw(page, SEVEN)
            page.wait_for_selector("#lineup .board-winner")
            tabs = [(say("en", f"tab.{name}"), selector) for name, selector in SHOWN.items()]
            tabs += [(say("en", f"learn.{name}"), ".lesson-why") for name in ORDER]
            times: dict[str, list[tuple[float, float]]] = {title: [] for title, _ in tabs}
            for _ in range(ROUNDS + 1):
                for title, selector in tabs:
                    times[title].append(opened(page, title, selector, waiting))
    finally:
        app.terminate()
        app.wait()
    print("| tab | first: painted | answered | later: painted | answered |\n|---|---:|---:|---:|---:|")
    for title, (first, *later) in times.items():
        figures = [*first, *(median(values) for values in zip(*later, strict=True))]
        print(f"| {title} | " + " | ".join(f"{value:,.0f} ms" for value in figures) + " |")


if __name__ == "__main__":
    main()
