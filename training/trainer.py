"""A training from its arguments to a checkpoint folder: the work of `python -m training.train`."""

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
from datetime import date
from pathlib import Path

import torch
import torchvision

from cnn_models import ARCHITECTURES, DATASETS, create_model
from cnn_models.checkpoints.folder import CheckpointError, memory, read_card, write_checkpoint
from cnn_models.checkpoints.runs import UNFINISHED
from cnn_models.datasets.handwriting import unpack
from cnn_models.folders import CLONE, default_weights_dir
from cnn_models.runtime import best_device, keep_memory
from cnn_models.specs import Card, Split
from training.data import DataError, LabelledImages, split
from training.distill import with_soft_targets
from training.init import initialise, origin
from training.learner import Setup
from training.lock import writing
from training.loop import fit
from training.model_card import model_card
from training.optimizers import MOMENTS
from training.process_group import SingleProcess, join
from training.recipes import Recipe, recipe_for
from training.saved_run import snapshots_size
from training.state import TrainingError, discard, exists

CHANGES = ("epochs", "batch_size", "lr", "init", "precision", "compile")
"""The fields of a recipe that the command line can change."""


def git_commit() -> str:
    """The commit of this code, with `-dirty` where files differ from it; `unknown` outside a clone."""
    if CLONE is None:
        return "unknown"
    describe = ["git", "-C", str(CLONE), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        return subprocess.run(describe, capture_output=True, encoding="utf-8", check=True).stdout.strip()
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


def disk_space(weights: int, recipe: Recipe, state: Path) -> int:
    """Bytes that a training of a network with `weights` bytes has yet to write, its checkpoint included.

    The last two states stay while the next is written; what is there already, of an unfinished training, is free again.
    """
    snapshots = snapshots_size(recipe.epochs, weights // 4)
    saved = weights * (1 + bool(recipe.average) + MOMENTS[recipe.optimizer]) + snapshots
    there = sum(file.stat().st_size for file in state.parent.glob(f"{state.stem}.*"))
    return max(3 * saved - there, 0) + weights + snapshots


def train(args: argparse.Namespace) -> None:
    """Train and write the checkpoint. Exits with a sentence where that is not possible."""
    keep_memory()
    commit, group = git_commit(), SingleProcess()  # at the start, as the files may change later
    state = args.out / UNFINISHED / f"{args.id}.safetensors"
    try:
        group, device = join(best_device(args.device))
        network, dataset = args.id.split(".")
        changed = {name: value for name in CHANGES if (value := getattr(args, name)) is not None}
        recipe = recipe_for(args.id, args.recipe).filled(ARCHITECTURES[network], DATASETS[dataset], changed)
        with writing(args.out / args.id, group, disk_space(memory(network), recipe, state)):
            begun, init = _origin(recipe.init, network)
            log = group.on_rank_0(lambda: _prepare_state(args, recipe, state)) or (lambda row: None)
            examples, validation, counts, teachers = _images(args, recipe, state, device)
            stopped = []
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.append(True))
            build = ARCHITECTURES[network].build
            setup = Setup(args.id, build, examples, validation, recipe, args.seed, device, group)
            model, progress = fit(setup, state, resume=args.resume, stop=lambda: bool(stopped), log=log)
            group.leave()
            if not group.is_rank_0:
                return
            extra = {"extra": args.extra.name} if args.extra else {}
            origins = {"name": args.recipe, "changed": changed | init | extra, "teachers": teachers}
            origins |= {"started_from": begun} | init
            card = new_card(setup, origins, counts, commit, progress.history[-1])
            folder, text = args.out / args.id, model_card(card)
            write_checkpoint(folder, model.state_dict(), card, progress.history, text, snapshots=progress.snapshots)
            discard(state)
    except (CheckpointError, DataError, TrainingError, ValueError) as error:
        group.leave()
        sys.exit(f"error: {error}" if group.is_rank_0 else 1)
    where = "" if args.out == default_weights_dir() else f" --weights {shlex.quote(str(args.out))}"
    print(f"{folder} is written; measure it with `python -m training.evaluate {args.id}{where}`")


def _origin(init: str, network: str) -> tuple[dict, dict]:
    """The provenance of the first weights of a fine-tuned network, and its `init` for the card; both {} of another.

    Raises CheckpointError or ValueError where these weights cannot be used.
    """
    if not (folder := origin(init)):
        return {}, {}
    initialise(create_model(network), init)  # before the images and the soft targets, which take minutes
    first = read_card(folder)
    return provenance(first), {"init": f"weights/{first.id}"}  # not the local path


def _prepare_state(args: argparse.Namespace, recipe: Recipe, state: Path) -> Callable[[dict], None]:
    """Discard the unfinished training that `--restart` replaces; returns the function that logs a row of the history.

    Raises TrainingError where there is an unfinished training, and no option says what to do with it.
    """
    if args.restart:
        discard(state)
    elif exists(state) and not args.resume:
        raise TrainingError(f"{state} holds an unfinished training; go on with --resume or drop it with --restart")
    return tracker(args.id, dataclasses.asdict(recipe)) if args.track else lambda row: None


def _images(
    args: argparse.Namespace, recipe: Recipe, state: Path, device: torch.device
) -> tuple[LabelledImages, LabelledImages, Split, dict[str, str]]:
    """The images to train on, with soft targets where the recipe has teachers, and the validation set.

    Then the counts of images, and the weight hashes of the teachers by id.
    """
    dataset = args.id.split(".")[1]
    examples, validation = split(dataset, recipe.held_out, device)
    counts = Split(len(examples), recipe.held_out)
    if args.extra:
        images, labels = unpack(args.extra, dataset)
        examples = examples.joined(images, labels)
        counts = dataclasses.replace(counts, extra=len(labels))
    if not recipe.teachers:
        return examples, validation, counts, {}
    cache = state.with_name(f"answers.{dataset}.safetensors")
    examples, teachers = with_soft_targets(dataset, examples, recipe, args.seed, device, cache)
    return examples, validation, counts, teachers
