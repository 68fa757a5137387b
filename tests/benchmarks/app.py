"""The app in a process of its own, and Chromium, for benchmarks that use the app as visitors do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, Request, sync_playwright

from tests.browser.conftest import BROWSERS, OPTIONS
from tests.conftest import ROOT


@contextmanager
def started(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The process of `python app.py` and its address without a slash at the end."""
    command = [sys.executable, "app.py", *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    app = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, **pipes)
    try:
        url = next(found.group() for line in app.stdout if (found := re.search(r"http://\S+", line)))
        threading.Thread(target=app.stdout.read, daemon=True).start()  # the app would block on a full pipe
        yield app, url.rstrip("/")
    finally:
        app.terminate()
        app.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        executable = next(filter(None, map(shutil.which, BROWSERS)))
        browser = playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        yield browser
        browser.close()


def unfinished(page: Page) -> set[Request]:
    """The requests of the page that are under way, kept up to date; the heartbeat, which never ends, aside."""
    requests: set[Request] = set()
    page.on("request", lambda request: "/heartbeat" in request.url or requests.add(request))
    page.on("requestfinished", lambda request: requests.discard(request))  # Playwright sets attributes of handlers
    page.on("requestfailed", lambda request: requests.discard(request))
    return requests


def settle(page: Page, requests: set[Request]) -> float:
    """Wait until no request has been under way for 0.3 s; returns when the last one ended, by `time.perf_counter()`."""
    quiet = time.perf_counter()
    while time.perf_counter() < quiet + 0.3:
        page.wait_for_timeout(10)
        if requests:
            quiet = time.perf_counter()
    return quiet
