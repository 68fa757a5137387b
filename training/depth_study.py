"""The depth study: plain and residual networks of 20 and 56 layers on Fashion-MNIST.

    python -m training.depth_study [--epochs N] [--restart]

Every network has the same seed and the same recipe, without augmentation, so that training accuracies show how well a
network can be optimised. Curves and gradient norms go to `weights/depth_study.json`, written after every network; the
same command resumes an interrupted study.
"""

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
from cnn_models.folders import default_weights_dir
from cnn_models.images.preprocess import to_input
from cnn_models.runtime import best_device, keep_memory
from cnn_models.specs import Split
from training.data import DataError, LabelledImages, split
from training.deep_net import DeepNet, gradient_norms
from training.init import initialise
from training.learner import Setup
from training.lock import writing
from training.loop import fit
from training.recipes import Recipe
from training.saver import Diverged
from training.state import TrainingError, discard, exists
from training.train import git_commit

DATASET = DATASETS["fashion_mnist"]
NETWORKS = tuple(product((20, 56), (False, True), (True, False)))
"""Depth, shortcuts, batch normalisation."""

# Four of the eight take 6 minutes an epoch on one core, in float32 10.
RECIPE = Recipe(
    epochs=2, batch_size=128, lr=1e-3, init="he", average=0.0, size=DATASET.size, mean=DATASET.mean, std=DATASET.std,
    precision="bfloat16",
)  # fmt: skip
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


def main(argv: list[str] | None = None) -> None:
    keep_memory()
    parser = argparse.ArgumentParser(prog="python -m training.depth_study", description=str(__doc__).splitlines()[0])
    parser.add_argument("--epochs", type=int, default=RECIPE.epochs)
    parser.add_argument("--device", help="cpu, cuda, mps, ...; by default the best available")
    parser.add_argument("--out", type=Path, default=default_weights_dir(), help=f"the study is written to OUT/{FILE}")
    parser.add_argument("--restart", action="store_true", help="discard the existing study, finished or not")
    args, commit = parser.parse_args(argv), git_commit()
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    path = args.out / FILE
    states = [args.out / ".training" / f"depth_study_{index}.safetensors" for index in range(len(NETWORKS))]
    recipe = dataclasses.replace(RECIPE, epochs=args.epochs)
    facts = {"dataset": DATASET.name, "recipe": dataclasses.asdict(recipe), "torch": torch.__version__}
    try:
        with writing(path):
            if args.restart:
                path.unlink(missing_ok=True)
                for state in states:
                    discard(state)
            runs = read(path, facts)
            examples, validation = split(DATASET.name, recipe.held_out, best_device(args.device))
            counts = dataclasses.asdict(Split(len(examples), recipe.held_out))
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
    """The finished runs of an interrupted study. Raises TrainingError when its facts (see `main`) differ."""
    if not path.exists():
        return []
    found = json.loads(path.read_text())
    if any(found.get(key) != value for key, value in json.loads(json.dumps(facts)).items()):
        raise TrainingError(f"{path} holds another study; repeat it as it was, or replace it with --restart")
    return found["runs"]


def write(path: Path, found: dict) -> None:
    """Write the study atomically."""
    new = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    new.write_text(json.dumps(found, indent=1) + "\n")
    new.replace(path)


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


if __name__ == "__main__":
    main()
