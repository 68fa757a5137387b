"""What runs are called in the Training tab, as HTML in the visitor's language."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cnn_models import ARCHITECTURES
from cnn_models.checkpoints.runs import Run
from ui.common.chart import SYMBOLS
from ui.common.colours import COLOURS
from ui.common.templates import render
from ui.common.texts import mark

UNNAMED = ("lr",)  # of a recipe without a name


def colour_of(id: str) -> str:
    """The colour of a checkpoint id's network."""
    return COLOURS[id.split(".")[0]]


def title_of(id: str) -> str:
    """The title of a checkpoint id's network."""
    return ARCHITECTURES[id.split(".")[0]].title


def symbols(groups: Sequence[list[Run]]) -> list[str]:
    """A symbol for each group, as groups of one network have the same colour; none for the first of a network."""
    names = [runs[0].id.split(".")[0] for runs in groups]
    found = ["", *SYMBOLS]
    return [found[names[:index].count(name) % len(found)] for index, name in enumerate(names)]


def label(runs: Sequence[Run]) -> Markup:
    """The network of a group of runs, the name of its recipe and its details."""
    run = runs[0]
    return render("training/label.html", title=title_of(run.id), recipe=run.card and run.recipe, details=details(runs))


def details(runs: Sequence[Run]) -> Markup:
    """What distinguishes a group from others of its network and recipe: state, epochs, changes, number of runs."""
    words = [mark(key) for key in _notes(runs[0])]
    if length := _length(runs[0]):
        words.append(length)
    words += _changes(runs[0])
    if len(runs) > 1:
        words.append(mark("training.times", count=len(runs)))
    return mark("list.comma").join(words)


def _notes(run: Run) -> list[str]:
    """Keys of texts: without a card a run is under way or has stopped; one with a card began with other weights."""
    if run.card is None:
        return ["training.stopped" if run.stopped else "training.running"]
    return ["training.further"] if run.card.recipe.get("started_from") else []


def _length(run: Run) -> Markup | None:
    """The epochs of a run; None where their number is unknown."""
    epochs = run.changes.get("epochs", run.epochs if run.card else 0)
    return mark(f"training.length.{'one' if epochs == 1 else 'many'}", epochs=epochs) if epochs else None


def _changes(run: Run) -> list[str]:
    """The settings that a run changes in its recipe; of a run under way, its learning rate.

    Left out are the epochs, which `_length` has, and initial weights, which the notes have.
    """
    if not run.card:
        return [_change(name, run.changes[name]) for name in UNNAMED if name in run.changes]
    left_out = {"epochs"} | ({"init"} if run.card.recipe.get("started_from") else set())
    return [_change(name, value) for name, value in run.changes.items() if name not in left_out]


def _change(name: str, value: object) -> str:
    """A setting: `lr 0.01`, `bfloat16`, `compile`."""
    return name if value is True else str(value) if isinstance(value, str) else f"{name} {value}"
