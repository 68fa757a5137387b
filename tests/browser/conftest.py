"""The real app in the machine's own Chromium."""

import os
import shutil

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 30_000  # ms, as for clicks in Playwright: the machine may be busy
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


@pytest.fixture(scope="session")
def browser():
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        sentence = f"no browser: install one of {', '.join(BROWSERS)}"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=PATIENCE)
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield chromium
        chromium.close()


@pytest.fixture(params=[(1440, 900)], ids=["desktop"])
def page(request, browser, url):
    """The loaded page. Fails if it logged an error or sent a request to another server."""
    width, height = request.param
    # Without motion, so that no test waits for an animation.
    tab = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    wrong, external = [], []
    tab.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on(
        "request", lambda r: external.append(r.url) if r.url.startswith("http") and not r.url.startswith(url) else None
    )
    tab.goto(url)
    tab.wait_for_selector("#sketchpad canvas")
    yield tab
    tab.close()
    assert not wrong
    assert not external
