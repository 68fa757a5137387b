"""The test accuracy of the ensembles of the checkpoints, and of multi-crop test-time augmentation (TTA)."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from cnn_models import DATASETS
from cnn_models.analysis.averaged import AVERAGED, read_averaged
from cnn_models.analysis.ensemble import logits_of, weighted
from cnn_models.checkpoints.folder import load_model, write_file
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from cnn_models.runtime import place
from cnn_models.specs import Card
from training.data import load
from training.metrics import fit_factors, score
from training.tta import initial_count, measure_tta

PART = 50  # images between two savings


def measure_ensembles(weights: Path, cards: list[Card], probabilities: dict[str, Tensor], device: torch.device) -> dict:
    """The content of `averaged.json` for the checkpoints of a folder, as `read_averaged` returns it.

    `probabilities` (N x 10, of the test images) are by checkpoint id; missing ones are measured. TTA is measured anew
    only for other weights than those in the file, as it takes hours. Raises CheckpointError, DataError.
    """
    before, found = read_averaged(weights), {}
    for dataset in DATASETS:
        members = [card for card in cards if card.dataset == dataset]
        hashes = {card.id: card.weights_sha256 for card in members}
        known = before.get(dataset, {})
        tta = {id: each for id, each in known.get("looks", {}).items() if known["weights"].get(id) == hashes.get(id)}
        is_new = any(id in probabilities for id in hashes) or bool(_held_out(members)) != ("log_linear" in known)
        if not is_new and known.get("weights") == hashes and tta.keys() == hashes.keys():
            found[dataset] = known
        elif len(members) > 1:
            found[dataset] = _measure(weights, members, probabilities, tta, device)
    return found


def _held_out(cards: list[Card]) -> int:
    """How many of the last training images no network was trained on; 0 if there are none, or no networks."""
    return min((card.recipe.get("held_out") or 0 for card in cards), default=0)


def _measure(
    weights: Path, cards: list[Card], probabilities: dict[str, Tensor], tta: dict[str, dict], device: torch.device
) -> dict:
    """The content of `averaged.json` for the networks of a data set; TTA for those that `tta` lacks.

    There is no log-linear ensemble of a network that was trained on all training images: it would be trusted too much.
    """
    dataset, held_out = cards[0].dataset, _held_out(cards)
    test, validation = load(dataset, train=False), load(dataset, train=True)[-held_out:] if held_out else None
    probabilities, tta, logits = dict(probabilities), dict(tta), []
    for card in tqdm(cards, desc=f"ensembles of {dataset}", unit="checkpoint"):
        net = Network(place(load_model(weights / card.id)[0], device), card, device)
        if card.id not in probabilities:
            probabilities[card.id] = net.run(test.images).probabilities
        if validation:
            logits.append(net.run(validation.images).logits)
        if card.id not in tta:
            tta[card.id] = measure_tta(net, {}, initial_count(card))
    found = ensemble_accuracies(cards, probabilities, test.labels) | {"looks": tta}
    if validation:
        factors = fit_factors(torch.stack(logits), validation.labels)
        found["log_linear"] = measure_log_linear(cards, factors, probabilities, test.labels)
    return found


def ensemble_accuracies(cards: list[Card], probabilities: dict[str, Tensor], labels: Tensor) -> dict:
    """The test accuracy and loss of the ensemble (soft vote) of all networks, and the accuracy of every subset of them.

    `probabilities` (N x 10) are by checkpoint id, `labels` N.
    """
    together = []
    for count in range(1, len(cards) + 1):
        for subset in combinations([card.id for card in cards], count):
            predictions = sum((probabilities[id] for id in subset), torch.zeros(())).argmax(1)
            together.append([list(subset), round(100 * (predictions == labels).double().mean().item(), 4)])
    weights = {card.id: card.weights_sha256 for card in cards}
    mean = torch.stack([probabilities[card.id] for card in cards]).mean(0)
    loss = round(score(logits_of(mean), labels)["loss"], 4)
    return {"accuracy": together[-1][1], "loss": loss, "weights": weights, "together": together}


def measure_log_linear(
    cards: list[Card], factors: Tensor, probabilities: dict[str, Tensor], labels: Tensor
) -> dict[str, float | dict[str, float]]:
    """The log-linear ensemble with these factors (of `fit_factors`, one a network): `factors`, test accuracy and loss.

    `probabilities` (N x 10) are by checkpoint id, `labels` N.
    """
    logits = torch.stack([logits_of(probabilities[card.id], card.temperature) for card in cards])
    figures = {name: round(value, 4) for name, value in score(weighted(logits, factors), labels).items()}
    names = [card.id for card in cards]
    return figures | {"factors": {id: round(each, 4) for id, each in zip(names, factors.tolist(), strict=True)}}


def write_averaged(weights: Path, averaged: dict[str, dict]) -> None:
    """Write `averaged.json` beside the checkpoints, atomically. Raises CheckpointError."""
    write_accuracies(weights / AVERAGED, averaged)


def write_accuracies(path: Path, accuracies: dict[str, dict]) -> None:
    """Write accuracies as `read_accuracies` returns them, atomically. Raises CheckpointError."""
    write_file(path, (json.dumps(accuracies, indent=2, sort_keys=True) + "\n").encode())


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
