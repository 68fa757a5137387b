"""What averaging gains on the test sets: any of the networks together, and many looks at an image."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import DATASETS
from cnn_models.analysis.averaged import AVERAGED, read_averaged
from cnn_models.checkpoints.folder import load_model
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.runtime import place
from cnn_models.specs import Card
from training.data import load
from training.looks import few, look_on

PART = 50  # images that are looked at between two savings


def averages(weights: Path, cards: list[Card], probabilities: dict[str, Tensor], device: torch.device) -> dict:
    """The content of `cnn_models.analysis.averaged` for the checkpoints of a folder, nothing measured that is known.

    `probabilities` (N x 10, of the test images) are by checkpoint id. What many looks at the images gave before of
    the same weights is kept: it takes hours. Raises CheckpointError, DataError.
    """
    before, found = read_averaged(weights), {}
    probabilities = dict(probabilities)
    for dataset in DATASETS:
        members = [card for card in cards if card.dataset == dataset]
        hashes = {card.id: card.weights_sha256 for card in members}
        known = before.get(dataset, {})
        looks = {id: seen for id, seen in known.get("looks", {}).items() if known["weights"].get(id) == hashes.get(id)}
        is_new = any(id in probabilities for id in hashes)
        if not is_new and known.get("weights") == hashes and looks.keys() == hashes.keys():
            found[dataset] = known
        elif len(members) > 1:
            test = load(dataset, train=False)
            for card in tqdm(members, desc=f"averages of {dataset}", unit="checkpoint"):
                net = Network(place(load_model(weights / card.id)[0], device), card, device)
                if card.id not in probabilities:
                    probabilities[card.id] = net.run(test.images).probabilities
                if card.id not in looks:
                    looks[card.id] = look_on(net, {}, few(card))
            found[dataset] = average(members, probabilities, test.labels) | {"looks": looks}
    return found


def average(cards: list[Card], probabilities: dict[str, Tensor], labels: Tensor) -> dict:
    """The test accuracy of the mean of the probabilities (soft vote) of all networks and of any of them.

    `probabilities` (N x 10) are by checkpoint id, `labels` N.
    """
    together = []
    for count in range(1, len(cards) + 1):
        for some in combinations([card.id for card in cards], count):
            answers = sum((probabilities[id] for id in some), torch.zeros(())).argmax(1)
            together.append([list(some), round(100 * (answers == labels).double().mean().item(), 4)])
    weights = {card.id: card.weights_sha256 for card in cards}
    return {"accuracy": together[-1][1], "weights": weights, "together": together}


def write_averaged(weights: Path, averaged: dict[str, dict]) -> None:
    """Write it beside the checkpoints, whole or not at all."""
    new = weights / f".{AVERAGED}.new"
    new.write_text(json.dumps(averaged, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(new, weights / AVERAGED)


def look_at_all(weights: Path, cards: list[Card], device: torch.device) -> None:
    """Go on, for each of the networks in `cnn_models.analysis.averaged`, until all test images have been looked at.

    The quick ones come first, and it is saved as it goes: who stops it loses some seconds. Raises CheckpointError.
    """
    averaged, of = read_averaged(weights), {card.id: card for card in cards}

    def macs(id: str) -> int:
        return architecture_layers(of[id].architecture, of[id].input_size).macs

    every = {id: dataset["looks"] for dataset in averaged.values() for id in dataset["looks"]}
    for id in sorted((id for id, looks in every.items() if looks[id]["pictures"] < COUNT), key=macs):
        net, looks = Network(place(load_model(weights / id)[0], device), of[id], device), every[id]
        with tqdm(total=COUNT, initial=looks[id]["pictures"], desc=f"looks of {id}", unit="img") as bar:
            while bar.n < COUNT:
                looks[id] = look_on(net, looks[id], min(bar.n + PART, COUNT))
                write_averaged(weights, averaged)
                bar.update(looks[id]["pictures"] - bar.n)
