"""Interpolate the weights of a fine-tuned checkpoint with earlier ones of the same training.

python -m training.interpolate alexnet.fashion_mnist --with FOLDER
"""

from __future__ import annotations

import argparse

from cnn_models import command


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.interpolate", description=str(__doc__).splitlines()[0])
    parser.add_argument("id", type=command.checkpoint_id, help="the fine-tuned checkpoint, e.g. alexnet.fashion_mnist")
    parser.add_argument(
        "--with", dest="earlier", type=command.folder, required=True, metavar="FOLDER", help="the earlier checkpoint"
    )
    parser.add_argument("--weights", **command.weights())
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    # The checkpoint is written in the last moment, as a whole.
    with command.ending_at_once("stopped; run the same command again"):
        from training.interpolation import interpolate

        interpolate(args)


if __name__ == "__main__":
    command.run(main)
