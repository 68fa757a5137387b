"""The tables of the Training tab: final figures with their recipes, and the leaderboard. HTML, without gradio."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.analysis.statistics import CONFIDENCE, binomial_interval
from cnn_models.checkpoints.folder import WEIGHTS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run
from cnn_models.datasets.test_sets import COUNT
from cnn_models.layers import architecture_layers, architecture_milliseconds
from cnn_models.specs import Card
from ui.common.numbers import milliseconds
from ui.common.recipe import recipe_words, split_words
from ui.common.texts import mark
from ui.training.curves import SYMBOLS, Point, changes_of, colour_of, length_of, name_of, notes_of, symbols

COSTS = ("parameters", "macs", "milliseconds", "megabytes")
FIGURES = ("validation", "test", "loss", "calibration", "epochs", "minutes")


class Entry(NamedTuple):
    """A checkpoint on the leaderboard; accuracy and interval in percent of the test pictures."""

    card: Card
    accuracy: float
    interval: tuple[float, float]
    parameters: int
    macs: int
    milliseconds: float
    megabytes: float


def interval_of(accuracy: float) -> tuple[float, float]:
    """The interval of an accuracy on the test pictures, in percent."""
    return binomial_interval(round(accuracy * COUNT / 100), COUNT)


def leaderboard(hub: ModelHub, dataset: str) -> list[Entry]:
    """The evaluated checkpoints of a data set, the best first."""
    entries = []
    for id, card in hub.cards().items():
        if card.dataset == dataset and (accuracy := card.on_test_set("accuracy")) is not None:
            weights = hub.weights_dir / id / WEIGHTS
            if not weights.is_file():
                continue
            layers = architecture_layers(card.architecture, card.input_size)
            time = sum(architecture_milliseconds(card.architecture, card.input_size))
            size = weights.stat().st_size / 1e6
            interval = interval_of(accuracy)
            entries.append(Entry(card, accuracy, interval, layers.parameters, layers.macs, time, size))
    return sorted(entries, key=lambda entry: -entry.accuracy)


def points(entries: Sequence[Entry], cost: str) -> list[Point]:
    """The leaderboard for the plot of accuracy against a cost of COSTS."""
    return [
        Point(
            ARCHITECTURES[entry.card.architecture].title,
            getattr(entry, cost),
            entry.accuracy,
            entry.interval,
            colour_of(entry.card.id),
        )
        for entry in entries
    ]


def leaderboard_html(entries: Sequence[Entry]) -> str:
    """The leaderboard as a table; a sentence where nothing was evaluated."""
    if not entries:
        return f"<p class='training-none'>{mark('training.unevaluated')}</p>"
    heads = ("test", "interval", "parameters", "macs", "milliseconds", "megabytes", "worth")
    body = [
        f"<tr><th scope='row'><i style='background:{colour_of(entry.card.id)}'></i>"
        f"{escape(ARCHITECTURES[entry.card.architecture].title)}</th><td>{entry.accuracy:.2f} %</td>"
        f"<td>{entry.interval[0]:.2f}–{entry.interval[1]:.2f}</td><td>{entry.parameters:,}</td><td>{entry.macs:,}</td>"
        f"<td>{milliseconds(entry.milliseconds)}</td><td>{entry.megabytes:.2f} MB</td>"
        f"<td>{entry.accuracy / entry.megabytes:,.1f}</td></tr>"
        for entry in entries
    ]
    return _table("network", heads, body)


def final_figures(groups: Sequence[list[Run]]) -> str:
    """The final figures of runs, each with its recipe folded away below it, and what others report."""
    if not groups:
        return f"<p class='training-none'>{mark('training.none')}</p>"
    body = []
    for runs, symbol in zip(groups, symbols(groups), strict=True):
        body += [_figures(run, SYMBOLS[symbol]) for run in runs]
    reported = {runs[0].id: QUOTED[runs[0].id] for runs in groups if runs[0].id in QUOTED}
    quoted = "".join(
        f"<li>{mark('training.quoted.run', name=name_of(id), **figure._asdict())}</li>"
        for id, figure in reported.items()
    )
    quoted = f"{mark('training.quoted', 'p')}<ul>{quoted}</ul>" if quoted else ""
    return _table("run", FIGURES, body) + f"<div class='training-quoted'>{quoted}</div>"


def _table(first: str, heads: Sequence[str], body: Sequence[str]) -> str:
    values = {"interval": {"confidence": f"{100 * CONFIDENCE:g}"}}
    titles = "".join(mark(f"training.{head}", "th", **values.get(head, {})) for head in heads)
    return (
        f"<div class='training-figures' tabindex='0'><table>"
        f"<thead><tr>{mark(f'training.{first}', 'th')}{titles}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def _figures(run: Run, symbol: str) -> str:
    metrics, last = run.card.metrics if run.card else {}, run.history[-1]
    test, loss = (run.card.on_test_set(figure) if run.card else None for figure in ("accuracy", "loss"))
    held_out = run.card is None or run.card.recipe.get("held_out") != 0
    low, high = interval_of(test) if test else (0, 0)
    raw, calibrated = metrics.get("test_ece_uncalibrated"), metrics.get("test_ece")
    cells = [
        f"{last['val_accuracy']:.2f} %" if held_out else "–",
        f"{test:.2f} % <small>{low:.2f}–{high:.2f}</small>" if test else "–",
        f"{loss:.4f}" if loss is not None else "–",
        f"{raw:.2f} → {calibrated:.2f} %" if raw is not None else "–",
        f"{len(run.history)}",
        f"{run.minutes()[-1]:.1f}",
    ]
    seed = f" · {mark('training.seed', seed=run.seed)}"
    words = [escape(run.recipe)] * bool(run.card) + [*map(mark, notes_of(run))]
    if length := length_of(run):
        words.append(mark(length[0], **length[1]))
    words += map(escape, changes_of(run))
    recipe = mark("list.comma").join(words)
    title = f"<i style='background:{colour_of(run.id)}'></i>{symbol} {escape(name_of(run.id))} · {recipe}{seed}"
    row = f"<tr><th scope='row'>{title}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    if run.card is None:
        return row
    return f"{row}<tr><td colspan='{len(FIGURES) + 1}'>{_recipe(run)}</td></tr>"


def _recipe(run: Run) -> str:
    """The recipe in words and as the command that repeats it."""
    card = run.card
    values = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>"
        for name, value in sorted(card.recipe.items())
        if name not in ("changed", "started_from") and value not in (0, 0.0, False, "", None, [], {})
    )
    made = mark("training.made", commit=card.commit[:12], date=card.date)
    split = split_words(card.split, card.recipe.get("teachers", ()))
    where = mark("list.semicolon").join(filter(None, (split, made)))
    return (
        f"<details><summary>{mark('training.recipe')} <code>{escape(run.command)}</code></summary>"
        f"<p>{recipe_words(card.recipe)}</p><p>{where}</p><dl>{values}</dl></details>"
    )
