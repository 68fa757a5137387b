"""Compare networks on all images of a folder or zip: a row of CSV for each, and a summary on standard error.

python -m cnn_models.batch my-digits --dataset mnist > predictions.csv
python -m cnn_models.batch my-digits.zip --dataset mnist --networks lenet5,mini_resnet --out predictions.csv --confusion

Labels are those of labels.csv (columns: file, label); without it, those of class folders (7/a.png); without these,
those that names begin with (7_001.png).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cnn_models import command
from cnn_models.architectures import NAMES
from cnn_models.datasets import DATASETS

STOPPED = "stopped; the rows of all images before are written"


def source(text: str) -> Path:
    """A type of argparse: a folder or file that exists."""
    if not (path := Path(text)).exists():
        raise argparse.ArgumentTypeError(f"there is no {text}; give a folder or a zip of images")
    return path


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m cnn_models.batch", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=source, metavar="DIR", help="a folder, with those in it, or a zip")
    parser.add_argument("--dataset", required=True, choices=tuple(DATASETS), help=", ".join(DATASETS))
    parser.add_argument(
        "--networks",
        default="",
        metavar="LIST",
        help=f"of {', '.join(NAMES)}, or checkpoint ids, separated by commas; else all",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the CSV; else standard output")
    parser.add_argument("--confusion", action="store_true", help="print the confusion matrix of each network, too")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    with command.ending_at_once(STOPPED):
        from cnn_models.batch.run import compare_all

    compare_all(args)


if __name__ == "__main__":
    command.run(main, STOPPED)
