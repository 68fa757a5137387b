"""The state of an unfinished training in safetensors files, enough to resume it exactly.

The last two states are kept, in case the last is damaged.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from cnn_models.checkpoints.folder import check_shapes, is_finite, weights_hash
from training.saved_run import Progress, SavedRun, differences, with_fields

DAMAGED = (OSError, SafetensorError, TypeError, KeyError, ValueError, RecursionError, OverflowError)
"""What reading a damaged file raises."""
GO_ON = "go on with the same command (training.train: and --resume)"


class TrainingError(RuntimeError):
    """A training cannot start or continue; the message says why and what to do."""


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


def save_state(path: Path, run: SavedRun, progress: Progress) -> None:
    """Write the state of a run; a complete state is on disk at every moment after the first.

    Raises TrainingError when it cannot be written.
    """
    tensors = {f"{key}.{name}": t for key, module in run.modules.items() for name, t in module.state_dict().items()}
    for index, values in run.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": t for name, t in values.items() if isinstance(t, Tensor)}
    tensors |= {f"snapshots.{name}": t for name, t in progress.snapshots.items()}
    tensors = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    header = json.dumps({"facts": run.facts, "progress": asdict(replace(progress, snapshots={}))})
    new = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, new, metadata={"run": header, "sha256": _hash(header, tensors)})
        with open(new, "r+b") as file:  # Windows syncs only what can be written
            os.fsync(file.fileno())
        if path.exists():
            path.replace(before(path))
        new.replace(path)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        remedy = "nothing of it is saved: make room, or choose another --out, then start it again"
        if exists(path):
            remedy = f"the state before it is still there: make room, then {GO_ON}"
        raise TrainingError(f"the training could not be saved to {path} ({error}); {remedy}") from error


def load_state(path: Path, run: SavedRun) -> Progress:
    """Load a saved state into the modules and the optimizer of a run; returns its progress.

    Where the last state is damaged, that is printed, and the one before is loaded and takes its place. Raises
    TrainingError when no state is whole, or when it is of another run.
    """
    damages = []
    for file in (path, before(path)):
        try:
            progress = _load(file, run)
        except FileNotFoundError:
            continue
        except DAMAGED as error:
            damages.append(f"{file} is damaged ({error})")
            continue
        if file != path:
            _put_back(file, path)
        for damage in damages:
            print(f"{damage}; the state before it is used, step {progress.step:,} of {run.steps:,}", file=sys.stderr)
        return progress
    if not damages:
        raise TrainingError(f"there is no unfinished training in {path}; start it without --resume")
    raise TrainingError(f"{' and '.join(damages)}; remove what is damaged, then start anew")


def _put_back(file: Path, path: Path) -> None:
    """Make the state before the last one: the next to be saved would replace it by the damaged one."""
    try:
        file.replace(path)
    except OSError as error:
        raise TrainingError(f"{path} is damaged, and {file} cannot take its place ({error}); rename it so") from error


def _load(path: Path, run: SavedRun) -> Progress:
    """Load one state.

    Raises TrainingError for one of another run, and one of `DAMAGED`, with the run as it was, unless the state has
    exactly the tensors of the run, by name, shape and type, all finite, a possible progress, and the recorded hash.
    """
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        content = with_fields(json.loads(metadata.get("run", "null")), {"facts", "progress"})
        if other := differences(content["facts"], run.facts):
            raise TrainingError(f"{path} is of another run: {other}; repeat that run, or use --restart")
        progress = run.progress(content["progress"])
        forms = run.tensors(epochs=len(progress.history))
        check_shapes(file, {name: shape for name, (shape, _) in forms.items()})
        tensors = {name: file.get_tensor(name) for name in forms}
    for name, tensor in tensors.items():
        if tensor.dtype != forms[name][1]:
            raise ValueError(f"{name} is {tensor.dtype} instead of {forms[name][1]}")
        if not is_finite(tensor):
            raise ValueError(f"{name} is not finite")
    if metadata.get("sha256") not in (None, _hash(metadata["run"], tensors)):  # older states have none
        raise ValueError("its hash is not the one recorded")
    _restore(tensors, run)
    for name, tensor in tensors.items():
        if name.startswith("snapshots."):  # cloned, as safetensors maps the file, which the next state replaces
            progress.snapshots[name.removeprefix("snapshots.")] = tensor.clone()
    return progress


def _restore(tensors: dict[str, Tensor], run: SavedRun) -> None:
    for key, module in run.modules.items():
        module.load_state_dict({name: tensors[f"{key}.{name}"] for name in module.state_dict()})
    parameters = [p for group in run.optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            like = parameters[int(index)]
            # Fused optimisers need the memory layout of the parameter.
            value = torch.empty_like(like).copy_(tensor) if tensor.shape == like.shape else tensor
            state.setdefault(int(index), {})[key] = value
    run.optimizer.load_state_dict(run.optimizer.state_dict() | {"state": state})


def _hash(header: str, tensors: dict[str, Tensor]) -> str:
    return hashlib.sha256(f"{header}\n{weights_hash(tensors)}".encode()).hexdigest()
