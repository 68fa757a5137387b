"""Screenshots of the running app, wide and narrow, light and dark; `compare-wide-light.png` is `ui/compare.png`.

python app.py --port 7860 &
python -m tests.browser.screenshots http://127.0.0.1:7860 FOLDER
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import BROWSERS, OPTIONS
from tests.browser.test_page import PAINTED, SEVEN, draw, open_tabs

SIZES = {"wide": (1440, 900), "narrow": (390, 844)}


def shoot(page: Page, folder: Path, name: str) -> None:
    draw(page, SEVEN)
    page.wait_for_selector("#lineup .board-winner")
    page.locator("[data-part=heat] summary").click()
    page.wait_for_selector("[data-part=heat] img")
    page.evaluate(PAINTED)
    page.screenshot(path=folder / f"compare-{name}.png", full_page=True)
    for tab in open_tabs(page, "layers", "training", "learn"):
        page.screenshot(path=folder / f"{tab}-{name}.png", full_page=True)


def pages(url: str) -> Iterator[tuple[str, Page]]:
    """The app, newly opened, in each size and theme, with a name of these."""
    with sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        for size, (width, height) in SIZES.items():
            for theme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height})
                page.goto(f"{url}?__theme={theme}")
                page.wait_for_selector("#sketchpad canvas")
                yield f"{size}-{theme}", page
                page.close()
        browser.close()


def main(url: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages(url):
        shoot(page, folder, name)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
