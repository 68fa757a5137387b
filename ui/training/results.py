"""The final figures of runs with their recipes. HTML, without gradio."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from cnn_models.analysis.statistics import binomial_interval
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run
from cnn_models.datasets.test_sets import COUNT
from cnn_models.specs import Card
from ui.common.recipe import recipe_words, split_words
from ui.common.templates import render
from ui.common.texts import mark
from ui.training.names import colour_of, label, title_of


def interval_of(accuracy: float) -> tuple[float, float]:
    """The interval of an accuracy on the test images, in percent."""
    return binomial_interval(round(accuracy * COUNT / 100), COUNT)


def final_figures(groups: Sequence[list[Run]]) -> Markup:
    """The final figures of runs, each with its recipe folded away below it, and what others report."""
    reported = {runs[0].id: QUOTED[runs[0].id] for runs in groups if runs[0].id in QUOTED}
    return render(
        "training/figures.html",
        rows=[
            _row(run) for runs in groups for run in runs
        ],
        reported=[figure._asdict() | {"name": title_of(id)} for id, figure in reported.items()],
    )  # fmt: skip


def _row(run: Run) -> dict[str, object]:
    """What the table shows of a run; what was not measured is None."""
    card, last = run.card, run.history[-1]
    metrics = card.metrics if card else {}
    test, loss = (card.on_test_set(figure) if card else None for figure in ("accuracy", "loss"))
    return {
        "run": run,
        "title": label([run]),
        "colour": colour_of(run.id),
        "validation": None if card and card.recipe.get("held_out") == 0 else last["val_accuracy"],
        "test": test,
        "interval": interval_of(test) if test else None,
        "loss": loss,
        "calibration": [metrics.get(name) for name in ("test_ece_uncalibrated", "test_ece")],
        "recipe": _recipe(card) if card else None,
    }


def _recipe(card: Card) -> dict[str, object]:
    """A card's recipe in words and as settings, and where the checkpoint is from."""
    made = mark("training.made", commit=card.commit[:12], date=card.date)
    split = split_words(card.split, card.recipe.get("teachers", ()))
    return {
        "words": recipe_words(card.recipe),
        "origin": mark("list.semicolon").join(filter(None, (split, made))),
        "settings": [
            (name, str(value))
            for name, value in sorted(card.recipe.items())
            if name not in ("changed", "started_from") and value not in (0, 0.0, False, "", None, [], {})
        ],
    }
