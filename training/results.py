"""The results in the cards, and the runs, as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run
from cnn_models.layers import architecture_layers
from cnn_models.specs import Card


def results_table(cards: list[Card], averaged: dict[str, dict]) -> str:
    """The results as a Markdown table: a row per network, and one for each ensemble, a column per data set.

    `averaged` is from `read_averaged`; ensembles of other weights than those of the cards are left out.
    """
    by_id = {card.id: card for card in cards}
    head = [f"{spec.title}, test accuracy" for spec in DATASETS.values()]
    lines = ["| network | parameters | " + " | ".join(head) + " |", "|---|---:|" + "---:|" * len(head)]
    for name, spec in ARCHITECTURES.items():
        parameters = architecture_layers(name).parameters
        cells = []
        for dataset in DATASETS:
            card = by_id.get(f"{name}.{dataset}")
            if card and (accuracy := card.metrics.get("test_accuracy")):
                note = f" (at {card.input_size})" if card.input_size != spec.input_size else ""
                cells.append(f"{accuracy:.2f} %{note}")
            else:
                cells.append("not trained yet")
        lines.append(f"| {spec.title} ({spec.year}) | {parameters:,} | " + " | ".join(cells) + " |")
    now = {dataset: {c.id: c.weights_sha256 for c in cards if c.dataset == dataset} for dataset in DATASETS}
    soft_votes = {dataset: found for dataset, found in averaged.items() if found["weights"] == now[dataset]}
    log_linear = {dataset: found["log_linear"] for dataset, found in soft_votes.items() if "log_linear" in found}
    for name, ensembles in (("soft vote", soft_votes), ("log-linear", log_linear)):
        cells = [
            f"{ensembles[dataset]['accuracy']:.2f} % ({len(now[dataset])} networks)"
            if dataset in ensembles
            else "not measured yet"
            for dataset in DATASETS
        ]
        lines.append(f"| ensemble ({name}) | | {' | '.join(cells)} |")
    return "\n".join(lines)


def runs_table(groups: Iterable[Sequence[Run]]) -> str:
    """The runs in `weights/runs/` as a Markdown table, a row per group of runs that differ in their seed alone.

    A checkpoint with the same recipe is in the group. A row has the mean and standard deviation of the test accuracies,
    the accuracy that others report for the recipe and number of epochs, and the speed where there is a single epoch.
    "" without runs.
    """
    rows = []
    for group in groups:
        if not any(run.out and run.card for run in group):
            continue
        found = {run.seed: run for run in group if run.card}
        cards = [run.card for run in found.values() if run.card]
        values = [accuracy for card in cards if (accuracy := card.on_test_set("accuracy"))]
        if not values:
            continue
        run = group[-1]
        name, dataset = run.id.split(".")
        changes = [f"{key} {value}" for key, value in run.changes.items() if key != "epochs"]
        epochs = f"{run.epochs} epochs"
        if run.epochs == 1:
            epochs = f"1 epoch at {run.history[0]['images_per_second']:,.0f} images/s"
        how = ", ".join([f"`{run.recipe}`", epochs, *changes])
        runs = f"{ARCHITECTURES[name].title}, {DATASETS[dataset].title}: {how}"
        std = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        quoted = QUOTED.get(run.id) if run.recipe == "source" else None
        reported = f"{quoted.accuracy:.2f} %" if quoted and quoted.epochs == run.epochs else ""
        rows.append(f"| {runs} | {len(values)} | {statistics.mean(values):.2f}{std} % | {reported} |")
    head = ["| runs | seeds | test accuracy, mean ± std | reported |", "|---|---:|---:|---:|"]
    return "\n".join(head + rows) if rows else ""
