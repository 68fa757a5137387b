"""Measure how small a change of a test image changes predictions, and whether it fools the other networks too.

python -m training.adversarial [ID] [--images N] [--weights FOLDER]

Minimal adversarial perturbations of test images go to `weights/adversarial.json`, written after every few images. The
images are spread evenly over the test set. Networks whose weights are those of the file are only measured on images
that are missing, and all networks of a data set are compared on the images that each of them has.
"""

from __future__ import annotations

import argparse

from cnn_models import command

STOPPED = "stopped; the same command resumes"


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.adversarial", description=str(__doc__).splitlines()[0])
    parser.add_argument(
        "id", type=command.checkpoint_id, nargs="?", help="the network to attack, e.g. lenet5.mnist; by default all"
    )
    parser.add_argument("--images", type=command.whole(1, 10_000), default=1000, help="N test images, spread evenly")
    parser.add_argument("--weights", **command.weights())
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    with command.ending_at_once(STOPPED):
        from training.attacks import complete

    complete(args)


if __name__ == "__main__":
    command.run(main, STOPPED)
