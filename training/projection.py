"""Project the features of test images to two dimensions, by PCA and t-SNE: the maps of the Training tab.

python -m training.projection [--weights FOLDER]
"""

from __future__ import annotations

import argparse

from cnn_models import command


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.projection", description=str(__doc__).splitlines()[0])
    parser.add_argument("--weights", **command.weights())
    args = parser.parse_args(argv)
    with command.ending_at_once():
        from training.projector import project_all
    project_all(args.weights)


if __name__ == "__main__":
    command.run(main, "stopped; the same command continues with the next network")
