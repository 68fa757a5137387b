"""The state of an unfinished training in safetensors files, enough to resume it exactly.

The last two states are kept, in case the last is damaged.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

UNREADABLE = (OSError, SafetensorError, TypeError, KeyError, ValueError)


class TrainingError(RuntimeError):
    """A training cannot start or continue; the message says why and what to do."""


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


def before(path: Path) -> Path:
    """The file of the state before the one in `path`."""
    return path.with_suffix(".before.safetensors")


def exists(path: Path) -> bool:
    return path.exists() or before(path).exists()


def discard(path: Path) -> None:
    """Remove the states of a finished training and its other files, but for its lock."""
    for file in path.parent.glob(f"{path.stem}.*"):
        if file.suffix != ".lock":  # a process may hold it, and another could lock a new file beside it
            file.unlink(missing_ok=True)


def save_state(
    path: Path, facts: dict, progress: Progress, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer
) -> None:
    """Write the state of a run; a complete state is on disk at every moment after the first.

    `facts` (JSON types) identify the run. Raises TrainingError when it cannot be written.
    """
    tensors = {f"{key}.{name}": t for key, module in modules.items() for name, t in module.state_dict().items()}
    for index, values in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": t for name, t in values.items() if isinstance(t, Tensor)}
    tensors |= {f"snapshots.{name}": t for name, t in progress.snapshots.items()}
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    numbers = asdict(replace(progress, snapshots={}))
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, new, metadata={"run": json.dumps({"facts": facts, "progress": numbers})})
        with open(new, "r+b") as file:  # Windows syncs only what can be written
            os.fsync(file.fileno())
        if path.exists():
            path.replace(before(path))
        new.replace(path)
    except (OSError, SafetensorError) as error:
        new.unlink(missing_ok=True)
        remedy = "nothing of it is saved: make room, or choose another --out, then start it again"
        if exists(path):
            remedy = "the state before it is still there: make room, then go on with --resume"
        raise TrainingError(f"the training could not be saved to {path} ({error}); {remedy}") from error


def load_state(path: Path, facts: dict, modules: dict[str, nn.Module], optimizer: torch.optim.Optimizer) -> Progress:
    """Load a saved state into modules and optimizer; returns the progress of the run.

    Where the last state cannot be read, the one before is loaded. Raises TrainingError when there is none, or when its
    facts are others.
    """
    try:
        run, tensors = _read(path)
    except UNREADABLE as error:
        try:
            run, tensors = _read(before(path))
        except UNREADABLE:
            raise TrainingError(
                f"there is no unfinished training in {path} ({error}); start it without --resume"
            ) from error
    if run["facts"] != json.loads(json.dumps(facts)):
        raise TrainingError(
            f"{path} is of another run ({run['facts']}); repeat its recipe, seed and images, or use --restart"
        )
    for key, module in modules.items():
        module.load_state_dict({name: tensors[f"{key}.{name}"] for name in module.state_dict()})
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            like = parameters[int(index)]
            # Fused optimisers need the memory layout of the parameter.
            value = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
            state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": state})
    snapshots = {
        name.removeprefix("snapshots."): tensor for name, tensor in tensors.items() if name.startswith("snapshots.")
    }
    return Progress(**run["progress"] | {"snapshots": snapshots})


def _read(path: Path) -> tuple[dict, dict[str, Tensor]]:
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (it is not a dict)
        return json.loads(file.metadata()["run"]), tensors
