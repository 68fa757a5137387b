"""Violations that axe-core finds on each tab of the running app, light and dark, wide and narrow; exits with 1 if any.

python app.py --port 7860 &
python -m tests.browser.accessibility http://127.0.0.1:7860
"""

from __future__ import annotations

import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.screenshots import pages
from tests.browser.test_page import SEVEN, draw, open_tabs

BAD = ("serious", "critical")
PARTS = ("heat", "break", "looks", "alike")


def violations(page: Page) -> list[str]:
    """The serious and critical violations on the open tab, each with its first places."""
    found = Axe().run(page).response["violations"]
    return [
        f"{each['impact']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'][:3])}"
        for each in found
        if each["impact"] in BAD
    ]


def fill(page: Page) -> None:
    """Draw and label a digit on the Compare tab, and open all explanations."""
    draw(page, SEVEN)
    page.wait_for_selector("#lineup .board-winner")
    page.keyboard.press("7")
    for part in PARTS:
        page.locator(f"[data-part={part}] summary").click()
        page.wait_for_selector(f"[data-part={part}] p")


def main(url: str) -> int:
    found = 0
    for name, page in pages(url):
        fill(page)
        for tab in open_tabs(page):
            for sentence in violations(page):
                found += 1
                print(f"{tab}, {name}: {sentence}")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
