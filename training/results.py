"""The results of the line-up and of its runs, from their cards, as the README's tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run
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


def repeated(groups: Iterable[Sequence[Run]]) -> str:
    """The runs beside the checkpoints as a Markdown table: a row for those that differ in their seed alone.

    A checkpoint counts as one of them where it has the same recipe. Told are the mean of their test accuracies, its
    standard deviation, and what others report of the same recipe in as many epochs; of a single epoch how fast it was.
    "" where there are none.
    """
    rows = []
    for group in groups:
        if not any(run.out and run.card for run in group):
            continue
        found = {run.seed: run for run in group if run.card}
        values = [accuracy for run in found.values() if (accuracy := run.card.on_test_set("accuracy"))]
        if not values:
            continue
        run = group[-1]
        name, dataset = run.id.split(".")
        changes = [f"{key} {value}" for key, value in run.changes.items() if key != "epochs"]
        many = f"{run.epochs} epochs"
        if run.epochs == 1:
            many = f"1 epoch at {run.history[0]['images_per_second']:,.0f} images/s"
        how = ", ".join([f"`{run.recipe}`", many, *changes])
        what = f"{ARCHITECTURES[name].title}, {DATASETS[dataset].title}: {how}"
        deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        quoted = QUOTED.get(run.id) if run.recipe == "source" else None
        reported = f"{quoted.accuracy:.2f} %" if quoted and quoted.epochs == run.epochs else ""
        rows.append(f"| {what} | {len(values)} | {statistics.mean(values):.2f}{deviation} % | {reported} |")
    head = ["| runs | seeds | test accuracy, mean ± deviation | reported |", "|---|---:|---:|---:|"]
    return "\n".join(head + rows) if rows else ""
