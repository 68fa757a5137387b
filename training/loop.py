"""The training loop."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cnn_models.checkpoints.folder import HISTORY_COLUMNS, SNAPSHOTS_LIMIT
from cnn_models.images.preprocess import to_input
from cnn_models.runtime import place
from training import augment
from training.data import Pictures
from training.init import initialise
from training.metrics import measure
from training.optimizers import OPTIMIZERS
from training.process_group import SingleProcess
from training.recipes import Recipe
from training.state import Progress, TrainingError, load_state, save_state

GOLDEN = 0x9E3779B1  # 2**32 over the golden ratio, prime: its multiples lie far apart modulo 2**32
SEEDS = 4096  # of one process, before those of the next
SAVE_EVERY = 120  # seconds between two savings of an unfinished training
SAVING = 0.1  # of the time at most, for saving after an epoch too, so that the page can show it


class Diverged(TrainingError):
    """The loss is no longer finite; `history` has the epochs before."""

    def __init__(self, epoch: int, history: list[dict]):
        super().__init__(f"the loss is no longer a number in epoch {epoch + 1}; start again with a lower --lr")
        self.history = history


def augmented(images: Tensor, recipe: Recipe) -> Tensor:
    """A batch of pictures (uint8, N x 28 x 28) augmented by a recipe: float32, N x 1 x 28 x 28, 0 to 1."""
    x = images[:, None].float().div_(255)
    deformation = (recipe.degrees, recipe.shift, recipe.scale, recipe.shear, recipe.elastic)
    if any(deformation):
        x = augment.deform(x, *deformation)
    if recipe.flip:
        x = augment.flip(x)
    if recipe.erase:
        x = augment.erase(x, recipe.erase)
    return x


def prepare(images: Tensor, recipe: Recipe, size: int) -> Tensor:
    """A batch of pictures (uint8, N x 28 x 28) as the network sees it in training.

    Those of a taught recipe are views, augmented already.
    """
    x = images if recipe.teachers else augmented(images, recipe)
    return to_input(x, size, recipe.mean, recipe.std)


def autocast(device: torch.device, recipe: Recipe) -> AbstractContextManager:
    """Where the recipe's precision holds."""
    return torch.autocast(device.type, torch.bfloat16) if recipe.precision == "bfloat16" else nullcontext()


def objective(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """The summed cross-entropy of a batch against its targets: labels N, or probabilities N x 10.

    A teacher's are met at their temperature; its square keeps the size of the gradients (Hinton et al. 2015).
    """
    if temperature == 1:
        return F.cross_entropy(logits, targets, reduction="sum")
    return F.cross_entropy(logits / temperature, targets, reduction="sum") * temperature**2


def fit(
    name: str,
    build: Callable[[], nn.Module],
    pictures: Pictures,
    validation: Pictures,
    recipe: Recipe,
    seed: int,
    device: torch.device,
    state: Path,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    log: Callable[[dict], None] = lambda row: None,
    group: SingleProcess | None = None,
) -> tuple[nn.Module, Progress]:
    """Train a network that `build` makes by a recipe; return it, with its history (`HISTORY_COLUMNS`) and snapshots.

    The randomness of a step depends on nothing but seed, step and process, so a resumed run goes on as if it had never
    stopped. The run is saved to `state` every `SAVE_EVERY` seconds, after an epoch where that costs little, and when it
    ends. `stop` is asked after every step: once it is true, the run is saved and TrainingError raised, and Diverged
    when the loss is no longer finite.
    Snapshots are kept, before the first epoch and after each, where all of them fit into `SNAPSHOTS_LIMIT`.
    `log` gets every row as it is made. `group` are the processes that train this network.
    """
    group = group or SingleProcess()
    torch.manual_seed(seed)
    model = build()
    initialise(model, recipe.init)
    modules = {"model": place(model, device)}
    if recipe.average:
        ema = get_ema_multi_avg_fn(recipe.average)
        modules["average"] = AveragedModel(model, multi_avg_fn=ema)
        # AveragedModel finds them anew at every step, which takes four times as long as averaging a small network.
        averages, weights = list(modules["average"].parameters()), list(model.parameters())
    kept = modules["average"].module if recipe.average else model
    optimizer = OPTIMIZERS[recipe.optimizer](model.parameters(), weight_decay=recipe.weight_decay, fused=True)
    facts = {"name": name, "recipe": dataclasses.asdict(recipe), "seed": seed, "pictures": len(pictures)}
    if pictures.answers is not None:
        facts["answers"] = hashlib.sha256(pictures.answers.cpu().numpy()).hexdigest()
    progress = Progress()
    if resume:
        progress = group.resume(lambda: load_state(state, facts, modules, optimizer), modules, optimizer)
    elif (recipe.epochs + 1) * sum(2 * t.numel() for t in model.state_dict().values()) <= SNAPSHOTS_LIMIT:
        progress.take(kept)
    network = group.wrap(torch.compile(model) if recipe.compile else model)
    totals = torch.tensor([progress.loss, progress.right], device=device) * group.is_rank_0

    steps = -(-len(pictures) // recipe.batch_size)  # of one epoch
    bar = tqdm(
        total=recipe.epochs * len(pictures),
        unit="img",
        unit_scale=True,
        desc=name,
        mininterval=0.5,
        disable=not group.is_rank_0,
    )
    bar.update(progress.step // steps * len(pictures) + progress.step % steps * recipe.batch_size)
    started, saved, cost = time.monotonic() - progress.seconds, time.monotonic(), 0.0
    order = None
    # torch.manual_seed also looks for every other kind of device, which takes as long as mirroring a batch.
    reseed = torch.default_generator.manual_seed if device.type == "cpu" else torch.manual_seed
    while progress.step < recipe.epochs * steps:
        epoch, batch = divmod(progress.step, steps)
        if order is None or batch == 0:
            generator = torch.Generator().manual_seed(seed * 10_007 + epoch)
            order = torch.randperm(len(pictures), generator=generator).to(device)
        # A CPU's generator keeps 32 bits of its seed.
        reseed((progress.step + (seed + SEEDS * group.rank) * GOLDEN) % 2**32)
        for parameters in optimizer.param_groups:
            parameters["lr"] = rate = recipe.rate(progress.step / (recipe.epochs * steps))
        whole = order[batch * recipe.batch_size :][: recipe.batch_size]
        index = group.part(whole)
        labels = pictures.labels.index_select(0, index)  # several times as fast as [index]
        targets = labels if pictures.answers is None else pictures.answers.index_select(0, index)
        x = prepare(pictures.images.index_select(0, index), recipe, recipe.size_in(epoch))
        if recipe.cutmix:
            x, targets = augment.cutmix(x, targets, recipe.cutmix)
        with autocast(device, recipe):
            logits = network(x)
            loss = objective(logits, targets, recipe.temperature)
            # What is told is against the labels, as in validation: a student's own loss is on another scale.
            told = loss if targets is labels else objective(logits.detach(), labels, 1)
        optimizer.zero_grad()
        (loss * (group.size / len(whole))).backward()
        optimizer.step()
        if recipe.average and progress.step:
            ema(averages, weights, 1)
        elif recipe.average:
            modules["average"].update_parameters(model)  # begins with the weights as they are
        totals += torch.stack([told.detach(), (logits.argmax(1) == labels).sum()])
        progress.step += 1
        bar.update(len(whole))
        if not bar.disable and bar.last_print_n == bar.n:  # the bar has just been drawn: time for a look at the device
            seen = (batch * recipe.batch_size + len(whole)) / group.size
            bar.set_postfix(loss=f"{totals[0] / seen:.4f}", accuracy=f"{100 * totals[1] / seen:.2f}%", refresh=False)

        progress.seconds = time.monotonic() - started
        if progress.step % steps == 0:
            loss, accuracy = (group.sum(totals) / len(pictures)).tolist()
            check_finite(loss, epoch, progress.history)
            if group.is_rank_0:
                found = measure(kept, validation, recipe.size_in(epoch), recipe.mean, recipe.std)
                row = (epoch + 1, rate, loss, 100 * accuracy, found["loss"], found["accuracy"])
                row += (len(pictures) / progress.seconds, progress.seconds)
                row = dict(zip(HISTORY_COLUMNS, (float(f"{value:.6g}") for value in row), strict=True))
                progress.history.append(row)
                if progress.snapshots:
                    progress.take(kept)
                log(row)
                bar.write(
                    "epoch {epoch:3.0f}  rate {lr:.2e}  train {train_loss:.4f} {train_accuracy:.2f}%  validation "
                    "{val_loss:.4f} {val_accuracy:.2f}%  {images_per_second:,.0f} images/s".format(**row)
                )
            totals.zero_()
            started = time.monotonic()
        finished = progress.step == recipe.epochs * steps  # saved too: writing the checkpoint may yet fail
        waited = time.monotonic() - saved
        cheap = group.is_rank_0 and progress.step % steps == 0 and cost < SAVING * waited
        stopped, due = group.any([stop(), finished or cheap or waited > SAVE_EVERY])
        if stopped or due:
            progress.loss, progress.right = group.sum(totals).tolist()
            check_finite(progress.loss, epoch, progress.history)
            progress.seconds = time.monotonic() - started
            begun = time.monotonic()
            if group.is_rank_0:
                save_state(state, facts, progress, modules, optimizer)
            saved = time.monotonic()
            cost = saved - begun
        if stopped and not finished:
            bar.close()
            raise TrainingError(
                f"stopped in epoch {epoch + 1} of {recipe.epochs}; go on with the same command and --resume"
            )
    bar.close()
    return kept, progress


def check_finite(loss: float, epoch: int, history: list[dict]) -> None:
    if not math.isfinite(loss):
        raise Diverged(epoch, history)
