"""Attacks on all networks, and their transfer: the work of `python -m training.adversarial`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import ModelHub
from cnn_models.analysis.adversarial import NORMS, deepfool
from cnn_models.analysis.attacks import (
    ATTACKS,
    CORRECT,
    EXCLUDED,
    KINDS,
    MISCLASSIFIED,
    attacks_of,
    read_attacks,
    spread_order,
)
from cnn_models.checkpoints.folder import CheckpointError, write_file
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.runtime import keep_memory
from cnn_models.specs import Card
from training.lock import writing
from training.results import attacks_tables
from training.state import TrainingError

PART = 50  # images attacked at once, and between two savings


def complete(args: argparse.Namespace) -> None:
    """Attack the networks that the arguments name on the images that are missing, and print the results of all.

    Exits with a sentence where that is not possible.
    """
    keep_memory()
    try:
        hub = ModelHub(args.weights)
        cards = hub.cards()
        if not cards or (args.id and args.id not in cards):
            raise CheckpointError("checkpoint.untrained", id=args.id or "lenet5.mnist", folder=args.weights)
        with writing(args.weights / ATTACKS):
            for card in sorted([cards[args.id]] if args.id else cards.values(), key=_macs):  # the cheapest first
                attack(hub, card, [each for each in cards.values() if each.dataset == card.dataset], args.images)
        print("\n\n".join(attacks_tables(attacks_of(args.weights, cards.values()))))
    except (CheckpointError, TrainingError, OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def _macs(card: Card) -> int:
    return architecture_layers(card.architecture, card.input_size).macs


def attack(hub: ModelHub, card: Card, answering: Sequence[Card], count: int) -> None:
    """Attack a network on `count` images of `spread_order`, with the answers of all of its data set, itself included.

    What the file has is kept, unless one of the networks has other weights: the perturbations are not stored. Raises
    CheckpointError.
    """
    found = read_attacks(hub.weights_dir)
    entry = found.setdefault(card.id, _empty(card, answering))
    hashes = {each.id: each.weights_sha256 for each in answering}
    if (entry["weights_sha256"], _hashes(entry)) != (card.weights_sha256, hashes):
        entry = found[card.id] = _empty(card, answering)
    images, labels = (torch.from_numpy(each[spread_order(count)]) for each in load_test_set(card.dataset))
    with tqdm(total=len(images), initial=len(entry["norms"]["l2"]), desc=f"attacks on {card.id}", unit="img") as bar:
        while bar.n < len(images):
            part = slice(bar.n, bar.n + PART)
            add_part(hub, card.id, entry, images[part], labels[part])
            write_attacks(hub.weights_dir, found)
            bar.update(len(images[part]))


def _empty(card: Card, answering: Sequence[Card]) -> dict:
    cells = {each.id: {"weights_sha256": each.weights_sha256} | dict.fromkeys(KINDS, "") for each in answering}
    return {"weights_sha256": card.weights_sha256, "norms": {norm: [] for norm in NORMS}, "transfer": cells}


def _hashes(entry: dict) -> dict[str, str]:
    return {id: cell["weights_sha256"] for id, cell in entry["transfer"].items()}


def add_part(hub: ModelHub, id: str, entry: dict, images: Tensor, labels: Tensor) -> None:
    """Add the norms and the transfer of the attacks on some images, N x 28 x 28 uint8, to an entry of the file."""
    images = images.float() / 255
    right = {other: hub.run(other, lambda net: _is_right(net, images, labels)) for other in entry["transfer"]}
    chosen, shifts = images[right[id]], torch.zeros_like(images)
    for norm in NORMS:
        result = hub.run(id, lambda net: deepfool(net, chosen, norm))  # noqa: B023  called at once
        sizes = iter(result.norms.tolist())
        found = [next(sizes) if correct else 0 for correct in right[id].tolist()]
        entry["norms"][norm] += [float(f"{size:.4g}") if size < float("inf") else None for size in found]
        if norm == "l2":
            shifts[right[id]] = result.images.cpu() - chosen
    perturbed = {kind: (images + factor * shifts).clamp(0, 1) for kind, factor in KINDS.items()}
    is_found = shifts.flatten(1).any(1)
    for other, cell in entry["transfer"].items():
        is_counted = (is_found & right[other]).tolist()
        for kind, changed in perturbed.items():
            still = hub.run(other, lambda net: _is_right(net, changed, labels)).tolist()  # noqa: B023
            outcomes = zip(is_counted, still, strict=True)
            cell[kind] += "".join((CORRECT if kept else MISCLASSIFIED) if of else EXCLUDED for of, kept in outcomes)


def _is_right(net: Network, images: Tensor, labels: Tensor) -> Tensor:
    return net.run(images).logits.argmax(1) == labels


def write_attacks(weights: Path, found: dict[str, dict]) -> None:
    """Write the file as `read_attacks` returns it, a line for each network, atomically. Raises CheckpointError."""
    lines = (f"{json.dumps(id)}: {json.dumps(entry, sort_keys=True)}" for id, entry in sorted(found.items()))
    write_file(weights / ATTACKS, ("{\n" + ",\n".join(lines) + "\n}\n").encode())
