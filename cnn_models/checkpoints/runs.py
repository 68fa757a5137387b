"""Training runs: of the checkpoints in `weights/` and in `weights/runs/NAME/`, and unfinished ones.

A run is the card and the history of a checkpoint folder; its weights need not be there. `python -m training.train ID
--recipe source --seed 1 --out weights/runs/source.1` makes one. The app lists the checkpoints in `weights/` alone.
"""

from __future__ import annotations

import itertools
import json
import math
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open

from cnn_models.checkpoints.folder import CONFIG, HISTORY, HISTORY_COLUMNS, CheckpointError, read_card, read_history
from cnn_models.checkpoints.ids import BUILT_IN
from cnn_models.specs import Card

RUNS, UNFINISHED = "runs", ".training"
MEASURED = (f"*/{CONFIG}", f"{RUNS}/*/*/{CONFIG}", "*.json", "projections/*.safetensors")
SILENT = 600  # seconds without a save, due every two minutes, after which an unfinished run counts as stopped


@dataclass(frozen=True)
class Run:
    """One training of a network: the name of its `recipe`, the `changes` to it, and the rows of its `history`.

    `card` is None where it is unfinished, running or `stopped`; `changes` are then the whole recipe. `out` is the
    folder of the checkpoint, "" for the usual one.
    """

    id: str
    recipe: str
    seed: int
    history: list[dict[str, float]]
    card: Card | None = None
    stopped: bool = False
    changes: dict = field(default_factory=dict)
    out: str = ""

    @property
    def command(self) -> str:
        """The command that repeats the run in the same folder; "" without a card."""
        where = f" --out {shlex.quote(self.out)}" if self.out else ""
        return f"{self.card.command}{where}" if self.card else ""

    @property
    def epochs(self) -> int:
        """The number of epochs of its recipe; of an unfinished run, those so far."""
        return self.card.recipe.get("epochs", len(self.history)) if self.card else len(self.history)

    @property
    def group(self) -> str:
        """A key that runs share which differ only in their seed: id, recipe, number of epochs and changes."""
        epochs = f" {self.epochs}" if self.card else ""
        changes = f" {json.dumps(self.changes, sort_keys=True)}" if self.changes else ""
        return f"{self.id} {self.recipe}{epochs}{changes}"

    def folder(self, weights: Path) -> Path:
        """Its checkpoint folder, below the folder in which it was found."""
        return (weights / RUNS / Path(self.out).name if self.out else weights) / self.id

    def minutes(self) -> list[float]:
        """The end of each epoch, in minutes of training."""
        return [seconds / 60 for seconds in itertools.accumulate(row["seconds"] for row in self.history)]


def find_runs(weights: Path) -> dict[str, list[Run]]:
    """All runs below a folder that have an epoch, by group, in the order of the registry, without damaged ones."""
    found: dict[str, list[Run]] = {}
    for id in BUILT_IN:
        for place in [weights, *sorted((weights / RUNS).glob("*"))]:
            out = "" if place == weights else f"{weights.name}/{RUNS}/{place.name}"
            for run in (_finished(place / id, out), _unfinished(place / UNFINISHED / f"{id}.safetensors", id)):
                if run and run.history:
                    found.setdefault(run.group, []).append(run)
    return found


def versions(weights: Path) -> dict[str, int]:
    """The modification time, in nanoseconds, of each card and measurement below a folder, by path."""
    found = {}
    for path in sorted(path for pattern in MEASURED for path in weights.glob(pattern)):
        with suppress(OSError):  # a command may replace it at this moment
            found[str(path)] = path.stat().st_mtime_ns
    return found


def _finished(folder: Path, out: str) -> Run | None:
    if not ((folder / CONFIG).is_file() and (folder / HISTORY).is_file()):
        return None
    with suppress(CheckpointError):
        card = read_card(folder)
        name, changes = str(card.recipe.get("name")), card.recipe.get("changed", {})
        return Run(card.id, name, card.seed, read_history(folder), card, changes=changes, out=out)
    return None


def _unfinished(state: Path, id: str) -> Run | None:
    """The run in a state of `training.state`, which is saved atomically; None for a damaged or missing one."""
    try:
        with safe_open(state, framework="pt") as file:
            run = json.loads(file.metadata()["run"])
        history = [{column: float(row[column]) for column in HISTORY_COLUMNS} for row in run["progress"]["history"]]
        if not all(math.isfinite(value) for row in history for value in row.values()):
            return None
        stopped, facts = time.time() - state.stat().st_mtime > SILENT, run["facts"]
        # The state contains the whole recipe, but not its name.
        name, changes = UNFINISHED.removeprefix("."), facts.get("recipe", {})
        return Run(id, name, int(facts["seed"]), history, stopped=stopped, changes=changes)
    except (OSError, SafetensorError, ValueError, TypeError, LookupError, AttributeError, OverflowError,
            RecursionError):  # fmt: skip
        return None


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """The exponential moving average with this decay, 0 for the values themselves.

    With Adam's bias correction: D. Kingma, J. Ba, 2015, arXiv:1412.6980, section 3.
    """
    found, total = [], 0.0
    for index, value in enumerate(values, 1):
        total = weight * total + (1 - weight) * value
        found.append(total / (1 - weight**index))
    return found


def band(curves: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
    """Mean, minimum and maximum of several curves at each point that all of them have."""
    return [(math.fsum(values) / len(values), min(values), max(values)) for values in zip(*curves, strict=False)]
