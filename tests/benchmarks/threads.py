"""The time of a forward pass of one image by number of threads and waiting policy, alone and beside a busy process.

python -m tests.benchmarks.threads
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import time

from cnn_models import ARCHITECTURES

CORES = os.cpu_count() or 1
POLICIES = {
    "1 thread": {"OMP_NUM_THREADS": "1"},
    f"{CORES} threads": {"OMP_NUM_THREADS": str(CORES)},  # with the waiting policy of `cnn_models`
    f"{CORES} threads that sleep at once": {"OMP_NUM_THREADS": str(CORES), "GOMP_SPINCOUNT": "0"},
    f"{CORES} threads that spin": {"OMP_NUM_THREADS": str(CORES), "GOMP_SPINCOUNT": "300000"},  # libgomp's own
}
SECONDS = 2  # for each network: longer than a time slice of the busy process
NEIGHBOUR = "import torch; x = torch.randn(1000, 1000)\nwhile True: x @ x"


def passes() -> dict[str, float]:
    """Median milliseconds of each network, in this process."""
    import torch

    from cnn_models import create_model
    from cnn_models.runtime import place

    found = {}
    for name, spec in ARCHITECTURES.items():
        model, times = place(create_model(name).eval(), torch.device("cpu")), []
        x = torch.rand(1, 1, spec.input_size, spec.input_size)
        with torch.inference_mode():
            while len(times) < 10 or sum(times) < 1000 * SECONDS:
                start = time.perf_counter()
                model(x)
                times.append(1000 * (time.perf_counter() - start))
        found[name] = statistics.median(times[5:])
    return found


def main() -> None:
    print("| ms | " + " | ".join(ARCHITECTURES) + " |\n|---|" + "---:|" * len(ARCHITECTURES))
    for (policy, settings), busy in itertools.product(POLICIES.items(), (False, True)):
        environment = os.environ | settings
        neighbour = subprocess.Popen([sys.executable, "-c", NEIGHBOUR], env=environment) if busy else None
        try:
            command = [sys.executable, "-m", "tests.benchmarks.threads", "--here"]
            found = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
        finally:
            if neighbour:
                neighbour.kill()
                neighbour.wait()
        cells = " | ".join(f"{found[name]:.2f}" for name in ARCHITECTURES)
        print(f"| {policy}, {'beside a busy process' if busy else 'alone'} | {cells} |", flush=True)


if __name__ == "__main__":
    print(json.dumps(passes())) if "--here" in sys.argv else main()
