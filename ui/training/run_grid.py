"""The grid in which runs of a data set are chosen: a row for each network, a column for each recipe."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from markupsafe import Markup

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.checkpoints.runs import UNFINISHED, Run, find_runs
from ui.common.colours import COLOURS
from ui.common.reading import fields, items, text
from ui.common.templates import render
from ui.training.names import details

Groups = Mapping[str, list[Run]]


class Choice(NamedTuple):
    """The groups that a visitor's grid shows, and those that are checked in it."""

    shown: list[str]
    chosen: list[str]


def runs_of(hub: ModelHub, dataset: str) -> dict[str, list[Run]]:
    """The runs of a data set by group, in the order of the registry."""
    return {group: runs for group, runs in find_runs(hub.weights_dir).items() if runs[0].id.endswith(f".{dataset}")}


def progress_of(hub: ModelHub, dataset: str) -> list[tuple[str, bool, int]]:
    """The group of each unfinished run of a data set, whether it stopped, and its epochs so far."""
    runs = [run for runs in runs_of(hub, dataset).values() for run in runs]
    return [(run.group, run.stopped, len(run.history)) for run in runs if not run.card]


def choice_of(sent: object) -> Choice | None:
    """What the page sends of its grid, None before it shows one. Raises Refused."""
    if sent is None:
        return None
    found = fields("runs", sent)
    return Choice(*([text("runs", group) for group in items("runs", found.get(name))] for name in Choice._fields))


def chosen_runs(hub: ModelHub, found: Groups, choice: Choice | None) -> list[str]:
    """The groups to choose: at first the checkpoints; then the visitor's, those that began since, and, of a group that
    has ended, all of its network.
    """
    if choice is None:
        own = list(hub.cards().values())
        choice = Choice([], [group for group, runs in found.items() if any(run.card in own for run in runs)])
    running = {group for group, runs in found.items() if any(not (run.card or run.stopped) for run in runs)}
    begun = running - set(choice.shown)
    ended = {group.partition(" ")[0] for group in choice.chosen if group not in found}
    return [group for group, runs in found.items() if group in choice.chosen or group in begun or runs[0].id in ended]


def grid_html(dataset: str, found: Groups, chosen: Collection[str]) -> Markup:
    """The grid with the chosen groups checked; a cell has a checkbox for each group of a network and a recipe."""
    recipes = list(dict.fromkeys(runs[0].recipe for runs in found.values()))
    cells: dict[str, dict[str, list]] = {}
    for group, runs in found.items():
        row = cells.setdefault(runs[0].id.split(".")[0], {recipe: [] for recipe in recipes})
        row[runs[0].recipe].append((group, details(runs)))
    return render(
        "training/run_grid.html",
        dataset=dataset,
        recipes=recipes,
        unfinished=UNFINISHED.removeprefix("."),
        networks=[(name, ARCHITECTURES[name].title, COLOURS[name], row) for name, row in cells.items()],
        chosen=chosen,
    )
