"""Ensembles over the seeds of one network, in the lesson on ensembles: results of `training.evaluate --seeds`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.seeds import seeds_of
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.runs import Run, find_runs
from cnn_models.layers import architecture_layers
from ui.common.chart import Axis, Level, Line, around, chart, legend
from ui.common.colours import COLOURS, ENSEMBLE
from ui.common.templates import render
from ui.common.texts import attribute, mark
from ui.learn.findings import Sentence

Seeds = Sequence[tuple[Run, dict]]  # as `seeds_of` returns them


class Ensemble(NamedTuple):
    """Number of networks, test accuracy in percent, and, summed over them, parameters and MACs an image."""

    networks: int
    accuracy: float
    parameters: int
    macs: int


def read(hub: ModelHub) -> Seeds:
    """The measured accuracies; empty if the file is damaged, so that the page still opens."""
    try:
        return seeds_of(hub.weights_dir, find_runs(hub.weights_dir).values())
    except CheckpointError:
        return []


def seeds_html(seeds: Seeds, dataset: str, together: Ensemble | None) -> Markup:
    """HTML of accuracy and cost of the ensembles over seeds of a data set, beside all architectures `together`.

    "" where none are measured.
    """
    found = _of(seeds, dataset)
    if not found:
        return Markup()
    rows = [row for each in found for row in _rows(*each)]
    entries = [(_title(run), COLOURS[run.id.split(".")[0]], "") for run, _ in found]
    if together:
        name = mark("seeds.together", count=together.networks)
        rows.append((name, together))
        entries.append((name, ENSEMBLE, "6 4"))  # the dash of a level
    return render(
        "learn/seeds.html",
        legend=legend(entries),
        charts=[_chart(*each, together) for each in found],
        rows=rows,
    )


def seeds_sentences(seeds: Seeds, dataset: str, together: Ensemble | None) -> Iterator[Sentence]:
    """What was found for a data set: all seeds of a network beside one alone, and all architectures `together`."""
    for run, found in _of(seeds, dataset):
        (single, *_), *_, (accuracy, *_) = found["accuracy"]
        values = {"dataset": DATASETS[dataset].title, "network": _title(run), "count": len(found["accuracy"])}
        values |= {"accuracy": f"{accuracy:.2f}", "single": f"{single:.2f}"}
        if together:
            yield "seeds.found.beside", values | {"all": together.networks, "together": f"{together.accuracy:.2f}"}
        else:
            yield "seeds.found", values


def _of(seeds: Seeds, dataset: str) -> Seeds:
    return [(run, found) for run, found in seeds if run.id.endswith(f".{dataset}")]


def _title(run: Run) -> str:
    return ARCHITECTURES[run.id.split(".")[0]].title


def _chart(run: Run, found: dict, together: Ensemble | None) -> Markup:
    """The mean accuracy over the number of seeds, between lowest and highest, and that of all architectures."""
    title, rows = _title(run), found["accuracy"]
    line = Line(
        title,
        COLOURS[run.id.split(".")[0]],
        [(count, mean) for count, (mean, _, _) in enumerate(rows, 1)],
        dots=[f"{title}: {mean:.2f} % ({low:.2f}–{high:.2f})" for mean, low, high in rows],
        spread=[(low, high) for _, low, high in rows],
    )
    levels = [Level(mark("seeds.together", count=together.networks), ENSEMBLE, together.accuracy)] if together else []
    values = [*chain(*rows), *(level.value for level in levels)]
    key, x = "seeds.by_count", Axis(1, len(rows), whole=True)
    return chart(
        mark(key, network=title), mark("seeds.count"), [line], x, around(values, margin=0.05),
        label=attribute("aria-label", key, network=title), levels=levels,
    )  # fmt: skip


def _rows(run: Run, found: dict) -> list[tuple[Markup, Ensemble]]:
    """One seed of a network, by the mean over the seeds, and all of them, each with its name."""
    layers = architecture_layers(run.id.split(".")[0], run.card.input_size if run.card else None)
    rows = []
    for key, count in (("seeds.one", 1), ("seeds.all", len(found["accuracy"]))):
        ensemble = Ensemble(count, found["accuracy"][count - 1][0], count * layers.parameters, count * layers.macs)
        rows.append((mark(key, count=count, network=_title(run)), ensemble))
    return rows
