"""How long the commands take to begin: `--help` of each, and the app against the imports that it cannot do without.

python -m tests.benchmarks.start [REPEATS]
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from statistics import median

from tests.benchmarks.app import started
from tests.conftest import ROOT

COMMANDS = ("app.py", *(f"-m training.{path.stem}" for path in sorted((ROOT / "training").glob("*.py"))
            if '__name__ == "__main__"' in path.read_text(encoding="utf-8")), "-m cnn_models.layers")  # fmt: skip


def run(*arguments: str) -> float:
    """The seconds that Python takes with these arguments."""
    begun = time.monotonic()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def serve() -> float:
    """The seconds until the page is served."""
    begun = time.monotonic()
    with started() as (_, url):
        urllib.request.urlopen(url).read()
        return time.monotonic() - begun


def main(repeats: int) -> None:
    print("| command | median, s |\n|---|---:|")
    for command in COMMANDS:
        times = [run(*command.split(), "--help") for _ in range(repeats)]
        print(f"| `python {command} --help` | {median(times):.2f} |")
    times = [(run("-c", "import torch, gradio"), serve()) for _ in range(repeats)]
    imports, served = map(median, zip(*times, strict=True))
    print(f"| `import torch, gradio` | {imports:.2f} |")
    print(f"| `python app.py`, until the page is served | {served:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
