"""The interpolation of two networks' weights (WiSE-FT): the work of `python -m training.interpolate`.

Fine-tuning may gain accuracy on a data set and lose what the network knew beside it, such as OOD detection. Between the
weights before and after lie networks that have both: M. Wortsman et al. 2022, Robust fine-tuning of zero-shot models,
arXiv:2109.01903.
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import create_model
from cnn_models.analysis.ood import energy
from cnn_models.checkpoints.folder import CheckpointError, load_model, read_history, write_checkpoint
from cnn_models.checkpoints.runs import UNFINISHED
from cnn_models.network import Network
from cnn_models.runtime import best_device, keep_memory, place
from cnn_models.specs import Card
from training.data import DataError, LabelledImages, load
from training.lock import writing
from training.metrics import auroc, fit_temperature, ood_images, score
from training.model_card import model_card
from training.state import TrainingError
from training.trainer import git_commit, provenance

SHARES = tuple(tenths / 10 for tenths in range(11))  # of the fine-tuned weights; the first is the earlier network
OOD_COUNT = 1000  # images of each other data set


class Candidate(NamedTuple):
    """Accuracy (percent), loss and AUROC (against OOD data) of the network with a share of the fine-tuned weights."""

    share: float
    accuracy: float
    loss: float
    auroc: float


def interpolated(earlier: dict[str, Tensor], later: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) of the earlier weights plus `share` of the later ones; whole numbers (counters) are the later's."""
    return {
        name: torch.lerp(earlier[name], tensor, share) if tensor.is_floating_point() else tensor
        for name, tensor in later.items()
    }


def best(candidates: Sequence[Candidate]) -> Candidate:
    """The one with the highest accuracy, then the lowest loss, of those that detect OOD data as well as the first."""
    detecting = [each for each in candidates if each.auroc >= candidates[0].auroc]
    return max(detecting, key=lambda each: (each.accuracy, -each.loss))


def measure(net: Network, share: float, validation: LabelledImages, ood: Tensor) -> Candidate:
    """The candidate that this network is, by the validation images and OOD images N x 28 x 28."""
    logits, others = (net.run(images).logits for images in (validation.images, ood))
    scale = fit_temperature(logits, validation.labels)
    found = score(logits, validation.labels)
    return Candidate(share, found["accuracy"], found["loss"], auroc(energy(logits / scale), energy(others / scale)))


def interpolate(args: argparse.Namespace) -> None:
    """Print all candidates, and write the best by the validation images, unless that is one of the two networks.

    The fine-tuned checkpoint is kept. Exits with a sentence where that is not possible.
    """
    keep_memory()
    folder = args.weights / args.id
    kept = folder.parent / UNFINISHED / f"{args.id}.fine-tuned"
    try:
        with writing(folder, size=2 * sum(file.stat().st_size for file in folder.glob("*"))):
            (earlier, first), (later, card) = (load_model(each) for each in (args.earlier, folder))
            check(first, card)
            states = earlier.state_dict(), later.state_dict()
            candidates = measure_all(card, states)
            chosen = best(candidates)
            is_new = 0 < chosen.share < 1
            if is_new:
                shutil.copytree(folder, kept, dirs_exist_ok=True)
                card = new_card(first, card, chosen)
                state = interpolated(*states, chosen.share)
                write_checkpoint(folder, state, card, read_history(folder), model_card(card))
    except (CheckpointError, DataError, TrainingError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    print("| share | validation accuracy | loss | AUROC |\n|---:|---:|---:|---:|")
    for each in candidates:
        print(f"| {each.share:g} | {each.accuracy:.2f} % | {each.loss:.4f} | {each.auroc:.4f} |")
    print(f"a share of {chosen.share:g} is the best; {folder} is {'written' if is_new else 'unchanged'}")
    if is_new:
        print(f"the fine-tuned checkpoint is kept in {kept}; run `python -m training.evaluate {args.id}`")


def measure_all(card: Card, states: tuple[dict[str, Tensor], dict[str, Tensor]]) -> list[Candidate]:
    """The candidates for all shares of two networks' weights. Raises DataError."""
    validation = load(card.dataset, train=True)[-card.recipe["held_out"] :]
    ood = torch.cat([*ood_images(card.dataset, train=True, count=OOD_COUNT).values()])
    device, candidates = best_device(), []
    for share in tqdm(SHARES, unit="network"):
        model = create_model(card.architecture)
        model.load_state_dict(interpolated(*states, share))
        candidates.append(measure(Network(place(model, device), card, device), share, validation, ood))
    return candidates


def check(first: Card, card: Card) -> None:
    """Raise TrainingError unless two networks take the same input and have the same validation images.

    The weights of the second are replaced, so a second interpolation would have another share than its card says.
    """
    if "interpolated" in card.recipe:
        raise TrainingError(f"{card.id} is interpolated already; train it again, or restore the fine-tuned weights")
    names = ("architecture", "dataset", "input_size", "mean", "std")
    if different := [name for name in names if getattr(first, name) != getattr(card, name)]:
        raise TrainingError(f"the two networks differ in {', '.join(different)}; interpolate those that do not")
    if not (held_out := card.recipe.get("held_out")) or first.recipe.get("held_out") != held_out:
        raise TrainingError("the two networks have no validation images in common; interpolate two that have")


def new_card(first: Card, card: Card, chosen: Candidate) -> Card:
    """The card of the interpolated network before its evaluation: that of the training, and how it was interpolated."""
    done = {"commit": git_commit(), "date": date.today().isoformat()}
    return dataclasses.replace(
        card,
        recipe=card.recipe | {"interpolated": {"share": chosen.share, "with": provenance(first)} | done},
        metrics={"val_accuracy": round(chosen.accuracy, 4), "val_loss": round(chosen.loss, 6)},
        temperature=1.0,
        fitted_temperature=None,
        energy_threshold=None,
    )
