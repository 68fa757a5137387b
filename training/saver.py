"""When and how the training loop saves its run, so that `--resume` continues it exactly."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from training.learner import Learner, Setup
from training.saved_run import Progress, SavedRun
from training.state import GO_ON, TrainingError, load_state, save_state

SAVE_EVERY = 120  # seconds between two saved states
SAVING = 0.1  # of the time at most is spent on saving after epochs too, so that the page can show them


class Diverged(TrainingError):
    """The loss is no longer finite; `history` has the epochs before."""

    def __init__(self, epoch: int, history: list[dict]):
        super().__init__(f"the loss is no longer a number in epoch {epoch + 1}; start again with a lower --lr")
        self.history = history


def check_finite(loss: float, epoch: int, history: list[dict]) -> None:
    """Raises Diverged where the loss of an epoch (from 0) is not finite."""
    if not math.isfinite(loss):
        raise Diverged(epoch, history)


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
        self.path, self.setup, self.stop = path, setup, stop
        self.run = SavedRun(
            setup.facts(), setup.recipe.epochs, setup.epoch_steps, learner.modules, learner.optimizer,
            learner.keeps_snapshots,
        )  # fmt: skip
        self.saved, self.cost = time.monotonic(), 0.0  # when a state was last written, and the seconds that took

    def load(self) -> Progress:
        """Load the saved state into the learner of every process; returns its progress. Raises TrainingError."""
        load = partial(load_state, self.path, self.run)
        return self.setup.group.resume(load, self.run.modules, self.run.optimizer)

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
            raise TrainingError(f"stopped in epoch {epoch} of {setup.recipe.epochs}; {GO_ON}")

    def save(self, progress: Progress, totals: Totals) -> None:
        """Rank 0 writes the state; all processes have to call this, as it sums their totals."""
        progress.loss, progress.right = self.setup.group.sum(totals.values).tolist()
        check_finite(progress.loss, (progress.step - 1) // self.setup.epoch_steps, progress.history)
        progress.seconds = totals.seconds
        begun = time.monotonic()
        self.setup.group.on_rank_0(lambda: save_state(self.path, self.run, progress))
        self.saved = time.monotonic()
        self.cost = self.saved - begun
