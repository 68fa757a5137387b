"""Measure checkpoints on the test set and write the results into their cards.

python -m training.evaluate lenet5.mnist | --all | --averages | --seeds | --table
python -m training.evaluate --pictures my-handwriting.zip
"""

from __future__ import annotations

import argparse

from cnn_models import command


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate", description=str(__doc__).splitlines()[0])
    task = parser.add_mutually_exclusive_group(required=True)
    task.add_argument("id", type=command.checkpoint_id, nargs="?", help="a checkpoint id, e.g. lenet5.mnist")
    task.add_argument("--all", action="store_true", help="every checkpoint in the folder, and the ensembles")
    task.add_argument("--averages", action="store_true", help="ensembles and test-time augmentation of new networks")
    task.add_argument("--looks", action="store_true", help="test-time augmentation of all remaining test images")
    task.add_argument("--seeds", action="store_true", help="ensembles of networks that differ in their seed alone")
    task.add_argument("--table", action="store_true", help="print the results in the cards, without measuring")
    task.add_argument(
        "--pictures", type=command.file, metavar="ZIP", help="accuracy on labelled drawings from the page"
    )
    parser.add_argument("--weights", **command.weights())
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    with command.ending_at_once():
        from training.evaluation import measure

    measure(args)


if __name__ == "__main__":
    command.run(main, "stopped; run the same command again")
