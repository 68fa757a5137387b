"""All checkpoints on a GPU: agreement with the CPU, speed and memory, as one table for `tests/README.md`.

    python -m tests.benchmarks.device [--device cuda]

The largest difference is that of any probability to the CPU's, of 500 test images; on GPUs with TF32, convolutions use
it, as is torch's default. In the last three rows, it is that to the network of a plain training on the same device.
Memory is the most that answering 500 images at once and training took. `--device cpu` is a rehearsal.
"""

from __future__ import annotations

import argparse

from cnn_models import command


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.device", description=str(__doc__).splitlines()[0])
    parser.add_argument("--device", help="cuda, mps, cpu, ...; by default the best available")
    args = parser.parse_args()
    with command.ending_at_once():
        from cnn_models.runtime import best_device
        from tests.benchmarks.device_figures import table

    try:
        print(table(best_device(args.device)))
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    command.run(main)
