"""CPU time and memory of a worker for the largest images that phones write, of synthetic photographs.

python -m tests.benchmarks.large_images
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
from PIL import Image

from cnn_models.images.decode import ImageError
from cnn_models.images.worker import Workers
from tests.crafted_images import encode

SIZES = {12: (4032, 3024), 48: (8064, 6048), 108: (12_000, 9_000), 200: (16_320, 12_240)}
MOST_OF_OTHERS = 48  # megapixels of formats other than JPEG
JPEG = {"quality": 92}
KINDS = (
    ("JPEG", "baseline", JPEG),
    ("JPEG", "progressive", JPEG | {"progressive": True}),
    ("JPEG", "progressive, 4:4:4", JPEG | {"progressive": True, "subsampling": 0}),
    ("PNG", "", {"compress_level": 1}),
    ("WEBP", "", {"quality": 80, "method": 0}),
    ("AVIF", "", {"quality": 80, "speed": 10}),
)


def photograph(width: int, height: int) -> Image.Image:
    """Soft coloured shapes with the noise of a sensor."""
    random = np.random.default_rng(0)
    shapes = Image.fromarray(random.integers(0, 256, (height // 200, width // 200, 3), np.uint8))
    pixels = np.array(shapes.resize((width, height), Image.Resampling.BICUBIC))
    noise = random.normal(0, 5, (1024, 1024, 3)).astype(np.int16)
    for top in range(0, height, 1024):
        for left in range(0, width, 1024):
            part = pixels[top : top + 1024, left : left + 1024]
            part[:] = np.clip(part + noise[: part.shape[0], : part.shape[1]], 0, 255)
    return Image.fromarray(pixels)


def cost(content: bytes) -> tuple[float, int]:
    """Seconds of CPU time and MB of a new worker for a file, less those that it has taken before."""
    pool = Workers(1)
    pool.read(encode(np.zeros((8, 8), np.uint8), "BMP"))
    worker = pool._free[-1]
    assert worker
    before = _used(worker._process.pid)
    pool.read(content)
    after = _used(worker._process.pid)
    pool.end()
    return after[0] - before[0], round(after[1] - before[1])


def _used(process: int) -> tuple[float, float]:
    """The seconds of CPU time and the greatest number of MB of a process."""
    folder = Path("/proc", str(process))
    ticks = sum(map(int, (folder / "stat").read_text().rpartition(")")[2].split()[11:13]))
    peak = int(re.search(r"VmHWM:\s*(\d+)", (folder / "status").read_text())[1])
    return ticks / os.sysconf("SC_CLK_TCK"), peak / 1000


def main() -> None:
    print("| megapixels | format | MB | CPU time, s | memory, MB |\n|---:|---|---:|---:|---:|")
    for megapixels, size in SIZES.items():
        image = photograph(*size)
        for format, kind, options in KINDS:
            if megapixels <= MOST_OF_OTHERS or format == "JPEG":
                content = encode(image, format, **options)
                try:
                    cells = "{:.2f} | {}".format(*cost(content))
                except ImageError as error:
                    cells = f"{error.code} |"
                print(f"| {megapixels} | {format} {kind} | {len(content) / 1e6:.0f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
