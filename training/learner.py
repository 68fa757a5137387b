"""The setup of a training run, and its network with optimizer and averaged weights."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cnn_models.runtime import place
from training.data import LabelledImages
from training.init import initialise
from training.optimizers import OPTIMIZERS
from training.process_group import SingleProcess
from training.recipes import Recipe
from training.saved_run import snapshots_size


@dataclass(frozen=True)
class Setup:
    """Everything that the trained weights depend on.

    `name` is the checkpoint's, `build` makes the network, `recipe` is a filled one (`Recipe.filled`).
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
        return self.recipe.learning_rate(step / self.steps)

    def facts(self) -> dict:
        """The identity of the run as JSON types: a saved state is resumed only by a run with the same facts."""
        recipe = dataclasses.asdict(self.recipe)
        facts = {"name": self.name, "recipe": recipe, "seed": self.seed, "pictures": len(self.train)}
        if self.train.soft_targets is not None:
            facts["answers"] = hashlib.sha256(self.train.soft_targets.cpu().numpy().data).hexdigest()
        return facts


class Learner:
    """A network in training, its optimizer, and the moving average of its weights where the recipe has one.

    `network` is `model`, compiled or data-parallel; `kept` is validated and becomes the checkpoint: the average, or
    `model` without one; `modules` are those that a saved state holds. `keeps_snapshots` where the snapshots of all
    epochs fit into `SNAPSHOTS_LIMIT`.
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
        weights = sum(tensor.numel() for tensor in self.model.state_dict().values())
        self.keeps_snapshots = snapshots_size(recipe.epochs, weights) > 0
        build_optimizer = OPTIMIZERS[recipe.optimizer]
        self.optimizer = build_optimizer(self.model.parameters(), weight_decay=recipe.weight_decay, fused=True)
        self.network = cast(nn.Module, torch.compile(self.model)) if recipe.compile else self.model

    def update_average(self, step: int) -> None:
        """Move the average towards the weights after a step (from 0); after the first, it is a copy of them."""
        if self.average is None:
            return
        if step:
            self.ema(self.averages, self.weights, 1)
        else:
            self.average.update_parameters(self.model)
