"""The test accuracy of all ensembles of the checkpoints, and of multi-crop test-time augmentation (TTA)."""

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
from cnn_models.checkpoints.folder import load_model, unwritten
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.runtime import place
from cnn_models.specs import Card
from training.data import load
from training.tta import initial_count, measure_tta

PART = 50  # images between two savings


def measure_ensembles(weights: Path, cards: list[Card], probabilities: dict[str, Tensor], device: torch.device) -> dict:
    """The content of `averaged.json` for the checkpoints of a folder, as `read_averaged` returns it.

    `probabilities` (N x 10, of the test images) are by checkpoint id; missing ones are measured. TTA is measured anew
    only for other weights than those in the file, as it takes hours. Raises CheckpointError, DataError.
    """
    before, found = read_averaged(weights), {}
    probabilities = dict(probabilities)
    for dataset in DATASETS:
        members = [card for card in cards if card.dataset == dataset]
        hashes = {card.id: card.weights_sha256 for card in members}
        known = before.get(dataset, {})
        tta = {id: each for id, each in known.get("looks", {}).items() if known["weights"].get(id) == hashes.get(id)}
        is_new = any(id in probabilities for id in hashes)
        if not is_new and known.get("weights") == hashes and tta.keys() == hashes.keys():
            found[dataset] = known
        elif len(members) > 1:
            test = load(dataset, train=False)
            for card in tqdm(members, desc=f"ensembles of {dataset}", unit="checkpoint"):
                net = Network(place(load_model(weights / card.id)[0], device), card, device)
                if card.id not in probabilities:
                    probabilities[card.id] = net.run(test.images).probabilities
                if card.id not in tta:
                    tta[card.id] = measure_tta(net, {}, initial_count(card))
            found[dataset] = ensemble_accuracies(members, probabilities, test.labels) | {"looks": tta}
    return found


def ensemble_accuracies(cards: list[Card], probabilities: dict[str, Tensor], labels: Tensor) -> dict:
    """The test accuracy of the ensemble (soft vote) of all networks, and of every subset of them.

    `probabilities` (N x 10) are by checkpoint id, `labels` N.
    """
    together = []
    for count in range(1, len(cards) + 1):
        for subset in combinations([card.id for card in cards], count):
            predictions = sum((probabilities[id] for id in subset), torch.zeros(())).argmax(1)
            together.append([list(subset), round(100 * (predictions == labels).double().mean().item(), 4)])
    weights = {card.id: card.weights_sha256 for card in cards}
    return {"accuracy": together[-1][1], "weights": weights, "together": together}


def write_averaged(weights: Path, averaged: dict[str, dict]) -> None:
    """Write `averaged.json` beside the checkpoints, atomically. Raises CheckpointError."""
    new = weights / f".{AVERAGED}.new"
    try:
        new.write_text(json.dumps(averaged, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        os.replace(new, weights / AVERAGED)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise unwritten(weights / AVERAGED, error) from error


def complete_tta(weights: Path, cards: list[Card], device: torch.device) -> None:
    """Measure TTA on the remaining test images for every network in `averaged.json`, the cheapest network first.

    The file is written after every `PART` images, so an interruption loses seconds. Raises CheckpointError.
    """
    averaged, by_id = read_averaged(weights), {card.id: card for card in cards}

    def macs(id: str) -> int:
        return architecture_layers(by_id[id].architecture, by_id[id].input_size).macs

    tables = {id: dataset["looks"] for dataset in averaged.values() for id in dataset["looks"]}
    for id in sorted((id for id, tta in tables.items() if tta[id]["pictures"] < COUNT), key=macs):
        net, tta = Network(place(load_model(weights / id)[0], device), by_id[id], device), tables[id]
        with tqdm(total=COUNT, initial=tta[id]["pictures"], desc=f"TTA of {id}", unit="img") as bar:
            while bar.n < COUNT:
                tta[id] = measure_tta(net, tta[id], min(bar.n + PART, COUNT))
                write_averaged(weights, averaged)
                bar.update(tta[id]["pictures"] - bar.n)
