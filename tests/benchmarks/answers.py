"""How long answers take: from page load to the first one, and `/compare` over the sum of its forward passes.

python -m tests.benchmarks.answers
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from gradio_client import Client, handle_file
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "ui" / "samples").glob("mnist.*.png"))
ROUNDS = 30


def page_loads(url: str, rounds: int = 5) -> list[float]:
    """Seconds from asking for the page to an answer on it, the click on a test picture included."""
    times = []
    with sync_playwright() as playwright:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            page = browser.new_page()
            start = time.perf_counter()
            page.goto(url, wait_until="commit")
            page.locator("#samples button").nth(7).click()
            page.wait_for_selector("#lineup .board-winner")
            times.append(time.perf_counter() - start)
            page.close()
        browser.close()
    return times


def compare_calls(url: str) -> tuple[list[float], list[float]]:
    """Milliseconds of `/compare` over HTTP, upload and queue included, and of the forward passes within each call."""
    client = Client(url, verbose=False)
    whole, forward = [], []
    for index in range(ROUNDS + 5):
        start = time.perf_counter()
        answer = client.predict(handle_file(PICTURES[index % 10]), "mnist", [], api_name="/compare")
        whole.append((time.perf_counter() - start) * 1000)
        forward.append(sum(model["milliseconds"] for model in answer["models"]))
    return whole[5:], forward[5:]


def main() -> None:
    command = [sys.executable, "app.py"]
    started = time.perf_counter()
    app = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        url = next(found.group() for line in app.stdout if (found := re.search(r"http://\S+", line)))
        print(f"`python app.py` to its address: {time.perf_counter() - started:.1f} s, imports included")
        loads = page_loads(url)
        print(f"page load to first answer: {loads[0]:.2f} s the first time, {statistics.median(loads[1:]):.2f} s after")
        whole, forward = compare_calls(url)
        ratio = statistics.median(a / b for a, b in zip(whole, forward, strict=True))
        http, passes = statistics.median(whole), statistics.median(forward)
        print(f"/compare over HTTP: {http:.1f} ms, its forward passes {passes:.1f} ms, ratio {ratio:.1f}")
    finally:
        app.terminate()
        app.wait()


if __name__ == "__main__":
    main()
