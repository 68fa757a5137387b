"""Screenshots of every tab and each section of it in the running app, in four sizes, light and dark, in both languages.

python app.py --port 7860 &
python -m tests.browser.screenshots http://127.0.0.1:7860 FOLDER
python -m tests.browser.screenshots http://127.0.0.1:7860 FOLDER --tabs learn --sizes 360x640 --themes dark
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.conftest import BROWSERS, OPTIONS
from tests.browser.test_page import PAINTED, SEVEN, SHOWN, draw
from ui.common.texts import LANGUAGES

SIZES = ("360x640", "390x844", "768x1024", "1440x900")
THEMES = ("light", "dark")
LOADED = "() => ![...document.querySelectorAll('[aria-busy=true], progress')].some((each) => each.offsetHeight)"
UNFOLD = "all => all.filter((each) => each.offsetHeight).forEach((each) => each.click())"


def parser(description: str, sizes: Sequence[str] = SIZES) -> argparse.ArgumentParser:
    """The options that choose some of the tabs, sizes, themes and languages."""
    found = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    found.add_argument("url")
    found.add_argument("--tabs", nargs="+", choices=SHOWN, default=list(SHOWN))
    found.add_argument("--sizes", nargs="+", default=sizes, metavar="WIDTHxHEIGHT")
    found.add_argument("--themes", nargs="+", choices=THEMES, default=THEMES)
    found.add_argument("--languages", nargs="+", choices=LANGUAGES, default=list(LANGUAGES))
    return found


def pages(args: argparse.Namespace) -> Iterator[tuple[str, Page]]:
    """The app with a drawing, newly opened in each size, theme and language, with a name of these."""
    with sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        for size in args.sizes:
            width, height = map(int, size.split("x"))
            for theme in args.themes:
                for language in args.languages:
                    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
                    page.goto(f"{args.url}?__theme={theme}#l={language}")
                    page.wait_for_selector("#sketchpad canvas")
                    fill(page)
                    yield f"{width}-{theme}-{language}", page
                    page.close()
        browser.close()


def places(page: Page, tabs: Sequence[str]) -> Iterator[str]:
    """Opens these tabs, and each tab in them; yields the name of the place once it is painted."""
    for tab in tabs:
        page.locator(f"#{tab}-button").locator("visible=true").click()
        page.locator(SHOWN[tab]).locator("visible=true").first.wait_for()
        unfold(page, tab)
        sections = page.locator(f"#{tab} [role=tab]").locator("visible=true")
        for index, button in enumerate(sections.all() or [None]):
            if button:
                button.click()
            page.wait_for_function(LOADED)
            page.evaluate(PAINTED)
            yield (button.get_attribute("id") or f"{tab}-{index + 1}").removesuffix("-button") if button else tab


def fill(page: Page) -> None:
    """Draws and labels a digit."""
    draw(page, SEVEN)
    page.wait_for_selector("#lineup .board-winner")
    page.keyboard.press("7")


def unfold(page: Page, tab: str) -> None:
    """Opens all folds of a tab, such as the explanations of the drawing."""
    page.locator(f"#{tab} details:not([open]) > summary").evaluate_all(UNFOLD)
    for explanation in page.locator(f"#{tab} details[data-part]").all():
        explanation.locator("p").first.wait_for()


def main(argv: list[str] | None = None) -> None:
    options = parser(str(__doc__))
    options.add_argument("folder", type=Path)
    args = options.parse_args(argv)
    args.folder.mkdir(parents=True, exist_ok=True)
    for name, page in pages(args):
        for place in places(page, args.tabs):
            page.screenshot(path=args.folder / f"{place}-{name}.png", full_page=True)


if __name__ == "__main__":
    main()
