"""The training loop: `fit` calls `run_epoch`, which calls `train_step`, and `end_epoch` after each epoch."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from cnn_models.checkpoints.folder import HISTORY_COLUMNS
from cnn_models.images.preprocess import to_input
from training import augment
from training.learner import Learner, Setup
from training.metrics import measure
from training.recipes import Recipe
from training.saved_run import Progress
from training.saver import Saver, Totals, check_finite

GOLDEN = 0x9E3779B1  # 2**32 over the golden ratio, prime: its multiples lie far apart modulo 2**32
SEEDS = 4096  # of one process, before those of the next


def prepare(images: Tensor, recipe: Recipe, size: int) -> Tensor:
    """A batch of images (uint8, N x 28 x 28) as the input tensor of the network, N x 1 x size x size.

    They are augmented, but for those of a distilled recipe, which are augmented already.
    """
    x = images if recipe.teachers else augment.augmented(images, recipe)
    return to_input(x, size, recipe.mean, recipe.std)


def autocast(device: torch.device, recipe: Recipe) -> AbstractContextManager:
    """The context in which convolutions and matrix products have the recipe's precision."""
    return torch.autocast(device.type, torch.bfloat16) if recipe.precision == "bfloat16" else nullcontext()


def objective(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """The summed cross-entropy of a batch against its targets: labels N, or probabilities N x 10.

    `temperature` is that of soft targets; its square keeps the size of the gradients (Hinton et al. 2015).
    """
    if temperature == 1:
        return F.cross_entropy(logits, targets, reduction="sum")
    return F.cross_entropy(logits / temperature, targets, reduction="sum") * temperature**2


def reseed(setup: Setup, step: int) -> None:
    """Seed torch's generator for a step: the randomness depends on seed, step and process alone."""
    seed = (step + (setup.seed + SEEDS * setup.group.rank) * GOLDEN) % 2**32  # a CPU's generator keeps 32 bits
    # torch.manual_seed also looks for every other kind of device, which takes as long as flipping a batch.
    (torch.default_generator.manual_seed if setup.device.type == "cpu" else torch.manual_seed)(seed)


def train_step(setup: Setup, learner: Learner, step: int, batch: Tensor) -> Tensor:
    """Train on a batch, given as the indices of its images; returns the summed loss and correct predictions (2).

    Both are of this process's part of the batch, and against the labels, as in validation: the loss against soft
    targets is on another scale.
    """
    recipe, train = setup.recipe, setup.train
    reseed(setup, step)
    for parameters in learner.optimizer.param_groups:
        parameters["lr"] = setup.lr(step)
    index = setup.group.part(batch)
    labels = train.labels.index_select(0, index)  # several times as fast as [index]
    targets = labels if train.soft_targets is None else train.soft_targets.index_select(0, index)
    x = prepare(train.images.index_select(0, index), recipe, recipe.size_in(step // setup.epoch_steps))
    if recipe.cutmix:
        x, targets = augment.cutmix(x, targets, recipe.cutmix)
    with autocast(setup.device, recipe):
        logits = learner.network(x)
        loss = objective(logits, targets, recipe.temperature)
        reported = loss if targets is labels else objective(logits.detach(), labels, 1)
    learner.optimizer.zero_grad()
    (loss * (setup.group.size / len(batch))).backward()
    learner.optimizer.step()
    learner.update_average(step)
    return torch.stack([reported.detach(), (logits.argmax(1) == labels).sum()])


def run_epoch(setup: Setup, learner: Learner, progress: Progress, totals: Totals, saver: Saver, bar: tqdm) -> None:
    """Take the remaining steps of the present epoch; after all but the last, the run may be saved or stopped."""
    epoch, done = divmod(progress.step, setup.epoch_steps)
    generator = torch.Generator().manual_seed(setup.seed * 10_007 + epoch)
    order = torch.randperm(len(setup.train), generator=generator).to(setup.device)
    for number, batch in enumerate(order.split(setup.recipe.batch_size)[done:], done + 1):
        totals.values += train_step(setup, learner, progress.step, batch)
        progress.step += 1
        bar.update(len(batch))
        if not bar.disable and bar.last_print_n == bar.n:  # just drawn: reading the totals waits for the device
            count = min(number * setup.recipe.batch_size, len(order)) / setup.group.size
            loss, accuracy = (totals.values / count).tolist()
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{100 * accuracy:.2f}%", refresh=False)
        if number < setup.epoch_steps:
            saver.after_step(progress, totals)


def end_epoch(setup: Setup, learner: Learner, progress: Progress, totals: Totals) -> dict[str, float] | None:
    """Validate, and add the epoch's row and snapshot to the progress; returns the row on rank 0, else None.

    Raises Diverged.
    """
    recipe, seconds = setup.recipe, totals.seconds
    epoch = progress.step // setup.epoch_steps - 1
    loss, accuracy = (setup.group.sum(totals.values) / len(setup.train)).tolist()
    check_finite(loss, epoch, progress.history)
    if not setup.group.is_rank_0:
        return None
    measured = measure(learner.kept, setup.validation, recipe.size_in(epoch), recipe.mean, recipe.std)
    values = (epoch + 1, setup.lr(progress.step - 1), loss, 100 * accuracy, measured["loss"], measured["accuracy"])
    values += (len(setup.train) / seconds, seconds)
    row: dict[str, float] = dict(zip(HISTORY_COLUMNS, (float(f"{value:.6g}") for value in values), strict=True))
    progress.history.append(row)
    if progress.snapshots:
        progress.take(learner.kept)
    return row


def progress_bar(setup: Setup, progress: Progress) -> tqdm:
    """A bar over the images of all epochs, starting from those before an interruption; rank 0 shows it."""
    epoch, batch = divmod(progress.step, setup.epoch_steps)
    total, hidden = setup.recipe.epochs * len(setup.train), not setup.group.is_rank_0
    bar = tqdm(total=total, unit="img", unit_scale=True, desc=setup.name, mininterval=0.5, disable=hidden)
    bar.update(epoch * len(setup.train) + batch * setup.recipe.batch_size)
    return bar


def fit(
    setup: Setup,
    state: Path,
    *,
    resume: bool = False,
    stop: Callable[[], bool] = lambda: False,
    log: Callable[[dict], None] = lambda row: None,
) -> tuple[nn.Module, Progress]:
    """Train a network; returns it, and its progress with history (rows of `HISTORY_COLUMNS`) and snapshots.

    The run is saved to `state`; a resumed run ends with the same weights as an uninterrupted one. `stop` is called
    after every step: once it returns True, the run is saved and TrainingError raised. `log` is called with the row of
    every epoch. Snapshots are taken before the first epoch and after each, where the learner keeps
    them.
    Raises Diverged when the loss is no longer finite.
    """
    learner = Learner(setup)
    saver = Saver(state, setup, learner, stop)
    progress = Progress()
    if resume:
        progress = saver.load()
    elif learner.keeps_snapshots:
        progress.take(learner.kept)
    learner.network = setup.group.wrap(learner.network)
    totals = Totals(setup, progress)
    with progress_bar(setup, progress) as bar:
        while progress.step < setup.steps:
            run_epoch(setup, learner, progress, totals, saver, bar)
            if row := end_epoch(setup, learner, progress, totals):
                log(row)
                bar.write(
                    "epoch {epoch:3.0f}  lr {lr:.2e}  train {train_loss:.4f} {train_accuracy:.2f}%  validation "
                    "{val_loss:.4f} {val_accuracy:.2f}%  {images_per_second:,.0f} images/s".format(**row)
                )
            totals.reset()
            saver.after_step(progress, totals)
    return learner.kept, progress
