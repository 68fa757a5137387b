"""Print the layers of networks as a table: shapes, parameters, MACs, memory, and the time of each step on this machine.

python -m cnn_models.layers alexnet
python -m cnn_models.layers lenet5 alexnet --csv > layers.csv
python -m cnn_models.layers googlenet --size 224
"""

from __future__ import annotations

import argparse
import sys

from cnn_models import command
from cnn_models.architectures import NAMES


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m cnn_models.layers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("network", nargs="+", choices=NAMES, help=", ".join(NAMES), metavar="network")
    parser.add_argument(
        "--size",
        type=command.whole(1, 10_000),
        help="side of the image in pixels, for the networks that allow it; else their own",
    )
    parser.add_argument("--csv", action="store_true", help="comma-separated values rather than Markdown")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    with command.ending_at_once():
        from cnn_models.architectures import ARCHITECTURES
        from cnn_models.layers.table import as_csv, column, markdown

    try:
        names = list(dict.fromkeys(args.network))
        can = [name for name in names if args.size in ARCHITECTURES[name].sizes] or names
        columns = [column(name, args.size if name in can else None) for name in names]
    except ValueError as error:
        sys.exit(f"error: {error}")
    print((as_csv if args.csv else markdown)(columns), end="")


if __name__ == "__main__":
    command.run(main)
