"""Train one network on one data set and write its checkpoint.

python -m training.train lenet5.mnist [--recipe best|source] [--epochs N] [--resume]
torchrun --nproc-per-node 2 -m training.train lenet5.mnist
"""

from __future__ import annotations

import argparse
import atexit
import dataclasses
import platform
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import torch
import torchvision

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.folder import CheckpointError, read_card, write_checkpoint
from cnn_models.datasets.handwriting import unpack
from cnn_models.folders import CLONE, default_weights_dir
from cnn_models.runtime import best_device, keep_memory
from cnn_models.specs import Card, Split
from training.data import DataError, split
from training.distill import with_soft_targets
from training.init import origin
from training.learner import Setup
from training.lock import writing
from training.loop import fit
from training.model_card import model_card
from training.process_group import SingleProcess, join
from training.recipes import INITS, PRECISIONS, RECIPES, recipe_for
from training.state import TrainingError, discard, exists

CHANGES = ("epochs", "batch_size", "lr", "init", "precision", "compile")
"""The fields of a recipe that the command line can change."""


def git_commit() -> str:
    """The commit of this code, with `-dirty` where files differ from it; `unknown` outside a clone."""
    if CLONE is None:
        return "unknown"
    describe = ["git", "-C", str(CLONE), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def provenance(first: Card) -> dict:
    """The `started_from` of a fine-tuned network's card: the training of its first weights, with its `started_from`."""
    begun = {"command": first.command, "commit": first.commit, "weights_sha256": first.weights_sha256}
    before = first.recipe.get("started_from")
    return begun | {"started_from": before} if before else begun


def tracker(name: str, config: dict) -> Callable[[dict], None]:
    """A function that logs a row of a history to trackio (`trackio show`). Raises TrainingError without trackio."""
    try:
        import trackio
    except ImportError as error:
        raise TrainingError("--track needs trackio; `pip install trackio`, or leave it out") from error
    trackio.init("cnn-lineup", name=name, config=config, resume="allow", auto_log_cpu=False, auto_log_gpu=False)
    atexit.register(trackio.finish)
    return lambda row: trackio.log({key: value for key, value in row.items() if key != "epoch"}, step=int(row["epoch"]))


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=str(__doc__).splitlines()[0])
    parser.add_argument("id", choices=RECIPES, metavar="id", help=f"one of {', '.join(RECIPES)}")
    parser.add_argument("--recipe", default="best", help="best (the default), or another of the id")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--lr", type=float, help="the learning rate, or the peak of its schedule")
    parser.add_argument("--init", help=f"initialisation: {', '.join(INITS)}, or a checkpoint folder to fine-tune")
    parser.add_argument("--precision", choices=PRECISIONS, help="bfloat16 is faster on GPUs and on newer CPUs")
    parser.add_argument("--compile", action="store_true", default=None, help="compile the network: faster on GPUs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu, cuda, mps, ...; by default the best available")
    parser.add_argument("--out", type=Path, default=default_weights_dir(), help="the checkpoint is written to OUT/id/")
    parser.add_argument("--extra", type=Path, help="a zip of labelled drawings from the page, to train on as well")
    parser.add_argument("--track", action="store_true", help="log curves to trackio, which has to be installed")
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument("--resume", action="store_true", help="continue an unfinished training")
    unfinished.add_argument("--restart", action="store_true", help="discard an unfinished training")
    return parser.parse_args(argv)


def new_card(setup: Setup, origins: dict, split: Split, commit: str, last: dict) -> Card:
    """The card of a network before its evaluation.

    `origins` are added to the recipe; `last` is the last row of the history.
    """
    recipe, (architecture, dataset) = setup.recipe, setup.name.split(".")
    return Card(
        architecture=architecture,
        dataset=dataset,
        input_size=recipe.size,
        mean=recipe.mean,
        std=recipe.std,
        classes=DATASETS[dataset].classes,
        recipe=dataclasses.asdict(recipe) | origins,
        seed=setup.seed,
        split=split,
        weights_dtype="",
        weights_sha256="",
        versions=dict(python=platform.python_version(), torch=torch.__version__, torchvision=torchvision.__version__),
        commit=commit,
        date=date.today().isoformat(),
        metrics={f"val_{name}": last[f"val_{name}"] for name in ("loss", "accuracy")},
    )


def main(argv: list[str] | None = None) -> None:
    keep_memory()
    args, commit = parse(argv), git_commit()  # at the start, as the files may change later
    with ExitStack() as held:
        train(args, commit, held)


def train(args: argparse.Namespace, commit: str, held: ExitStack) -> None:
    """Train and write the checkpoint, whose lock is in `held`. Exits with a sentence where that is not possible."""
    state = args.out / ".training" / f"{args.id}.safetensors"
    stopped, group = [], SingleProcess()
    try:
        network, data = args.id.split(".")
        architecture, dataset = ARCHITECTURES[network], DATASETS[data]
        group, device = join(best_device(args.device))
        held.enter_context(writing(args.out / args.id, group))
        changed = {name: value for name in CHANGES if (value := getattr(args, name)) is not None}
        recipe = recipe_for(args.id, args.recipe).filled(architecture, dataset, changed)
        if group.is_rank_0 and exists(state) and not (args.resume or args.restart):
            raise TrainingError(f"{state} holds an unfinished training; go on with --resume or drop it with --restart")
        if group.is_rank_0 and args.restart:
            discard(state)
        log = tracker(args.id, dataclasses.asdict(recipe)) if args.track and group.is_rank_0 else lambda row: None
        examples, validation = split(dataset.name, recipe.held_out, device)
        counts = Split(len(examples), recipe.held_out)
        if args.extra:
            images, labels = unpack(args.extra, dataset.name)
            examples = examples.joined(images, labels)
            counts = dataclasses.replace(counts, extra=len(labels))
        teachers = {}
        if recipe.teachers:
            cache = state.with_name(f"answers.{dataset.name}.safetensors")
            examples, teachers = with_soft_targets(dataset.name, examples, recipe, args.seed, device, cache)
        begun, init = {}, {}
        if folder := origin(recipe.init):
            first = read_card(folder)
            begun = provenance(first)
            init = {"init": f"weights/{first.id}"}  # not the local path
        extra = {"extra": args.extra.name} if args.extra else {}
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.append(True))
        setup = Setup(args.id, architecture.build, examples, validation, recipe, args.seed, device, group)
        model, progress = fit(setup, state, resume=args.resume, stop=lambda: bool(stopped), log=log)
        if not group.is_rank_0:
            return
        origins = {"name": args.recipe, "changed": changed | init | extra, "teachers": teachers, "started_from": begun}
        card = new_card(setup, origins | init, counts, commit, progress.history[-1])
        folder, text = args.out / args.id, model_card(card)
        write_checkpoint(folder, model.state_dict(), card, progress.history, text, snapshots=progress.snapshots)
    except (CheckpointError, DataError, TrainingError, ValueError) as error:
        sys.exit(f"error: {error}" if group.is_rank_0 else 1)
    except KeyboardInterrupt:
        sys.exit("stopped before the training began; the same command starts it")
    discard(state)
    where = "" if args.out == default_weights_dir() else f" --weights {shlex.quote(str(args.out))}"
    print(f"{args.out / args.id} is written; measure it with `python -m training.evaluate {args.id}{where}`")


if __name__ == "__main__":
    main()
