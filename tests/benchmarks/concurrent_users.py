"""The load of a visitor: bytes sent, processor time of a prediction, memory. Linux only.

python -m tests.benchmarks.concurrent_users
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from gradio_client import Client, handle_file
from playwright.sync_api import Browser

from tests.benchmarks.app import chromium, started
from tests.conftest import ROOT

CLICKS, CALLS, VISITORS = 40, 40, 12


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident MB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))[1]) / 1024


def visit(browser: Browser, url: str, clicks: int) -> float:
    """Open the page, click on so many test images one after the other, and leave; returns the MB received."""
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
        with chromium() as browser:
            print(f"a first visit: {visit(browser, url, 1):.2f} MB sent")
            visit(browser, url, CLICKS)  # loads the networks and starts the threads
            before, page = memory(app.pid), processor_seconds(app.pid)
            visit(browser, url, 0)
            page = processor_seconds(app.pid) - page
            start = processor_seconds(app.pid)
            visit(browser, url, CLICKS)
            answer = (processor_seconds(app.pid) - start - page) / CLICKS
            print(f"processor time: {page * 1000:.0f} ms for the page, {answer * 1000:.0f} ms for a prediction on it")
            for _ in range(VISITORS):
                visit(browser, url, 3)
            print(f"memory with the networks: {before:.0f} MB; {VISITORS} visitors later {memory(app.pid):.0f} MB")
        client, image = Client(url, verbose=False), handle_file(ROOT / "ui" / "common" / "samples" / "mnist.7.png")
        start = processor_seconds(app.pid)
        for _ in range(CALLS):
            client.predict(image, "mnist", [], api_name="/compare")
        print(f"processor time of a call of /compare: {(processor_seconds(app.pid) - start) / CALLS * 1000:.0f} ms")


if __name__ == "__main__":
    main()
