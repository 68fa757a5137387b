"""The effect of hostile image files on visitors: decoding a drawing, and its latency alone and beside ten such files.

python -m tests.benchmarks.hostile_images
"""

from __future__ import annotations

import base64
import itertools
import statistics
import threading
import time
from contextlib import suppress

import numpy as np
from PIL import Image, ImageDraw

from cnn_models import ModelHub
from cnn_models.images.decode import ImageError, decode
from cnn_models.images.worker import decode_untrusted
from cnn_models.visitors import VISITOR, Visitor
from tests.crafted_images import encode, jpeg_of_scans, slow_png
from ui.common import uploads
from ui.common.sketchpad import PNG, UPLOAD
from ui.compare.look import Looker

VISITORS = 10
DRAWINGS = 15
SECONDS = 30  # after which no drawing is started
WARM_UP = 3  # drawings, and seconds beside the files
FILES = {"100 KB JPEG": lambda: jpeg_of_scans(600, np.zeros((4000, 5000), np.uint8)), "slow PNG": slow_png}


def drawing(number: int) -> bytes:
    """A seven, a different one for every number as predictions are cached, 280 x 280 as the canvas sends it."""
    image = Image.new("RGBA", (280, 280), "white")
    x, y = 40 + number % 20, 30 + number // 20
    ImageDraw.Draw(image).line([(x, y), (x + 150, y), (x + 70, y + 200)], "black", 21, "curve")
    return encode(image, "PNG")


def decoding() -> None:
    """Print the times of `decode` and `decode_untrusted` on a drawing."""
    content, times = drawing(0), {decode: [], decode_untrusted: []}
    for way, found in [*times.items()] * 500:
        start = time.perf_counter()
        way(content)
        found.append(1000 * (time.perf_counter() - start))
    trusted, untrusted = (statistics.median(found) for found in times.values())
    text = f"{trusted:.3f} ms, as untrusted {untrusted:.3f} ms, {untrusted / trusted:.2f} times that"
    print(f"decoding a drawing: {text}")


def latency(looker: Looker, numbers: itertools.count) -> str:
    """The median and longest latency of a drawing, as cells of the table."""
    times, end = [], time.perf_counter() + SECONDS
    for number in itertools.takewhile(lambda _: time.perf_counter() < end, itertools.islice(numbers, DRAWINGS)):
        sent = {"image": PNG + base64.b64encode(drawing(number)).decode()}
        start = time.perf_counter()
        assert looker.look(sent)["answers"]
        times.append(1000 * (time.perf_counter() - start))
    return f"{statistics.median(times):.0f} | {max(times):.0f}"


def beside(looker: Looker, numbers: itertools.count, name: str) -> str:
    """The same while ten visitors send an upload again and again."""
    done = threading.Event()

    def upload(number: int) -> None:
        VISITOR.set(Visitor(f"192.0.2.{number}"))
        while not done.is_set():
            with suppress(ImageError):
                looker.look({"image": f"{UPLOAD}{name}"})

    threads = [threading.Thread(target=upload, args=(number,), daemon=True) for number in range(VISITORS)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_UP)
    cell = latency(looker, numbers)
    done.set()
    for thread in threads:
        thread.join()
    return cell


def main() -> None:
    decoding()
    looker, numbers = Looker(ModelHub()), itertools.count()
    for _ in range(WARM_UP):
        latency(looker, numbers)
    print("| latency of a drawing, ms | median | longest |\n|---|---:|---:|")
    print(f"| alone | {latency(looker, numbers)} |", flush=True)
    for name, make in FILES.items():
        upload = uploads.keep(name, make())
        print(f"| beside {VISITORS} × {name} | {beside(looker, numbers, upload)} |", flush=True)


if __name__ == "__main__":
    main()
