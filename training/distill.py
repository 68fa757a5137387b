"""Soft targets for knowledge distillation: the teachers' mean probabilities for augmented views of every image.

Student and teachers get the same views (Beyer et al. 2021: Knowledge distillation: a good teacher is patient and
consistent, arXiv:2106.05237), few enough to compute the teachers' probabilities only once.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from cnn_models.checkpoints.folder import CheckpointError, load_model, weights_hash
from cnn_models.folders import default_weights_dir
from cnn_models.images.preprocess import to_input
from cnn_models.runtime import place
from training.augment import augmented
from training.data import LabelledImages
from training.loop import autocast
from training.recipes import Recipe
from training.saver import SAVE_EVERY
from training.state import DAMAGED, TrainingError

BATCH = 500


def with_soft_targets(
    dataset: str, examples: LabelledImages, recipe: Recipe, seed: int, device: torch.device, cache: Path
) -> tuple[LabelledImages, dict[str, str]]:
    """The images in `recipe.views` augmented views with their soft targets, and the teachers' weight hashes by id.

    Soft targets are the teachers' mean probabilities at the recipe's temperature (Hinton et al. 2015,
    arXiv:1503.02531). `cache` keeps them, as far as they are computed, for a resumed training and for the next student.
    Raises CheckpointError where a teacher is missing, TrainingError where the cache cannot be written.
    """
    ids = [f"{teacher}.{dataset}" for teacher in recipe.teachers]
    if missing := [id for id in ids if not (default_weights_dir() / id).is_dir()]:
        raise CheckpointError("checkpoint.untrained", id=missing[0], folder=default_weights_dir())
    networks = [(place(model, device), card) for model, card in (load_model(default_weights_dir() / id) for id in ids)]
    hashes = {card.id: card.weights_sha256 for _, card in networks}
    torch.manual_seed(seed)
    views = torch.cat([
        (augmented(images, recipe)[:, 0] * 255).round().to(torch.uint8)
        for _ in range(recipe.views)
        for images in examples.images.split(BATCH)
    ])  # fmt: skip
    sha256 = hashlib.sha256(views.cpu().numpy().data).hexdigest()
    key = json.dumps([hashes, recipe.temperature, recipe.precision, sha256])
    parts = [_read(cache, key, len(views)).to(device)]
    count, saved = len(parts[0]), time.monotonic()
    bar = tqdm(total=len(views), initial=count, desc="soft targets", unit="img", unit_scale=True)
    with torch.inference_mode(), autocast(device, recipe):
        for images in views[count:].split(BATCH) if count < len(views) else ():
            mean = torch.zeros(len(images), 10, device=device)
            for model, card in networks:
                logits = model(to_input(images, card.input_size, card.mean, card.std)).float()
                mean += (logits / recipe.temperature).softmax(1) / len(networks)
            parts.append(mean)
            bar.update(len(images))
            if bar.n == len(views) or time.monotonic() > saved + SAVE_EVERY:
                _write(cache, key, torch.cat(parts))
                saved = time.monotonic()
    bar.close()
    return LabelledImages(views, examples.labels.repeat(recipe.views), torch.cat(parts)), hashes


def _write(cache: Path, key: str, soft_targets: Tensor) -> None:
    """Write the cache atomically. Raises TrainingError where that fails."""
    new = cache.with_suffix(f".{os.getpid()}")  # every process of a group writes one, of the same content
    tensors = {"answers": soft_targets.cpu()}
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, new, metadata={"asked": key, "sha256": weights_hash(tensors)})
        new.replace(cache)
    except (OSError, SafetensorError) as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise TrainingError(
            f"the soft targets could not be saved to {cache} ({error}); make room, then run the same command again"
        ) from error


def _read(cache: Path, key: str, most: int) -> Tensor:
    """The cached soft targets of the first images under this key, N x 10, N at most `most`; none if there are none.

    Damaged ones are reported and not used.
    """
    none = torch.zeros(0, 10)
    try:
        with safe_open(cache, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("asked") != key:
                return none
            found = file.get_tensor("answers").clone()  # safetensors maps the file, which is written again
        if found.dtype != none.dtype or found.ndim != 2 or found.shape[1] != 10 or len(found) > most:
            raise ValueError(f"it has {found.dtype} of shape {tuple(found.shape)}")
        if not (found >= 0).all() or not torch.allclose(found.sum(1), torch.ones(len(found)), atol=1e-3):
            raise ValueError("they are not probabilities")
        if metadata.get("sha256") not in (None, weights_hash({"answers": found})):  # older ones have none
            raise ValueError("their hash is not the one recorded")
    except FileNotFoundError:
        return none
    except DAMAGED as error:
        print(f"{cache} is damaged ({error}); its soft targets are computed again", file=sys.stderr)
        return none
    return found
