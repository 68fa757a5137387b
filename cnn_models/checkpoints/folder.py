"""Checkpoint folders, which are Hub repositories too: written atomically, and read as untrusted input."""

from __future__ import annotations

import csv
import dataclasses
import errno
import hashlib
import math
import shutil
from functools import cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cnn_models.architectures import ARCHITECTURES, create_model
from cnn_models.checkpoints.evaluation import Evaluation
from cnn_models.checkpoints.ids import REFERENCE_MODEL
from cnn_models.datasets import DATASETS
from cnn_models.errors import TranslatableError
from cnn_models.specs import Card

WEIGHTS, CONFIG, HISTORY, README = "model.safetensors", "config.json", "history.csv", "README.md"
EVALUATION = "evaluation.json"  # missing until the checkpoint is evaluated
FILES = (WEIGHTS, CONFIG, HISTORY, README, EVALUATION)
SNAPSHOTS = "snapshots.safetensors"  # of small networks, read only on request
CENTROIDS = "centroids.safetensors"  # of the reference models, missing until they are evaluated
REQUIRED = (WEIGHTS, CONFIG, SNAPSHOTS)  # those of the requested files without which a checkpoint is missing
HISTORY_COLUMNS = (
    "epoch", "lr", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "images_per_second", "seconds",
)  # fmt: skip

HALF_ABOVE = 8 * 2**20  # bytes of float32 from which weights are stored as float16
HEADER_LIMIT = 2**20  # bytes that the header of a weights file may add to its tensors
CONFIG_LIMIT = 2**20  # bytes of a config.json or an evaluation.json
TEMPERATURES = 20  # the greatest temperature; the least is its inverse
SNAPSHOTS_LIMIT = 16 * 2**20  # bytes of all snapshots of a training; none are kept beyond that


class CheckpointError(TranslatableError):
    """A checkpoint that cannot be used; the message gives the reason and the remedy, without a full stop."""


def files_of(card: Card) -> tuple[str, ...]:
    """The files that a checkpoint with this card may have."""
    snapshots = (SNAPSHOTS,) if card.snapshots_sha256 else ()
    centroids = (CENTROIDS,) if card.architecture == REFERENCE_MODEL else ()
    return *FILES, *snapshots, *centroids


@cache
def tensor_shapes(architecture: str) -> dict[str, tuple[int, ...]]:
    """The shapes of a network's tensors by name, without allocating them."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in create_model(architecture).state_dict().items()}


def feature_count(architecture: str) -> int:
    """The number of penultimate features of a network: the inputs of its last linear layer."""
    weight, _bias = list(tensor_shapes(architecture).values())[-2:]
    return weight[1]


def memory(architecture: str) -> int:
    """Bytes of a loaded network's tensors, in float32."""
    return 4 * sum(map(math.prod, tensor_shapes(architecture).values()))


def weights_hash(tensors: dict[str, Tensor]) -> str:
    """SHA-256, in hex, of the names, types, shapes and bytes of the tensors, in the order of their names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()


def write_checkpoint(
    folder: Path,
    state: dict[str, Tensor],
    card: Card,
    history: list[dict],
    readme: str,
    evaluation: Evaluation | None = None,
    snapshots: dict[str, Tensor] | None = None,
) -> Card:
    """The card, with the type and the hashes of the stored tensors, after writing the files of a checkpoint.

    `snapshots` are as `read_snapshots` returns them. The folder is replaced as a whole, or stays unchanged where
    CheckpointError is raised, as on a full disk.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    if sum(tensor.numel() * 4 for tensor in tensors.values()) > HALF_ABOVE:
        tensors = {name: tensor.half() for name, tensor in tensors.items()}
    dtype = str(next(iter(tensors.values())).dtype).removeprefix("torch.")
    card = dataclasses.replace(
        card,
        weights_dtype=dtype,
        weights_sha256=weights_hash(tensors),
        snapshots_sha256=weights_hash(snapshots) if snapshots else None,
    )
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    if old.is_dir() and not folder.exists():  # killed between the two renames below
        old.rename(folder)
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        save_file(tensors, new / WEIGHTS, metadata={"card": card.to_json()})
        if snapshots:
            save_file(snapshots, new / SNAPSHOTS, metadata={"card": card.to_json()})
        (new / CONFIG).write_text(card.to_json(indent=2) + "\n", encoding="utf-8")
        with open(new / HISTORY, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HISTORY_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(history)
        (new / README).write_text(readme, encoding="utf-8")
        if evaluation:
            (new / EVALUATION).write_text(evaluation.to_json() + "\n", encoding="utf-8")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(new, ignore_errors=True)
        if old.is_dir() and not folder.exists():
            old.rename(folder)
        raise unwritten(folder, error) from error
    shutil.rmtree(old, ignore_errors=True)
    return card


def unwritten(path: Path, error: Exception) -> CheckpointError:
    """The error of a folder, or a file of one, that could not be replaced."""
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    why = TranslatableError("checkpoint.disk") if full else error
    return CheckpointError("checkpoint.unwritten", folder=path, why=why)


def write_file(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises CheckpointError."""
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise unwritten(path, error) from error


def read_card(folder: Path) -> Card:
    """The checked card of a folder, without reading its weights. Raises CheckpointError."""
    path = folder / CONFIG
    try:
        card = Card.from_json(_read_text(path))
        check_card(card)
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("checkpoint.card", path=path, why=error) from error
    return card


def read_evaluation(folder: Path) -> Evaluation | None:
    """The evaluation of a folder; None where there is none. Raises CheckpointError, also for one of other weights."""
    path = folder / EVALUATION
    if not path.exists():
        return None
    try:
        evaluation = Evaluation.from_json(_read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError("checkpoint.evaluation", path=path, why=error) from error
    card = read_card(folder)
    if evaluation.weights_sha256 != card.weights_sha256:
        raise CheckpointError("checkpoint.stale", path=path, id=card.id)
    return evaluation


def _read_text(path: Path) -> str:
    if path.stat().st_size > CONFIG_LIMIT:
        raise TranslatableError("checkpoint.bytes", limit=f"{CONFIG_LIMIT:,}")
    return path.read_text(encoding="utf-8")


def check_card(card: Card) -> None:
    """Raise TranslatableError unless the architecture and data set of a card are known, and its values possible."""
    if card.architecture not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise TranslatableError("checkpoint.architecture", name=repr(card.architecture), known=known)
    if card.dataset not in DATASETS:
        known = ", ".join(DATASETS)
        raise TranslatableError("checkpoint.dataset", name=repr(card.dataset), known=known)
    if card.classes != DATASETS[card.dataset].classes:
        raise TranslatableError("checkpoint.classes", dataset=card.dataset)
    if card.input_size not in ARCHITECTURES[card.architecture].sizes:
        raise TranslatableError("checkpoint.size", name=card.architecture, size=repr(card.input_size))
    if card.weights_dtype not in ("float32", "float16"):
        raise TranslatableError("checkpoint.stored", type=repr(card.weights_dtype))
    _check_numbers(card)


def _check_numbers(card: Card) -> None:
    if not (abs(card.mean) <= 10 and 1e-3 <= card.std <= 10):
        raise TranslatableError("checkpoint.scale", mean=card.mean, std=card.std)
    for temperature in (card.temperature, card.fitted_temperature):
        if temperature is not None and not 1 / TEMPERATURES <= temperature <= TEMPERATURES:
            raise TranslatableError("checkpoint.temperature", value=temperature, most=TEMPERATURES)
    if card.energy_threshold is not None and not abs(card.energy_threshold) <= 1e6:
        raise TranslatableError("checkpoint.energy", value=card.energy_threshold)
    for name, value in card.metrics.items():
        if name.endswith("_accuracy") and not 0 <= value <= 100:
            raise TranslatableError("checkpoint.share", name=f"{name:.100}", value=value)


def read_weights(folder: Path) -> tuple[dict[str, Tensor], Card]:
    """The tensors of a folder, as stored, and its card.

    Raises CheckpointError unless the tensors have exactly the names, shapes and type of the card's architecture, are
    finite, have the same card in their header, and the hash on the card.
    """
    card = read_card(folder)
    dtype = getattr(torch, card.weights_dtype)
    limit = memory(card.architecture) // 4 * dtype.itemsize
    shapes = tensor_shapes(card.architecture)
    return _read_tensors(folder / WEIGHTS, card, shapes, dtype, limit, card.weights_sha256), card


def read_snapshots(folder: Path) -> dict[str, Tensor] | None:
    """The tensors of a network over its training, by name: (epochs + 1) x shape in float16, the initial ones first.

    None for a card without snapshots. Raises CheckpointError, as `read_weights` does.
    """
    card = read_card(folder)
    if card.snapshots_sha256 is None:
        return None
    count = len(read_history(folder)) + 1
    shapes = {name: (count, *shape) for name, shape in tensor_shapes(card.architecture).items()}
    return _read_tensors(
        folder / SNAPSHOTS, card, shapes, torch.float16, SNAPSHOTS_LIMIT, card.snapshots_sha256
    )  # fmt: skip


def _read_tensors(
    path: Path, card: Card, shapes: dict[str, tuple[int, ...]], dtype: torch.dtype, limit: int, sha256: str
) -> dict[str, Tensor]:
    try:
        if path.stat().st_size > HEADER_LIMIT + limit:
            raise TranslatableError("checkpoint.large")
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).keys() != {"card"} or Card.from_json(file.metadata()["card"]) != card:
                raise TranslatableError("checkpoint.header", file=CONFIG)
            check_shapes(file, shapes)
            # Cloned, as safetensors maps the file: written over in place, it would change a network that runs.
            tensors = {name: file.get_tensor(name).clone() for name in shapes}
    except (OSError, ValueError, TypeError, RecursionError, SafetensorError) as error:
        if path.name == SNAPSHOTS:
            raise CheckpointError("checkpoint.snapshots", path=path, id=card.id, why=error) from error
        raise CheckpointError("checkpoint.weights", path=path, id=card.id, why=error) from error
    for name, tensor in tensors.items():
        if tensor.dtype != dtype:
            raise CheckpointError("checkpoint.type", path=path, name=name, found=tensor.dtype, type=dtype)
        if not is_finite(tensor):
            raise CheckpointError("checkpoint.finite", path=path, name=name)
    if weights_hash(tensors) != sha256:
        raise CheckpointError("checkpoint.hash", path=path)
    return tensors


def is_finite(tensor: Tensor) -> bool:
    """Whether all values of a tensor are finite."""
    return bool(torch.stack(tensor.aminmax()).isfinite().all())  # aminmax propagates NaN, in a thirtieth of the time


def check_shapes(file: safe_open, shapes: dict[str, tuple[int, ...]]) -> None:
    """Raises TranslatableError unless a file has exactly the tensors of these names and shapes."""
    if wrong := shapes.keys() ^ set(file.keys()):
        raise TranslatableError("checkpoint.tensors", names=f"{', '.join(sorted(wrong)):.200}")
    for name, shape in shapes.items():
        if (found := tuple(file.get_slice(name).get_shape())) != shape:
            raise TranslatableError("checkpoint.shape", name=name, found=found, shape=shape)


def load_model(folder: Path) -> tuple[nn.Module, Card]:
    """The network of a folder in float32 and evaluation mode, on the CPU, and its card. Raises CheckpointError."""
    tensors, card = read_weights(folder)
    with torch.device("meta"):
        model = create_model(card.architecture)
    # Popped, so that each stored tensor is freed after its conversion.
    model.load_state_dict({name: tensors.pop(name).float() for name in list(tensors)}, assign=True)
    return model.eval().requires_grad_(False), card


def read_history(folder: Path) -> list[dict[str, float]]:
    """The rows of `history.csv` as numbers, one per epoch. Raises CheckpointError."""
    path = folder / HISTORY
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [{column: float(row[column]) for column in HISTORY_COLUMNS} for row in csv.DictReader(file)]
        if not all(math.isfinite(value) for row in rows for value in row.values()):
            raise TranslatableError("checkpoint.infinite")
        return rows
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise CheckpointError("checkpoint.history", path=path, why=error) from error
