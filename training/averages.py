"""What averaging gains on the test sets: any of the networks together, and many looks at a picture."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import DATASETS
from cnn_models.averaged import AVERAGED, read_averaged
from cnn_models.checkpoint import load_model
from cnn_models.runtime import place
from cnn_models.specs import Card
from training.data import load
from training.looks import accuracy_by_looks
from training.scores import predict_logits


def averages(weights: Path, cards: list[Card], probabilities: dict[str, Tensor], device: torch.device) -> dict:
    """The content of `cnn_models.averaged` for the checkpoints of a folder, nothing measured that is known.

    `probabilities` (N x 10, of the test pictures) are by checkpoint id; what was averaged before of the same weights is
    kept for the networks that are not among them. Raises CheckpointError, DataError.
    """
    before, found = read_averaged(weights), {}
    probabilities = dict(probabilities)
    for dataset in DATASETS:
        members = [card for card in cards if card.dataset == dataset]
        hashes = {card.id: card.weights_sha256 for card in members}
        known = before.get(dataset, {})
        looks = {
            id: seen
            for id, seen in known.get("looks", {}).items()
            if id not in probabilities and known["weights"].get(id) == hashes.get(id)
        }
        if known.get("weights") == hashes and looks.keys() == hashes.keys():
            found[dataset] = known
        elif len(members) > 1:
            test = load(dataset, train=False)
            for card in tqdm(members, desc=f"averages of {dataset}", unit="checkpoint"):
                model = place(load_model(weights / card.id)[0], device)
                if card.id not in probabilities:
                    logits = predict_logits(model, test.images.to(device), card.input_size, card.mean, card.std)
                    probabilities[card.id] = (logits.cpu().double() / card.temperature).softmax(1)
                if card.id not in looks:
                    looks[card.id] = accuracy_by_looks(model, card)
            found[dataset] = average(members, probabilities, test.labels) | {"looks": looks}
    return found


def average(cards: list[Card], probabilities: dict[str, Tensor], labels: Tensor) -> dict:
    """The test accuracy of the mean of the probabilities (soft vote) of all networks and of any of them.

    `probabilities` (N x 10) are by checkpoint id, `labels` N.
    """
    together = []
    for count in range(1, len(cards) + 1):
        for some in combinations([card.id for card in cards], count):
            answers = sum(probabilities[id] for id in some).argmax(1)
            together.append([list(some), round(100 * (answers == labels).double().mean().item(), 4)])
    weights = {card.id: card.weights_sha256 for card in cards}
    return {"accuracy": together[-1][1], "weights": weights, "together": together}


def write_averaged(weights: Path, averaged: dict[str, dict]) -> None:
    """Write it beside the checkpoints, whole or not at all."""
    new = weights / f".{AVERAGED}.new"
    new.write_text(json.dumps(averaged, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(new, weights / AVERAGED)
