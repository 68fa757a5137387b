"""What a saved state of a training holds: the identity of the run, its progress and its tensors."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from cnn_models.checkpoints.folder import HISTORY_COLUMNS, SNAPSHOTS_LIMIT
from training.optimizers import state_shapes

NAMES = {"pictures": "images", "answers": "soft targets"}  # the terms for facts that older states named otherwise


@dataclass
class Progress:
    """The steps taken, and of the present epoch the summed loss, the number of correct predictions and the seconds.

    `snapshots` are as `read_snapshots` returns them; {} where none are kept.
    """

    step: int = 0
    loss: float = 0.0
    right: float = 0.0
    seconds: float = 0.0
    history: list[dict] = field(default_factory=list)
    snapshots: dict[str, Tensor] = field(default_factory=dict)

    def take(self, model: nn.Module) -> None:
        """Append the weights of a network, as float16, to the snapshots."""
        for name, tensor in model.state_dict().items():
            new = tensor.detach().cpu().half().contiguous()[None]
            self.snapshots[name] = torch.cat([self.snapshots[name], new]) if name in self.snapshots else new


@dataclass(frozen=True)
class SavedRun:
    """A training, as far as its states depend on it.

    `facts` (JSON types) identify it; `modules`, of which "model" is one, and `optimizer` are saved. Every `epoch_steps`
    steps add a row of history and, with `snapshots`, the weights.
    """

    facts: dict
    epochs: int
    epoch_steps: int
    modules: dict[str, nn.Module]
    optimizer: torch.optim.Optimizer
    snapshots: bool = False

    @property
    def steps(self) -> int:
        """The steps of the whole training."""
        return self.epochs * self.epoch_steps

    def tensors(self, epochs: int) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
        """Shape and type of every tensor of a state after this many epochs, by name."""
        found = {
            f"{key}.{name}": (tuple(tensor.shape), tensor.dtype)
            for key, module in self.modules.items()
            for name, tensor in module.state_dict().items()
        }
        found |= {f"optimizer.{name}": form for name, form in state_shapes(self.optimizer).items()}
        if self.snapshots:
            weights = self.modules["model"].state_dict()
            found |= {f"snapshots.{name}": ((epochs + 1, *t.shape), torch.float16) for name, t in weights.items()}
        return found

    def progress(self, values: Any) -> Progress:
        """The progress of a state, without its snapshots. Raises ValueError for one that is impossible in this run."""
        names = {field.name for field in fields(Progress)}
        progress = replace(Progress(**with_fields(values, names)), snapshots={})
        if type(progress.step) is not int or not 1 <= progress.step <= self.steps:
            raise ValueError(f"step {progress.step!r:.20} is not one of its {self.steps:,}")
        if not all(map(_is_possible, (progress.loss, progress.right, progress.seconds))):
            raise ValueError("a sum of its epoch is not a possible number")
        check_history(progress.history, progress.step // self.epoch_steps)
        return progress


def snapshots_size(epochs: int, weights: int) -> int:
    """Bytes of the float16 snapshots of so many weights; 0 beyond `SNAPSHOTS_LIMIT`, where none are kept."""
    size = 2 * (epochs + 1) * weights
    return size if size <= SNAPSHOTS_LIMIT else 0


def check_history(rows: Any, epochs: int) -> None:
    """Raises ValueError unless these are the rows of a history of so many epochs."""
    if not isinstance(rows, list) or len(rows) != epochs:
        raise ValueError(f"its history does not have {epochs} epochs")
    for epoch, row in enumerate(rows, 1):
        figures = with_fields(row, set(HISTORY_COLUMNS))
        if not all(map(_is_possible, figures.values())) or figures["epoch"] != epoch:
            raise ValueError(f"epoch {epoch} of its history has impossible numbers")


def differences(saved: Any, facts: dict) -> str:
    """The fields in which saved facts differ from those of a run; "" where they are the same.

    Raises ValueError for saved facts of another form.
    """
    was, now = _flat(saved), _flat(json.loads(json.dumps(facts)))
    return ", ".join(
        f"{NAMES.get(key, key)} {was.get(key)!s:.40} instead of {now.get(key)!s:.40}"
        for key in now | was
        if was.get(key) != now.get(key)
    )


def with_fields(value: Any, names: set[str]) -> dict[str, Any]:
    """The value, if it is a JSON object with exactly these fields. Raises ValueError."""
    if not isinstance(value, dict) or value.keys() != names:
        raise ValueError(f"it has other fields than {', '.join(sorted(names))}")
    return value


def _flat(facts: Any) -> dict:
    """Facts with the fields of the recipe among them."""
    recipe = facts.get("recipe", {}) if isinstance(facts, dict) else None
    if not isinstance(recipe, dict):
        raise ValueError("it has no facts of a run")
    return {key: value for key, value in facts.items() if key != "recipe"} | recipe


def _is_possible(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0
