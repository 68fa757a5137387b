"""Fit the centroids of the training images, by which images unlike all of these are found.

python -m training.centroids [--weights FOLDER]

`python -m training.evaluate` does it too, for a reference model.
"""

from __future__ import annotations

import argparse

from cnn_models import command


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.centroids", description=str(__doc__).splitlines()[0])
    parser.add_argument("--weights", **command.weights())
    args = parser.parse_args(argv)
    with command.ending_at_once():
        from training.clusters import write_all

    write_all(args.weights)


if __name__ == "__main__":
    command.run(main, "stopped; run the same command again")
