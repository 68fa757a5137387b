"""Accuracies of ensembles over the seeds of a network: `seeds.json`, by `python -m training.evaluate --seeds`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cnn_models.analysis.averaged import read_accuracies
from cnn_models.checkpoints.runs import Run

SEEDS = "seeds.json"


def read_seeds(weights: Path) -> dict[str, dict]:
    """The content of the file, by group of runs that differ in their seed alone; empty where there is no file.

    `weights` are the hashes by seed. `accuracy` (percent of the test set) holds mean, lowest and highest over the
    ensembles of one network, of two, and so on up to all. Raises CheckpointError for any other content.
    """
    return read_accuracies(weights / SEEDS, lambda found: all(map(_is_possible, found.values())), "--seeds")


def seeds_of(weights: Path, groups: Iterable[Sequence[Run]]) -> list[tuple[Run, dict]]:
    """A run of each measured group, with the group's content of the file; without those of other weights.

    Raises CheckpointError as `read_seeds` does.
    """
    measured, found = read_seeds(weights), []
    for runs in groups:
        now = {(str(run.seed), run.card.weights_sha256) for run in runs if run.card}
        if (of := measured.get(runs[0].group)) and of["weights"].items() <= now:
            found.append((runs[0], of))
    return found


def _is_possible(found: dict) -> bool:
    """Whether the content for one group can have been measured. Raises TypeError and others for other fields."""
    weights, rows = found["weights"], found["accuracy"]
    return (
        len(rows) == len(weights) > 1
        and all(seed.isdecimal() and isinstance(sha256, str) for seed, sha256 in weights.items())
        and all(type(accuracy) in (int, float) for row in rows for accuracy in row)
        and all(0 <= low <= mean <= high <= 100 for mean, low, high in rows)
    )
