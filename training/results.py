"""The results of the line-up, from its cards, as the README's table."""

from __future__ import annotations

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.layers import architecture_layers
from cnn_models.specs import Card


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
