"""The depth study: plain and residual networks of 20 and 56 layers on Fashion-MNIST.

    python -m training.depth_study [--epochs N] [--restart]

Every network has the same seed and the same recipe, without augmentation, so that training accuracies show how well a
network can be optimised. Curves and gradient norms go to `weights/depth_study.json`, written after every network; the
same command resumes an interrupted study.
"""

from __future__ import annotations

import argparse

from cnn_models import command
from cnn_models.folders import default_weights_dir
from training.recipes import DEPTH_STUDY

STOPPED = "stopped before the training began; the same command starts it"


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.depth_study", description=str(__doc__).splitlines()[0])
    parser.add_argument("--epochs", type=command.whole(1, 10_000), default=DEPTH_STUDY.epochs)
    parser.add_argument("--device", help="cpu, cuda, mps, ...; by default the best available")
    parser.add_argument(
        "--out",
        type=command.folder,
        default=str(default_weights_dir()),
        help="the study is written to OUT/depth_study.json",
    )
    parser.add_argument("--restart", action="store_true", help="discard the existing study, finished or not")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    with command.ending_at_once(STOPPED):
        from training.study import complete

    complete(args)


if __name__ == "__main__":
    command.run(main, STOPPED)
