"""The memory of the app by part, with every tab shown and all networks loaded, and its CPU time when idle. Linux only.

    python -m tests.benchmarks.process_memory [seconds of idling, 60 by default]

In MB: the resident memory of the process (RSS), its anonymous part (without pages of files, which other processes
share), and the PSS of its worker processes. Idle is without an open page, beside a process that does nothing but sleep
for 0.1 s, again and again, as a wake-up costs a different time on every machine.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from cnn_models import ARCHITECTURES, DATASETS
from tests.benchmarks.app import chromium, settle, started, unfinished
from tests.benchmarks.concurrent_users import processor_seconds
from tests.benchmarks.drawing_latency import VISITORS, many_visitors
from tests.browser.test_page import SEVEN, SHOWN, choose_layers, draw, open_tab
from tests.conftest import ROOT
from ui.common.texts import say
from ui.compare.request import PARTS
from ui.learn.tab import ORDER

IMPORTS = {"Python": "os", "import torch": "torch", "import gradio": "torch, gradio"}
SLEEPER = "import time\nwhile True: time.sleep(0.1)"


class Memory(NamedTuple):
    """The memory of a process and of its children, in MB."""

    rss: float
    anonymous: float
    children: float = 0.0  # PSS

    @classmethod
    def of(cls, pid: int) -> Memory:
        children = [
            child
            for file in Path(f"/proc/{pid}/task").glob("*/children")
            for child in file.read_text(encoding="utf-8").split()
        ]
        return cls(*sizes(rollup(pid), "Rss", "Anonymous"), sum(sizes(rollup(child), "Pss")[0] for child in children))


def rollup(pid: int | str) -> str:
    return Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")


def sizes(text: str, *names: str) -> list[float]:
    """Values of a file of /proc, in MB."""
    return [int(re.search(rf"^{name}:\s+(\d+)", text, re.MULTILINE)[1]) / 1024 for name in names]


def after_imports() -> Iterator[tuple[str, Memory]]:
    for name, modules in IMPORTS.items():
        command = [sys.executable, "-c", f"import {modules}; print(open('/proc/self/smaps_rollup').read())"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        yield name, Memory(*sizes(found, "Rss", "Anonymous"))


def photograph(folder: Path) -> Path:
    """A photograph of paper of 12 megapixels, which a worker decodes."""
    pixels = np.random.default_rng(0).normal(235, 6, (3000, 4000)).clip(0, 255)
    four = Image.open(ROOT / "ui" / "common" / "samples" / "mnist.4.png").resize((1500, 1500))
    pixels[700:2200, 1200:2700] -= np.asarray(four) * 0.8
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / "four.jpg")
    return folder / "four.jpg"


def uses(page: Page, url: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """The parts of the page and of its use, with the functions that use them."""

    def predict(dataset: str) -> None:
        page.locator(f"#dataset input[value={dataset}]").check()
        page.locator("#samples .samples:not([hidden]) button").first.click()

    def layers() -> None:
        open_tab(page, say("en", "tab.layers"), SHOWN["layers"])
        choose_layers(page, *ARCHITECTURES)

    def training() -> None:
        open_tab(page, say("en", "tab.training"), SHOWN["training"])
        open_tab(page, say("en", "training.tab.errors"), "#errors button[data-pick]")
        for dataset in (*reversed(DATASETS), *DATASETS):
            page.locator("#training-dataset").get_by_text(DATASETS[dataset].title, exact=True).click()
            page.locator("#errors button[data-pick]").first.click()

    def learn(name: str) -> None:
        open_tab(page, say("en", "tab.learn"), SHOWN["learn"])
        page.get_by_role("tab", name=say("en", f"learn.{name}"), exact=True).click()

    yield "page open", lambda: page.goto(url)
    for dataset in DATASETS:
        yield f"five networks, {dataset}", lambda dataset=dataset: predict(dataset)
    yield "drawing", lambda: draw(page, SEVEN)
    photo = photograph(folder)
    yield "photograph", lambda: page.locator("#sketchpad input[type=file]").set_input_files(photo)
    for part in PARTS:
        yield f"Compare, {part}", lambda part=part: page.locator(f"#why [data-part={part}] summary").click()
    yield "Layers", layers
    yield "Training", training
    for name in ORDER:
        yield f"Learn, {name}", lambda name=name: learn(name)


def measured(seconds: float) -> Iterator[tuple[str, Memory]]:
    """The memory after each part; prints the peak and the CPU time when idle."""
    yield from after_imports()
    with started() as (app, url), tempfile.TemporaryDirectory() as folder:
        yield "app started", Memory.of(app.pid)
        with chromium() as browser:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            requests = unfinished(page)
            for name, use in uses(page, url, Path(folder)):
                use()
                settle(page, requests)
                yield name, Memory.of(app.pid)
        many_visitors(url)
        yield f"{VISITORS} visitors", Memory.of(app.pid)
        time.sleep(5)
        with subprocess.Popen([sys.executable, "-c", SLEEPER]) as sleeper:
            before = [processor_seconds(process.pid) for process in (app, sleeper)]
            time.sleep(seconds)
            after = [processor_seconds(process.pid) for process in (app, sleeper)]
            sleeper.kill()
        yield f"{seconds:g} s idle", Memory.of(app.pid)
        (peak,) = sizes(Path(f"/proc/{app.pid}/status").read_text(encoding="utf-8"), "VmHWM")
        shares = [100 * (end - start) / seconds for start, end in zip(before, after, strict=True)]
        print(
            "peak: {:,.0f} MB; idle: {:.2f} % of a core, and {:.2f} % for the process that sleeps".format(peak, *shares)
        )


def main() -> None:
    print("| after | RSS | | anonymous | | workers |\n|---|---:|---:|---:|---:|---:|")
    last = Memory(0, 0)
    for name, now in measured(float(sys.argv[1]) if len(sys.argv) > 1 else 60):
        changes = (f"{value:,.0f} | {value - before:+.0f}" for value, before in zip(now[:2], last[:2], strict=True))
        print(f"| {name} | {' | '.join(changes)} | {now.children:.0f} |", flush=True)
        last = now


if __name__ == "__main__":
    main()
