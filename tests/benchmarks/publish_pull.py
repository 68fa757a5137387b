"""All checkpoints published, deleted locally, and pulled by an app on another machine.

    python -m tests.benchmarks.publish_pull [folder for screenshots]

The Hub is the server of the tests. The app starts with an empty cache and an empty `weights/`, compares a drawing with
all five networks, and once more after a restart with the server gone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page

from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.folders import default_weights_dir
from tests.benchmarks.app import chromium, started
from tests.conftest import ROOT
from tests.fake_hub import FakeHub


def copied(folder: Path) -> list[str]:
    """Copy the checkpoints of `weights/` into a folder; returns their ids."""
    ids = [id for id in BUILT_IN if (default_weights_dir() / id).is_dir()]
    for id in ids:
        shutil.copytree(default_weights_dir() / id, folder / id)
    return ids


def draw_seven(page: Page) -> None:
    box = page.locator("#sketchpad canvas").bounding_box()
    x, y = box["x"], box["y"]
    page.mouse.move(x + 80, y + 70)
    page.mouse.down()
    for point in ((200, 70), (140, 220)):
        page.mouse.move(x + point[0], y + point[1], steps=15)
    page.mouse.up()


def visit(environment: dict[str, str], image: Path | None) -> None:
    """Start the app without weights, draw, and print the verdict and the time to the predictions of all networks."""
    options = ("--weights", environment["EMPTY"], "--namespace", "someone")
    with started(*options, **environment) as (_, url), chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        start = time.perf_counter()
        draw_seven(page)
        # The five networks and the verdict.
        page.wait_for_function("document.querySelectorAll('#lineup .board-winner').length == 6", timeout=180_000)
        took = time.perf_counter() - start
        page.wait_for_timeout(3000)  # predictions arrive during the drawing; this is after the last
        print(f"  {page.locator('.verdict').inner_text()!r}, all five {took:.1f} s after the first touch")
        if image:
            page.screenshot(path=image)


def main(work: Path, images: Path | None) -> None:
    (work / "empty").mkdir()
    print(f"trained and copied: {', '.join(copied(work / 'weights'))}", flush=True)
    with FakeHub() as server:
        environment = os.environ | {"HF_ENDPOINT": server.url, "HF_HUB_DISABLE_XET": "1", "EMPTY": str(work / "empty")}
        publish = [sys.executable, "-m", "training.publish", "--all", "--namespace", "someone"]
        start = time.perf_counter()
        subprocess.run(
            [*publish, "--weights", str(work / "weights")],
            cwd=ROOT,
            env=environment | {"HF_HOME": str(work / "pusher"), "HF_TOKEN": "hf_owner"},
            check=True,
        )
        print(f"published in {time.perf_counter() - start:.0f} s, measuring included", flush=True)
        shutil.rmtree(work / "weights")
        environment["HF_HOME"] = str(work / "puller")
        print("the app with an empty cache:", flush=True)
        visit(environment, images and images / "publish-pull-online.png")
        print("the app with the server stopped:", flush=True)
        server.stop()
        visit(environment, images and images / "publish-pull-stopped.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder), Path(sys.argv[1]) if len(sys.argv) > 1 else None)
