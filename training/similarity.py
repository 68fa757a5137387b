"""Compare the layers of all networks, and measure after which of them a linear probe knows the class.

python -m training.similarity [--weights FOLDER]

Pairs and networks whose weights are the same as in `weights/similarity.json` are not measured again.
"""

from __future__ import annotations

import argparse

from cnn_models import command


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m training.similarity", description=str(__doc__).splitlines()[0])
    parser.add_argument("--weights", **command.weights())
    args = parser.parse_args(argv)
    with command.ending_at_once():
        from training.representations import complete

    complete(args.weights)


if __name__ == "__main__":
    command.run(main, "stopped; the same command resumes")
