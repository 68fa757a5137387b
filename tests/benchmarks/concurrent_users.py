"""What a visitor costs the host: bytes sent, processor time of an answer, memory. Linux only.

python -m tests.benchmarks.concurrent_users
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradio_client import Client, handle_file
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
CLICKS, CALLS, VISITORS = 40, 40, 12


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident MB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The app as a user starts it, and its address."""
    app = subprocess.Popen(
        [sys.executable, "app.py", *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        url = next(found.group() for line in app.stdout if (found := re.search(r"http://\S+", line)))
        threading.Thread(target=app.stdout.read, daemon=True).start()  # a full pipe would stop it
        yield app, url
    finally:
        app.terminate()
        app.wait()


def visit(browser: Browser, url: str, clicks: int) -> float:
    """Open the page, choose so many test images, each answered before the next, and leave; MB that were received."""
    context = browser.new_context()
    page, received = context.new_page(), [0]
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url)
    page.locator("#samples button").first.wait_for()
    for click in range(clicks):
        with page.expect_response(lambda response: "component_server" in response.url):
            page.locator("#samples button").nth(click % 10).click()
    context.close()
    return sum(received) / 1e6


def main() -> None:
    with started() as (app, url):
        print(f"the process alone: {memory(app.pid):.0f} MB")
        with sync_playwright() as playwright:
            executable = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
            print(f"a first visit: {visit(browser, url, 1):.2f} MB sent")
            visit(browser, url, CLICKS)  # networks are loaded, threads are there
            before, page = memory(app.pid), processor_seconds(app.pid)
            visit(browser, url, 0)
            page = processor_seconds(app.pid) - page
            start = processor_seconds(app.pid)
            visit(browser, url, CLICKS)
            answer = (processor_seconds(app.pid) - start - page) / CLICKS
            print(f"processor time: {page * 1000:.0f} ms for the page, {answer * 1000:.0f} ms for an answer on it")
            for _ in range(VISITORS):
                visit(browser, url, 3)
            print(f"memory with the networks: {before:.0f} MB; {VISITORS} visitors later {memory(app.pid):.0f} MB")
            browser.close()
        client, image = Client(url, verbose=False), handle_file(ROOT / "ui" / "common" / "samples" / "mnist.7.png")
        start = processor_seconds(app.pid)
        for _ in range(CALLS):
            client.predict(image, "mnist", [], api_name="/compare")
        print(f"processor time of a call of /compare: {(processor_seconds(app.pid) - start) / CALLS * 1000:.0f} ms")


if __name__ == "__main__":
    main()
