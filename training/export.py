"""Write a checkpoint as an ONNX file, which runs without CNN Lineup and without torch.

python -m training.export lenet5.mnist [--format onnx] [--out FOLDER]
"""

from __future__ import annotations

import argparse

from cnn_models import command


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.export", description=str(__doc__).splitlines()[0])
    parser.add_argument("id", type=command.checkpoint_id, help="a checkpoint id, e.g. lenet5.mnist")
    parser.add_argument("--format", choices=["onnx"], default="onnx", help="the format of the file: onnx")
    parser.add_argument(
        "--out", type=command.folder, default=".", help="the file is written to OUT/id.onnx; by default here"
    )
    parser.add_argument("--weights", **command.weights())
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    # The file is written in the last moment, as a whole.
    with command.ending_at_once("stopped; run the same command again"):
        from training.exporter import export

        export(args)


if __name__ == "__main__":
    command.run(main)
