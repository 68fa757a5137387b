"""The results of the line-up, from its cards: the README's table, and the accuracy of all networks averaged."""

from __future__ import annotations

import json
import os
from itertools import combinations
from pathlib import Path

from torch import Tensor

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.averaged import AVERAGED
from cnn_models.layers import architecture_layers
from cnn_models.specs import Card


def average(cards: list[Card], probabilities: dict[str, Tensor], labels: dict[str, Tensor]) -> dict[str, dict]:
    """The test accuracy of the mean of the probabilities (soft vote), by data set, of all networks and of any of them.

    `probabilities` (N x 10) are by checkpoint id, `labels` (N) by data set. What is returned is all but the looks of
    `cnn_models.averaged`; a data set with fewer than two networks has no entry.
    """
    found = {}
    for dataset in DATASETS:
        members = {card.id: card.weights_sha256 for card in cards if card.dataset == dataset}
        if len(members) > 1:
            together = []
            for count in range(1, len(members) + 1):
                for ids in combinations(members, count):
                    answers = sum(probabilities[id] for id in ids).argmax(1)
                    accuracy = 100 * (answers == labels[dataset]).double().mean().item()
                    together.append([list(ids), round(accuracy, 4)])
            found[dataset] = {"accuracy": together[-1][1], "weights": members, "together": together}
    return found


def write_averaged(weights: Path, averaged: dict[str, dict]) -> None:
    """Write it beside the checkpoints, whole or not at all."""
    new = weights / f".{AVERAGED}.new"
    new.write_text(json.dumps(averaged, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(new, weights / AVERAGED)


def table(cards: list[Card], averaged: dict[str, dict]) -> str:
    """The results as a Markdown table, one row per network and one for their average, one column per data set.

    An average of other weights than those of the cards is left out.
    """
    by_id = {card.id: card for card in cards}
    head = [f"{spec.title}, test accuracy" for spec in DATASETS.values()]
    lines = ["| network | parameters | " + " | ".join(head) + " |", "|---|---:|" + "---:|" * len(head)]
    for name, spec in ARCHITECTURES.items():
        parameters = architecture_layers(name).parameters
        cells = []
        for dataset in DATASETS:
            card = by_id.get(f"{name}.{dataset}")
            accuracy = card and card.metrics.get("test_accuracy")
            note = f" (at {card.input_size})" if accuracy and card.input_size != spec.input_size else ""
            cells.append(f"{accuracy:.2f} %{note}" if accuracy else "not trained yet")
        lines.append(f"| {spec.title} ({spec.year}) | {parameters:,} | " + " | ".join(cells) + " |")
    cells = []
    for dataset in DATASETS:
        found = averaged.get(dataset)
        now = {card.id: card.weights_sha256 for card in cards if card.dataset == dataset}
        is_current = found and found["weights"] == now
        cells.append(f"{found['accuracy']:.2f} % ({len(now)} networks)" if is_current else "not measured yet")
    lines.append("| averaged (soft vote) | | " + " | ".join(cells) + " |")
    return "\n".join(lines)
