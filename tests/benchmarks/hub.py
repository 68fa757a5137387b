"""Times of listing, pulling and loading checkpoints, relative to bare loading, and the peak memory of the largest.

    python -m tests.benchmarks.hub

The checkpoints are those of `weights/`, the Hub is the server of the tests. `bare` is `safetensors.torch.load_file`, to
float32, and `load_state_dict` into an existing network; `loaded and checked` builds the network too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

ROUNDS = 5
PEAK = """
import json, sys
from cnn_models import create_model
from cnn_models.checkpoints.folder import load_model
from pathlib import Path

def status(name):
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(name))

folder = Path(sys.argv[1])
load_model(Path(sys.argv[2]))  # everything is imported and warm
Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
before = status("VmRSS")
load_model(folder)
print(json.dumps(status("VmHWM") - before))
"""


def milliseconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return (time.perf_counter() - start) * 1000


def bare(model: nn.Module, folder: Path) -> None:
    model.load_state_dict({name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()})


def main(work: Path) -> None:
    from cnn_models import ModelHub, create_model
    from cnn_models.checkpoints.folder import load_model, memory
    from tests.benchmarks.publish_pull import copied
    from tests.fake_hub import FakeHub

    weights = work / "weights"
    ids = copied(weights)
    listing = [milliseconds(ModelHub(weights).cards) for _ in range(ROUNDS)]
    print(
        f"{len(ids)} cards listed from the folder: {listing[0]:.1f} ms the first time, {min(listing[1:]):.1f} ms after"
    )

    with FakeHub() as server:
        for id in ids:
            server.push(f"someone/{id}", weights / id)
        os.environ |= {"HF_ENDPOINT": server.url, "HF_HOME": str(work / "cache"), "HF_HUB_DISABLE_XET": "1"}
        os.environ |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "NO_PROXY": "127.0.0.1,localhost"}
        import huggingface_hub  # noqa: F401 (it reads the environment now, and before the clock runs)

        hub = ModelHub(work / "empty", "someone")
        listing = milliseconds(lambda: [hub.card(id) for id in ids])
        print(f"{len(ids)} cards from the Hub, one after the other, with an empty cache: {listing:.0f} ms\n")
        print("| ms | bare | loaded and checked | / bare | from memory | from the Hub | / bare | cached | / bare |")
        print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
        for id in ids:
            model = create_model(id.partition(".")[0])
            rounds = [
                (milliseconds(lambda: bare(model, weights / id)), milliseconds(lambda: load_model(weights / id)))  # noqa: B023
                for _ in range(ROUNDS + 1)
            ][1:]
            plain, checked = (statistics.median(times) for times in zip(*rounds, strict=True))
            ratio = statistics.median(b / a for a, b in rounds)
            pulled = milliseconds(lambda: ModelHub(work / "empty", "someone").get(id))  # noqa: B023
            other = ModelHub(work / "empty", "someone")
            cached = milliseconds(lambda: other.get(id))  # noqa: B023
            again = milliseconds(lambda: other.get(id))  # noqa: B023
            print(
                f"| {id} | {plain:.1f} | {checked:.1f} | {ratio:.2f} | {again:.3f} "
                f"| {pulled:.0f} | {pulled / plain:.1f} | {cached:.0f} | {cached / plain:.1f} |",
                flush=True,
            )
    command = [sys.executable, "-c", PEAK, str(weights / "alexnet.mnist"), str(weights / "lenet5.mnist")]
    peak = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    size = memory("alexnet")
    print(f"\npeak memory while loading alexnet: {peak / 1e6:.0f} MB, {peak / size:.2f} times its {size / 1e6:.0f} MB")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        main(Path(folder))
