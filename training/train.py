"""Train one network on one data set and write its checkpoint.

python -m training.train lenet5.mnist [--recipe best|source] [--epochs N] [--resume]
"""

from __future__ import annotations

import argparse
import dataclasses
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cnn_models import ARCHITECTURES, DATASETS, create_model
from cnn_models.checkpoint import HISTORY_COLUMNS, CheckpointError, write_checkpoint
from cnn_models.hub import default_weights_dir
from cnn_models.preprocess import to_input
from cnn_models.runtime import best_device, place
from cnn_models.specs import Card
from training import augment
from training.data import DataError, split
from training.evaluate import measure
from training.init import initialise
from training.model_card import model_card
from training.recipes import PRECISIONS, RECIPES, Recipe, recipe_for
from training.state import Progress, TrainingError, load_state, save_state

OPTIMIZERS = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}
SAVE_EVERY = 120  # seconds between two savings of an unfinished training


def prepare(images: Tensor, recipe: Recipe, size: int) -> Tensor:
    """A batch of pictures (uint8, N x 28 x 28) as the network sees it in training: augmented, resized, normalised."""
    x = images[:, None].float().div_(255)
    deformation = (recipe.degrees, recipe.shift, recipe.scale, recipe.shear, recipe.elastic)
    if any(deformation):
        x = augment.deform(x, *deformation)
    if recipe.flip:
        x = augment.flip(x)
    if recipe.erase:
        x = augment.erase(x, recipe.erase)
    return to_input(x, size, recipe.mean, recipe.std)


def train(
    id: str, recipe: Recipe, seed: int, device: torch.device, state: Path, resume: bool, stop: Callable[[], bool]
) -> tuple[nn.Module, list[dict], str]:
    """Run a recipe; return the trained network, the rows of its history and a sentence on how the data were split.

    The randomness of a step depends on nothing but seed and step, so a resumed run goes on as if it had never stopped.
    `stop` is asked after every step: once it is true, the state is saved and TrainingError raised. It is raised too
    when the loss is no longer finite.
    """
    architecture, dataset = id.split(".")
    pictures, validation, how = split(dataset, recipe.held_out, device)
    torch.manual_seed(seed)
    model = create_model(architecture)
    initialise(model, recipe.init)
    modules = {"model": place(model, device)}
    if recipe.average:
        modules["average"] = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(recipe.average))
    kept = modules["average"].module if recipe.average else model
    optimizer = OPTIMIZERS[recipe.optimizer](model.parameters(), weight_decay=recipe.weight_decay, fused=True)
    facts = {"id": id, "recipe": dataclasses.asdict(recipe), "seed": seed}
    progress = load_state(state, facts, modules, optimizer) if resume else Progress()
    totals = torch.tensor([progress.loss, progress.right], device=device)

    steps = -(-len(pictures) // recipe.batch_size)  # of one epoch
    bar = tqdm(total=recipe.epochs * len(pictures), unit="img", unit_scale=True, desc=id, mininterval=0.5)
    bar.update(progress.step // steps * len(pictures) + progress.step % steps * recipe.batch_size)
    started, saved = time.monotonic() - progress.seconds, time.monotonic()
    order = None
    while progress.step < recipe.epochs * steps:
        epoch, batch = divmod(progress.step, steps)
        if order is None or batch == 0:
            generator = torch.Generator().manual_seed(seed * 10_007 + epoch)
            order = torch.randperm(len(pictures), generator=generator).to(device)
        torch.manual_seed((seed + 1) * 2**32 + progress.step)
        for group in optimizer.param_groups:
            group["lr"] = rate = recipe.rate(progress.step / (recipe.epochs * steps))
        index = order[batch * recipe.batch_size :][: recipe.batch_size]
        labels = pictures.labels[index]
        x = prepare(pictures.images[index], recipe, recipe.size_in(epoch))
        with torch.autocast(device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            logits = model(x)
            loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if recipe.average:
            modules["average"].update_parameters(model)
        totals += torch.stack([loss.detach() * len(index), (logits.argmax(1) == labels).sum()])
        progress.step += 1
        bar.update(len(index))
        if bar.last_print_n == bar.n:  # the bar has just been drawn: time for a look at the device
            seen = batch * recipe.batch_size + len(index)
            bar.set_postfix(loss=f"{totals[0] / seen:.4f}", accuracy=f"{100 * totals[1] / seen:.2f}%", refresh=False)

        progress.seconds = time.monotonic() - started
        if progress.step % steps == 0:
            check_finite(totals, epoch)
            mean_loss, accuracy = totals[0].item() / len(pictures), 100 * totals[1].item() / len(pictures)
            found = measure(kept, validation, recipe.size_in(epoch), recipe.mean, recipe.std)
            row = (epoch + 1, rate, mean_loss, accuracy, found["loss"], found["accuracy"])
            row += (len(pictures) / progress.seconds, progress.seconds)
            progress.history.append(dict(zip(HISTORY_COLUMNS, (float(f"{value:.6g}") for value in row), strict=True)))
            bar.write(
                f"epoch {epoch + 1:3d}  rate {rate:.2e}  train {mean_loss:.4f} {accuracy:.2f}%  "
                f"validation {found['loss']:.4f} {found['accuracy']:.2f}%  "
                f"{len(pictures) / progress.seconds:,.0f} images/s"
            )
            totals.zero_()
            started = time.monotonic()
        finished = progress.step == recipe.epochs * steps  # saved too: writing the checkpoint may yet fail
        if finished or stop() or time.monotonic() - saved > SAVE_EVERY:
            check_finite(totals, epoch)
            progress.loss, progress.right = totals.tolist()
            progress.seconds = time.monotonic() - started
            save_state(state, facts, progress, modules, optimizer)
            saved = time.monotonic()
        if stop() and not finished:
            bar.close()
            raise TrainingError(
                f"stopped in epoch {epoch + 1} of {recipe.epochs}; go on with the same command and --resume"
            )
    bar.close()
    return kept, progress.history, how


def check_finite(totals: Tensor, epoch: int) -> None:
    if not totals.isfinite().all():
        raise TrainingError(f"the loss is no longer a number in epoch {epoch + 1}; start again with a lower --lr")


def git_commit() -> str:
    """The commit of the code that trains, marked where the code was changed since."""
    describe = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--abbrev=40",
        "--dirty",
        "--exclude=*",
    ]
    try:
        return subprocess.run(describe, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__.splitlines()[0])
    parser.add_argument("id", choices=RECIPES, metavar="id", help=f"one of {', '.join(RECIPES)}")
    parser.add_argument("--recipe", default="best", help="best (the default) or source")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--lr", type=float, help="the learning rate, or the peak of its schedule")
    parser.add_argument("--precision", choices=PRECISIONS, help="bfloat16 is faster on GPUs and on newer CPUs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cpu, cuda, mps, ...; the best there is if left out")
    parser.add_argument("--out", type=Path, default=default_weights_dir(), help="the checkpoint is written to OUT/id/")
    unfinished = parser.add_mutually_exclusive_group()
    unfinished.add_argument("--resume", action="store_true", help="go on with an unfinished training")
    unfinished.add_argument("--restart", action="store_true", help="throw an unfinished training away")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    state = args.out / ".training" / f"{args.id}.safetensors"
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    try:
        architecture, dataset = (
            table[part] for table, part in zip((ARCHITECTURES, DATASETS), args.id.split("."), strict=True)
        )
        changed = {k: v for k in ("epochs", "batch_size", "lr", "precision") if (v := getattr(args, k)) is not None}
        recipe = recipe_for(args.id, args.recipe).filled(architecture, dataset, changed)
        if state.exists() and not (args.resume or args.restart):
            raise TrainingError(f"{state} holds an unfinished training; go on with --resume or drop it with --restart")
        model, history, how = train(
            args.id, recipe, args.seed, best_device(args.device), state, args.resume, lambda: bool(stopped)
        )
        card = Card(
            architecture=architecture.name,
            dataset=dataset.name,
            input_size=recipe.size,
            mean=recipe.mean,
            std=recipe.std,
            classes=dataset.classes,
            recipe=dataclasses.asdict(recipe) | {"name": args.recipe, "changed": changed},
            seed=args.seed,
            split=how,
            weights_dtype="",
            weights_sha256="",
            versions={
                "python": platform.python_version(),
                "torch": torch.__version__,
                "torchvision": torchvision.__version__,
            },
            commit=git_commit(),
            date=date.today().isoformat(),
            metrics={f"val_{name}": history[-1][f"val_{name}"] for name in ("loss", "accuracy")},
        )
        write_checkpoint(args.out / args.id, model.state_dict(), card, history, model_card(card))
    except (CheckpointError, DataError, TrainingError, ValueError) as error:
        sys.exit(f"error: {error}")
    state.unlink(missing_ok=True)
    print(f"{args.out / args.id} is written; measure it with `python -m training.evaluate {args.id}`")


if __name__ == "__main__":
    main()
