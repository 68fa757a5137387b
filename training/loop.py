"""The training loop: `fit` calls `run_epoch`, that `train_step`; a `Saver` keeps the run, so that it can be resumed."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from cnn_models.checkpoints.folder import HISTORY_COLUMNS, SNAPSHOTS_LIMIT
from cnn_models.images.preprocess import to_input
from cnn_models.runtime import place
from training import augment
from training.data import LabelledImages
from training.init import initialise
from training.metrics import measure
from training.optimizers import OPTIMIZERS
from training.process_group import SingleProcess
from training.recipes import Recipe
from training.state import Progress, TrainingError, load_state, save_state

GOLDEN = 0x9E3779B1  # 2**32 over the golden ratio, prime: its multiples lie far apart modulo 2**32
SEEDS = 4096  # of one process, before those of the next
SAVE_EVERY = 120  # seconds between two saved states of an unfinished training
SAVING = 0.1  # of the time at most, for saving after an epoch too, so that the page can show it


class Diverged(TrainingError):
    """The loss is no longer finite; `history` has the epochs before."""

    def __init__(self, epoch: int, history: list[dict]):
        super().__init__(f"the loss is no longer a number in epoch {epoch + 1}; start again with a lower --lr")
        self.history = history


def prepare(images: Tensor, recipe: Recipe, size: int) -> Tensor:
    """A batch of images (uint8, N x 28 x 28) as the input of the network in training.

    Those of a distilled recipe are views, augmented already.
    """
    x = images if recipe.teachers else augment.augmented(images, recipe)
    return to_input(x, size, recipe.mean, recipe.std)


def autocast(device: torch.device, recipe: Recipe) -> AbstractContextManager:
    """The context in which convolutions and products have the recipe's precision."""
    return torch.autocast(device.type, torch.bfloat16) if recipe.precision == "bfloat16" else nullcontext()


def objective(logits: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """The summed cross-entropy of a batch against its targets: labels N, or probabilities N x 10.

    Soft targets are of a temperature; its square keeps the size of the gradients (Hinton et al. 2015).
    """
    if temperature == 1:
        return F.cross_entropy(logits, targets, reduction="sum")
    return F.cross_entropy(logits / temperature, targets, reduction="sum") * temperature**2


@dataclass(frozen=True)
class Setup:
    """What is trained, on which images, by which recipe and where: everything that the weights depend on.

    `name` is that of the checkpoint, `build` makes the network, `recipe` holds no None.
    """

    name: str
    build: Callable[[], nn.Module]
    train: LabelledImages
    validation: LabelledImages
    recipe: Recipe
    seed: int
    device: torch.device
    group: SingleProcess = field(default_factory=SingleProcess)

    @property
    def epoch_steps(self) -> int:
        """The steps of one epoch; its last batch may be smaller than the others."""
        return -(-len(self.train) // self.recipe.batch_size)

    @property
    def steps(self) -> int:
        """The steps of the whole training."""
        return self.recipe.epochs * self.epoch_steps

    def lr(self, step: int) -> float:
        """The learning rate of a step (from 0)."""
        return self.recipe.rate(step / self.steps)

    def facts(self) -> dict:
        """What tells the saved state of this run from those of others, in JSON's types."""
        recipe = dataclasses.asdict(self.recipe)
        found = {"name": self.name, "recipe": recipe, "seed": self.seed, "pictures": len(self.train)}
        if self.train.answers is not None:
            found["answers"] = hashlib.sha256(self.train.answers.cpu().numpy().data).hexdigest()
        return found


class Learner:
    """A network in training, its optimizer, and the moving average of its weights where the recipe has one.

    `network` computes what `model` does, compiled or data-parallel; `kept` is what is validated and becomes the
    checkpoint; `modules` are those that a saved state holds.
    """

    def __init__(self, setup: Setup):
        recipe = setup.recipe
        torch.manual_seed(setup.seed)
        model = setup.build()
        initialise(model, recipe.init)
        self.model = self.kept = place(model, setup.device)
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.average: AveragedModel | None = None
        if recipe.average:
            self.ema = get_ema_multi_avg_fn(recipe.average)
            self.average = self.modules["average"] = AveragedModel(self.model, multi_avg_fn=self.ema)
            self.kept = self.average.module
            # AveragedModel collects them at every step, which takes four times as long as averaging a small network.
            self.averages: list[Tensor] = list(self.average.parameters())
            self.weights: list[Tensor] = list(self.model.parameters())
        build_optimizer = OPTIMIZERS[recipe.optimizer]
        self.optimizer = build_optimizer(self.model.parameters(), weight_decay=recipe.weight_decay, fused=True)
        self.network = cast(nn.Module, torch.compile(self.model)) if recipe.compile else self.model

    def update_average(self, step: int) -> None:
        """Move the average towards the weights after a step (from 0); it begins as a copy of them."""
        if self.average is None:
            return
        if step:
            self.ema(self.averages, self.weights, 1)
        else:
            self.average.update_parameters(self.model)


class Totals:
    """This process's sums over the present epoch: `values` (2) are loss and correct predictions, on the device."""

    def __init__(self, setup: Setup, progress: Progress):
        self.values = torch.tensor([progress.loss, progress.right], device=setup.device) * setup.group.is_rank_0
        self.started = time.monotonic() - progress.seconds

    @property
    def seconds(self) -> float:
        """The seconds since the epoch began, those before an interruption included."""
        return time.monotonic() - self.started

    def reset(self) -> None:
        self.values.zero_()
        self.started = time.monotonic()


class Saver:
    """Saves a run every `SAVE_EVERY` seconds, after an epoch where that costs little, at its end and when stopped."""

    def __init__(self, path: Path, setup: Setup, learner: Learner, stop: Callable[[], bool]):
        self.path, self.setup, self.learner, self.stop = path, setup, learner, stop
        self.facts = setup.facts()
        self.saved, self.cost = time.monotonic(), 0.0  # when a state was last written, and the seconds that took

    def load(self) -> Progress:
        """Put the saved state into the learner, in all processes; returns how far the run was. Raises TrainingError."""
        modules, optimizer = self.learner.modules, self.learner.optimizer
        load = partial(load_state, self.path, self.facts, modules, optimizer)
        return self.setup.group.resume(load, modules, optimizer)

    def after_step(self, progress: Progress, totals: Totals) -> None:
        """Save the run if that is due. Raises TrainingError if it is to stop, Diverged as `check_finite` does."""
        setup, waited = self.setup, time.monotonic() - self.saved
        finished = progress.step == setup.steps  # saved too: writing the checkpoint may yet fail
        ends_epoch = progress.step % setup.epoch_steps == 0
        cheap = setup.group.is_rank_0 and ends_epoch and self.cost < SAVING * waited
        stopped, due = setup.group.any([self.stop(), finished or cheap or waited > SAVE_EVERY])
        if stopped or due:
            self.save(progress, totals)
        if stopped and not finished:
            epoch = (progress.step - 1) // setup.epoch_steps + 1
            raise TrainingError(
                f"stopped in epoch {epoch} of {setup.recipe.epochs}; go on with the same command and --resume"
            )

    def save(self, progress: Progress, totals: Totals) -> None:
        """Rank 0 writes the state; all processes have to call this, as it sums their totals."""
        progress.loss, progress.right = self.setup.group.sum(totals.values).tolist()
        check_finite(progress.loss, (progress.step - 1) // self.setup.epoch_steps, progress.history)
        progress.seconds = totals.seconds
        begun = time.monotonic()
        if self.setup.group.is_rank_0:
            save_state(self.path, self.facts, progress, self.learner.modules, self.learner.optimizer)
        self.saved = time.monotonic()
        self.cost = self.saved - begun


def check_finite(loss: float, epoch: int, history: list[dict]) -> None:
    """Raises Diverged where the loss of an epoch (from 0) is not finite."""
    if not math.isfinite(loss):
        raise Diverged(epoch, history)


def reseed(setup: Setup, step: int) -> None:
    """Seed the randomness of a step: it depends on nothing but seed, step and process."""
    seed = (step + (setup.seed + SEEDS * setup.group.rank) * GOLDEN) % 2**32  # a CPU's generator keeps 32 bits
    # torch.manual_seed also looks for every other kind of device, which takes as long as flipping a batch.
    (torch.default_generator.manual_seed if setup.device.type == "cpu" else torch.manual_seed)(seed)


def train_step(setup: Setup, learner: Learner, step: int, batch: Tensor) -> Tensor:
    """Train on a batch, given as the numbers of its images; returns the loss and correct predictions (2), summed.

    Both are of this process's part of the batch, and against the labels, as in validation: the loss that a distilled
    network minimises is on another scale.
    """
    recipe, train = setup.recipe, setup.train
    reseed(setup, step)
    for parameters in learner.optimizer.param_groups:
        parameters["lr"] = setup.lr(step)
    index = setup.group.part(batch)
    labels = train.labels.index_select(0, index)  # several times as fast as [index]
    targets = labels if train.answers is None else train.answers.index_select(0, index)
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
        if not bar.disable and bar.last_print_n == bar.n:  # the bar has just been drawn: time for a look at the device
            seen = min(number * setup.recipe.batch_size, len(order)) / setup.group.size
            loss, accuracy = (totals.values / seen).tolist()
            bar.set_postfix(loss=f"{loss:.4f}", accuracy=f"{100 * accuracy:.2f}%", refresh=False)
        if number < setup.epoch_steps:
            saver.after_step(progress, totals)


def end_epoch(setup: Setup, learner: Learner, progress: Progress, totals: Totals) -> dict[str, float] | None:
    """Validate after an epoch and add its row to the history, and a snapshot; returns the row, on rank 0 alone.

    Raises Diverged.
    """
    recipe, seconds = setup.recipe, totals.seconds
    epoch = progress.step // setup.epoch_steps - 1
    loss, accuracy = (setup.group.sum(totals.values) / len(setup.train)).tolist()
    check_finite(loss, epoch, progress.history)
    if not setup.group.is_rank_0:
        return None
    found = measure(learner.kept, setup.validation, recipe.size_in(epoch), recipe.mean, recipe.std)
    values = (epoch + 1, setup.lr(progress.step - 1), loss, 100 * accuracy, found["loss"], found["accuracy"])
    values += (len(setup.train) / seconds, seconds)
    row: dict[str, float] = dict(zip(HISTORY_COLUMNS, (float(f"{value:.6g}") for value in values), strict=True))
    progress.history.append(row)
    if progress.snapshots:
        progress.take(learner.kept)
    return row


def progress_bar(setup: Setup, progress: Progress) -> tqdm:
    """A bar over the images of all epochs, those that were trained on before an interruption done; rank 0 shows it."""
    epoch, batch = divmod(progress.step, setup.epoch_steps)
    bar = tqdm(
        total=setup.recipe.epochs * len(setup.train),
        unit="img",
        unit_scale=True,
        desc=setup.name,
        mininterval=0.5,
        disable=not setup.group.is_rank_0,
    )
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
    """Train a network; returns it, with its history (`HISTORY_COLUMNS`) and snapshots.

    The run is saved to `state`, and a resumed one goes on as if it had never stopped. `stop` is called after every
    step: once it is true, the run is saved and TrainingError raised, and Diverged when the loss is no longer finite.
    Snapshots are kept, before the first epoch and after each, where all of them fit into `SNAPSHOTS_LIMIT`.
    `log` is called with the row of every epoch.
    """
    learner = Learner(setup)
    saver = Saver(state, setup, learner, stop)
    progress = Progress()
    snapshot_bytes = sum(2 * tensor.numel() for tensor in learner.model.state_dict().values())
    if resume:
        progress = saver.load()
    elif (setup.recipe.epochs + 1) * snapshot_bytes <= SNAPSHOTS_LIMIT:
        progress.take(learner.kept)
    learner.network = setup.group.wrap(learner.network)
    totals = Totals(setup, progress)
    with progress_bar(setup, progress) as bar:
        while progress.step < setup.steps:
            run_epoch(setup, learner, progress, totals, saver, bar)
            if row := end_epoch(setup, learner, progress, totals):
                log(row)
                bar.write(
                    "epoch {epoch:3.0f}  rate {lr:.2e}  train {train_loss:.4f} {train_accuracy:.2f}%  validation "
                    "{val_loss:.4f} {val_accuracy:.2f}%  {images_per_second:,.0f} images/s".format(**row)
                )
            totals.reset()
            saver.after_step(progress, totals)
    return learner.kept, progress
