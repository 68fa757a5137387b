"""The k-means centroids of the training images, by which images unlike all of these are found: `centroids.safetensors`.

The file is small and optional: of the reference models alone, and missing where they were not evaluated.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from cnn_models.checkpoints.folder import CENTROIDS, CheckpointError, feature_count, read_card, unwritten
from cnn_models.errors import TranslatableError

LIMIT = 2**20  # bytes of the file
PIXELS = 14 * 14


class Centroids(NamedTuple):
    """Centroids, and what the scores of rightly classified validation images are.

    `pixels` K x 196 and `features` L x F are unit vectors. `tails` 3 x 2 are the quantiles 0.9 and 0.99 of the scores:
    1 - the probability of the group of classes, and the cosine distances in pixels and in features. `unsure` and
    `turned` are the thresholds of `analysis.neighbours`.
    """

    pixels: Tensor
    features: Tensor
    tails: Tensor
    unsure: float
    turned: float


def write_centroids(folder: Path, centroids: Centroids) -> None:
    """Write the file of a checkpoint folder, atomically; its vectors have 8 bits for each number.

    Raises CheckpointError.
    """
    vectors = {name: getattr(centroids, name) for name in ("pixels", "features")}
    tensors = {name: (127 * each / each.abs().max()).round().to(torch.int8) for name, each in vectors.items()}
    tensors |= {"tails": centroids.tails.float(), "thresholds": torch.tensor([centroids.unsure, centroids.turned])}
    new = folder / f".{CENTROIDS}.new"
    metadata = {"weights_sha256": read_card(folder).weights_sha256}
    try:
        save_file(tensors, new, metadata)
        os.replace(new, folder / CENTROIDS)
    except (OSError, SafetensorError) as error:
        new.unlink(missing_ok=True)
        raise unwritten(folder / CENTROIDS, error) from error


def read_centroids(folder: Path) -> Centroids | None:
    """The centroids of a folder; None where there are none. Raises CheckpointError, also for those of other weights."""
    path = folder / CENTROIDS
    if not path.exists():
        return None
    card = read_card(folder)
    try:
        if path.stat().st_size > LIMIT:
            raise TranslatableError("checkpoint.large")
        with safe_open(path, framework="pt") as file:
            made_for = (file.metadata() or {}).get("weights_sha256")
            found = {name: file.get_tensor(name).float() for name in ("pixels", "features", "tails", "thresholds")}
        _check(found, feature_count(card.architecture))
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise CheckpointError("checkpoint.centroids", path=path, id=card.id, why=error) from error
    if made_for != card.weights_sha256:
        raise CheckpointError("checkpoint.stale", path=path, id=card.id)
    unsure, turned = found["thresholds"].tolist()
    return Centroids(F.normalize(found["pixels"]), F.normalize(found["features"]), found["tails"], unsure, turned)


def _check(found: dict[str, Tensor], features: int) -> None:
    """Raise TranslatableError unless shapes and values are possible."""
    rows = {name: found[name].shape[:1].numel() for name in ("pixels", "features")}
    shapes = {"pixels": (rows["pixels"], PIXELS), "features": (rows["features"], features)}
    for name, shape in (shapes | {"tails": (3, 2), "thresholds": (2,)}).items():
        if tuple(found[name].shape) != shape or 0 in shape:
            raise TranslatableError("checkpoint.shape", name=name, found=tuple(found[name].shape), shape=shape)
        if not found[name].isfinite().all():
            raise TranslatableError("checkpoint.infinite")
