"""Train one network on one data set and write its checkpoint.

python -m training.train lenet5.mnist [--recipe best|source] [--epochs N] [--resume]
torchrun --nproc-per-node 2 -m training.train lenet5.mnist
"""

from __future__ import annotations

import argparse
import os
from contextlib import nullcontext, redirect_stderr
from pathlib import Path

from cnn_models import command
from cnn_models.folders import default_weights_dir
from training.recipes import INITS, PRECISIONS, RECIPES, recipe_for

STOPPED = "stopped before the training began; the same command starts it"


def initialisation(text: str) -> str:
    """A type of argparse: the name of an initialisation, or a folder."""
    if text not in INITS and not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is neither one of {', '.join(INITS)} nor a folder of a checkpoint")
    return text


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=str(__doc__).splitlines()[0])
    parser.add_argument("id", choices=RECIPES, metavar="id", help=f"one of {', '.join(RECIPES)}")
    parser.add_argument("--recipe", default="best", help="best (the default), or another of the id")
    parser.add_argument("--epochs", type=command.whole(1, 10_000))
    parser.add_argument("--batch-size", type=command.whole(1, 1_000_000))
    parser.add_argument("--lr", type=command.positive, help="the learning rate, or the peak of its schedule")
    parser.add_argument(
        "--init",
        type=initialisation,
        help=f"initialisation: {', '.join(INITS)}, or a checkpoint folder to fine-tune",
    )
    parser.add_argument("--precision", choices=PRECISIONS, help="bfloat16 is faster on GPUs and on newer CPUs")
    parser.add_argument("--compile", action="store_true", default=None, help="compile the network: faster on GPUs")
    parser.add_argument("--seed", type=command.whole(0, 2**32 - 1), default=0)
    parser.add_argument("--device", help="cpu, cuda, mps, ...; by default the best available")
    parser.add_argument(
        "--out", type=command.folder, default=str(default_weights_dir()), help="the checkpoint is written to OUT/id/"
    )
    parser.add_argument(
        "--extra", type=command.file, help="a zip of labelled drawings from the page, to train on as well"
    )
    parser.add_argument("--track", action="store_true", help="log curves to trackio, which has to be installed")
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument("--resume", action="store_true", help="continue an unfinished training")
    unfinished.add_argument("--restart", action="store_true", help="discard an unfinished training")
    args = parser.parse_args(argv)
    try:
        recipe_for(args.id, args.recipe)
    except ValueError as error:
        parser.error(str(error))
    return args


def main(argv: list[str] | None = None) -> None:
    is_rank_0 = os.environ.get("RANK", "0") == "0"  # of the processes that torchrun starts, one prints
    with nullcontext() if is_rank_0 else redirect_stderr(None):
        args = parse(argv)
    with command.ending_at_once(STOPPED):
        from training.trainer import train

    train(args)


if __name__ == "__main__":
    command.run(main, STOPPED)
