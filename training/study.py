"""The networks of the depth study, their training and its results: the work of `python -m training.depth_study`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from itertools import product
from pathlib import Path

import torch

from cnn_models import DATASETS
from cnn_models.checkpoints.runs import UNFINISHED
from cnn_models.images.preprocess import to_input
from cnn_models.runtime import best_device, keep_memory
from cnn_models.specs import Split
from training.data import DataError, LabelledImages, split
from training.deep_net import DeepNet, gradient_norms
from training.init import initialise
from training.learner import Setup
from training.lock import writing
from training.loop import fit
from training.recipes import DEPTH_STUDY, Recipe
from training.saved_run import check_history, differences
from training.saver import Diverged
from training.state import DAMAGED, TrainingError, discard, exists
from training.trainer import disk_space, git_commit

DATASET = DATASETS["fashion_mnist"]
NETWORKS = tuple(product((20, 56), (False, True), (True, False)))
"""Depth, shortcuts, batch normalisation."""
FILE = "depth_study.json"


def study(
    depth: int,
    shortcuts: bool,
    norm: bool,
    recipe: Recipe,
    data: tuple[LabelledImages, LabelledImages],
    state: Path,
    stop: Callable,
) -> dict:
    """Train one network; returns its history, and gradient norms on the first batch before and after, as JSON types.

    Where the loss is no longer finite, `diverged` is True, the history ends before, and the norms after are missing.
    """
    examples, validation = data
    build = partial(DeepNet, depth, shortcuts, norm)
    x = to_input(examples.images[: recipe.batch_size], recipe.size, recipe.mean, recipe.std)
    labels = examples.labels[: recipe.batch_size]
    torch.manual_seed(0)
    fresh = build()
    initialise(fresh, recipe.init)
    found = {
        "depth": depth,
        "shortcuts": shortcuts,
        "batch_norm": norm,
        "parameters": sum(p.numel() for p in fresh.parameters()),
        "gradients": {"start": gradient_norms(fresh.to(x.device), x, labels), "end": []},
    }
    name = f"{depth} layers, {'shortcuts' if shortcuts else 'plain'}, {'with' if norm else 'without'} batch norm"
    try:
        setup = Setup(name, build, examples, validation, recipe, 0, x.device)
        model, progress = fit(setup, state, resume=exists(state), stop=stop)
    except Diverged as error:  # a result too
        return found | {"history": error.history, "diverged": True}
    found["gradients"]["end"] = gradient_norms(model, x, labels)
    return found | {"history": progress.history}


def complete(args: argparse.Namespace) -> None:
    """Train the networks that are missing in the study's file, and print the results of all.

    Exits with a sentence where that is not possible.
    """
    keep_memory()
    commit = git_commit()  # at the start, as the files may change later
    path = args.out / FILE
    states = [args.out / UNFINISHED / f"depth_study_{index}.safetensors" for index in range(len(NETWORKS))]
    sizes = {"size": DATASET.size, "mean": DATASET.mean, "std": DATASET.std}
    recipe = dataclasses.replace(DEPTH_STUDY, epochs=args.epochs, **sizes)
    facts = {"dataset": DATASET.name, "recipe": dataclasses.asdict(recipe), "torch": torch.__version__}
    weights = 4 * sum(p.numel() for p in DeepNet(*max(NETWORKS)).parameters())
    stopped = []
    try:
        with writing(path, size=disk_space(weights, recipe, states[0])):
            if args.restart:
                path.unlink(missing_ok=True)
                for state in states:
                    discard(state)
            runs = read(path, facts)
            examples, validation = split(DATASET.name, recipe.held_out, best_device(args.device))
            counts = dataclasses.asdict(Split(len(examples), recipe.held_out))
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.append(True))
            for state in states[: len(runs)]:  # left by a kill between `write` and `discard`
                discard(state)
            for network, state in list(zip(NETWORKS, states, strict=True))[len(runs) :]:
                runs.append(study(*network, recipe, (examples, validation), state, lambda: bool(stopped)))
                write(path, facts | {"split": counts, "commit": commit, "date": date.today().isoformat(), "runs": runs})
                discard(state)
    except (DataError, TrainingError, ValueError) as error:
        sys.exit(f"error: {error}")
    print(table(runs))


def read(path: Path, facts: dict) -> list[dict]:
    """The finished runs of an interrupted study.

    Raises TrainingError for damaged ones, or when its facts (see `complete`) differ.
    """
    if not path.exists():
        return []
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        other = differences({key: found.get(key) for key in facts}, facts)
        if not other:
            check_runs(found["runs"], facts["recipe"]["epochs"])
    except (*DAMAGED, AttributeError) as error:
        raise TrainingError(f"{path} is damaged ({error}); restore it, or replace it with --restart") from error
    if other:
        raise TrainingError(f"{path} holds another study: {other}; repeat it as it was, or replace it with --restart")
    return found["runs"]


def check_runs(runs: list[dict], epochs: int) -> None:
    """Raises ValueError, or another of `DAMAGED`, unless these are runs of the first of `NETWORKS`."""
    if not isinstance(runs, list) or len(runs) > len(NETWORKS):
        raise ValueError(f"it is not a list of at most {len(NETWORKS)} runs")
    for network, run in zip(NETWORKS, runs, strict=False):
        if (run["depth"], run["shortcuts"], run["batch_norm"]) != network:
            raise ValueError(f"{network} is another network in it")
        check_history(run["history"], len(run["history"]) if run.get("diverged") else epochs)
        norms = run["gradients"]["start"] + run["gradients"]["end"]
        if not all(type(norm) is float and norm >= 0 for norm in norms):
            raise ValueError(f"a norm of gradients of {network} is impossible")


def write(path: Path, found: dict) -> None:
    """Write the study atomically. Raises TrainingError where that fails."""
    new = path.with_suffix(".new")
    try:
        new.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise TrainingError(
            f"{path} could not be written ({error.strerror}); make room, and run the same command again, which resumes"
        ) from error


def table(runs: list[dict]) -> str:
    """The results as a Markdown table."""
    lines = [
        "| layers | shortcuts | batch norm | training loss | training accuracy | validation accuracy |",
        "|---:|---|---|---:|---:|---:|",
    ]
    for run in runs:
        yes, figures = {True: "yes", False: "no"}, "– | – | –"
        if run["history"]:
            last = run["history"][-1]
            figures = f"{last['train_loss']:.3f} | {last['train_accuracy']:.2f} % | {last['val_accuracy']:.2f} %"
        if run.get("diverged"):
            figures = f"diverged in epoch {len(run['history']) + 1}: {figures}"
        lines.append(f"| {run['depth']} | {yes[run['shortcuts']]} | {yes[run['batch_norm']]} | {figures} |")
    return "\n".join(lines)
