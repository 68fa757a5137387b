"""The results in the cards, and the runs, as Markdown tables."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.attacks import KINDS, Attacked
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
    for name in ("soft vote", "log-linear"):
        cells = [_ensemble(cards, averaged, dataset, name) for dataset in DATASETS]
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
        std = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        quoted = QUOTED.get(run.id) if run.recipe == "source" else None
        reported = f"{quoted.accuracy:.2f} %" if quoted and quoted.epochs == run.epochs else ""
        rows.append(f"| {_name(run)} | {len(values)} | {statistics.mean(values):.2f}{std} % | {reported} |")
    head = ["| runs | seeds | test accuracy, mean ± std | reported |", "|---|---:|---:|---:|"]
    return "\n".join(head + rows) if rows else ""


def _name(run: Run) -> str:
    """The network, the data set and the training that a group of runs shares."""
    name, dataset = run.id.split(".")
    changes = [f"{key} {value}" for key, value in run.changes.items() if key != "epochs"]
    epochs = f"{run.epochs} epochs"
    if run.epochs == 1:
        epochs = f"1 epoch at {run.history[0]['images_per_second']:,.0f} images/s"
    how = ", ".join([f"`{run.recipe}`", epochs, *changes])
    return f"{ARCHITECTURES[name].title}, {DATASETS[dataset].title}: {how}"


def _ensemble(cards: list[Card], averaged: dict[str, dict], dataset: str, name: str = "soft vote") -> str:
    """The accuracy of an ensemble of all networks of a data set, where it was measured with these weights."""
    now = {card.id: card.weights_sha256 for card in cards if card.dataset == dataset}
    found = averaged.get(dataset, {})
    is_current = found.get("weights") == now
    if name == "log-linear":
        found = found.get("log_linear", {})
    return f"{found['accuracy']:.2f} % ({len(now)} networks)" if is_current and found else "not measured yet"


def seeds_table(seeds: Sequence[tuple[Run, dict]], cards: list[Card], averaged: dict[str, dict]) -> str:
    """The mean accuracy of ensembles over seeds as a Markdown table: a row per network, a column per number of seeds.

    `seeds` are from `seeds_of`; beside them is the ensemble of all architectures, as in the `results_table`. "" without
    any.
    """
    if not seeds:
        return ""
    most = max(len(found["accuracy"]) for _, found in seeds)
    lines = [
        f"| seeds averaged | {' | '.join(map(str, range(1, most + 1)))} | ensemble (soft vote) |",
        "|---|" + "---:|" * (most + 1),
    ]
    for run, found in seeds:
        cells = [f"{mean:.2f} %" for mean, _, _ in found["accuracy"]] + [""] * (most - len(found["accuracy"]))
        cells.append(_ensemble(cards, averaged, run.id.split(".")[1]))
        lines.append(f"| {_name(run)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def attacks_tables(attacks: Sequence[Attacked]) -> list[str]:
    """Median norms of minimal perturbations and their transfer as Markdown tables, one for each data set.

    A row per attacked network, a column per network that answers: the share that it misclassifies of the images that
    both classify correctly, at minimal perturbations and at doubled ones.
    """
    tables = []
    for dataset, spec in DATASETS.items():
        rows = [each for each in attacks if each.card.dataset == dataset]
        answering = {id for each in rows for id in each.transfer["minimal"]}
        ids = [id for name in ARCHITECTURES if (id := f"{name}.{dataset}") in answering]
        heads = [f"attacked, {spec.title}", "correct", "median L2", "median L∞", *map(_title, ids)]
        lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
        for each in rows:
            norms = [f"{each.correct} of {each.images}", f"{each.median('l2'):.3f}", f"{each.median('linf'):.4f}"]
            cells = [" / ".join(_percent(each.transfer[kind].get(id)) for kind in KINDS) for id in ids]
            lines.append(f"| {' | '.join([_title(each.card.id), *norms, *cells])} |")
        if rows:
            tables.append("\n".join(lines))
    return tables


def _title(id: str) -> str:
    return ARCHITECTURES[id.partition(".")[0]].title


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"
