"""The charts of the Training tab: curves of runs, and accuracy against cost. Plotly figures, without gradio."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from plotly import graph_objects as go

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import Run, band, smooth
from ui.common.chart import legend
from ui.common.colours import COLOURS
from ui.common.texts import mark, say

GREY = "#8a8a8a"  # text and grid of a plot, readable on light and dark
QUANTITIES = ("accuracy", "loss", "lr", "images_per_second")
WIDTHS = {"en": 48, "zh": 26}  # letters in a line that hovering shows, which fits a phone
PARTS = {"val": "solid", "train": "dot"}  # of accuracy and loss
UNNAMED = ("lr",)  # of a recipe without a name
SYMBOLS = {"": "", "circle": "●", "square": "■", "diamond": "◆", "cross": "✚", "star": "★"}  # as plotly and text say


class View(NamedTuple):
    """How curves are shown: over minutes instead of epochs, on a logarithmic axis, smoothed by a weight."""

    by_time: bool = False
    log: bool = False
    smoothing: float = 0.0
    language: str = "en"


def colour_of(id: str) -> str:
    """The colour of a checkpoint id's network."""
    return COLOURS[id.split(".")[0]]


def symbols(groups: Sequence[list[Run]]) -> list[str]:
    """A symbol for each group, as groups of one network have the same colour; none for the first of a network."""
    names = [runs[0].id.split(".")[0] for runs in groups]
    return [list(SYMBOLS)[names[:index].count(name) % len(SYMBOLS)] for index, name in enumerate(names)]


def name_of(id: str) -> str:
    """The title of a checkpoint id's network and data set."""
    architecture, dataset = id.split(".")
    return f"{ARCHITECTURES[architecture].title} · {DATASETS[dataset].title}"


def notes_of(run: Run) -> list[str]:
    """Keys of texts: without a card a run is under way or has stopped; one with a card began with other weights."""
    if run.card is None:
        return ["training.stopped" if run.stopped else "training.running"]
    return ["training.further"] if run.card.recipe.get("started_from") else []


def length_of(run: Run) -> tuple[str, dict[str, int]] | None:
    """The key and the value of the text with the epochs of a run; None where their number is unknown."""
    epochs = run.changes.get("epochs", run.epochs if run.card else 0)
    return (f"training.length.{'one' if epochs == 1 else 'many'}", {"epochs": epochs}) if epochs else None


def changes_of(run: Run) -> list[str]:
    """The settings that a run changes in its recipe; of a run under way, its learning rate.

    Left out are the epochs, which `length_of` has, and initial weights, which the notes have.
    """
    if not run.card:
        return [_change(name, run.changes[name]) for name in UNNAMED if name in run.changes]
    left_out = {"epochs"} | ({"init"} if "training.further" in notes_of(run) else set())
    return [_change(name, value) for name, value in run.changes.items() if name not in left_out]


def _change(name: str, value: object) -> str:
    """A setting: `lr 0.01`, `bfloat16`, `compile`."""
    return name if value is True else str(value) if isinstance(value, str) else f"{name} {value}"


def label(runs: Sequence[Run], language: str) -> str:
    """What a group of runs is called."""
    run = runs[0]
    words = [run.recipe] * bool(run.card) + [say(language, key) for key in notes_of(run)]
    if length := length_of(run):
        words.append(say(language, length[0], **length[1]))
    words += changes_of(run)
    if len(runs) > 1:
        words.append(say(language, "training.times", count=len(runs)))
    return f"{name_of(run.id)} · {say(language, 'list.comma').join(words)}"


def key_html(groups: Sequence[list[Run]], language: str) -> Markup:
    """The legend of all charts as HTML; in each chart it would leave no room for the curves."""
    entries = [
        (f"{SYMBOLS[symbol]} {label(runs, language)}".strip(), colour_of(runs[0].id), "")
        for runs, symbol in zip(groups, symbols(groups), strict=True)
    ]
    return mark("training.key", "p class='training-note'") + legend(entries)


def curves(groups: Sequence[list[Run]], quantity: str, view: View) -> go.Figure:
    """One chart of a quantity: a network's colour a group, its seeds as mean and band, quoted accuracies as lines.

    On a logarithmic axis an accuracy is shown as its error, 100 % less the accuracy.
    """
    figure = go.Figure()
    is_error = quantity == "accuracy" and view.log
    for runs, symbol in zip(groups, symbols(groups), strict=True):
        for part in PARTS if quantity in ("accuracy", "loss") else ("",):
            _add(figure, runs, f"{part}_{quantity}" if part else quantity, PARTS.get(part, "solid"), symbol, view)
    if quantity == "accuracy":
        _add_quoted(figure, groups, view)
    key = "error" if is_error else quantity
    axis = {"gridcolor": "rgba(138,138,138,0.25)", "zeroline": False, "linecolor": GREY}
    figure.update_layout(
        title={"text": say(view.language, f"training.chart.{key}"), "font": {"size": 15}, "x": 0.01},
        height=320,
        margin={"l": 50, "r": 10, "t": 40, "b": 40},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": GREY, "family": "system-ui, sans-serif"},
        xaxis=axis
        | {
            "title": say(view.language, "training.minutes" if view.by_time else "training.epoch"),
            "rangemode": "tozero",
        },
        yaxis=axis | _scale(groups, quantity, view),
        showlegend=False,
    )
    return figure


def _add(figure: go.Figure, runs: list[Run], column: str, dash: str, symbol: str, view: View) -> None:
    """The curve of a column for a group, and the band between its seeds."""
    values = [_values(run, column, view) for run in runs]
    times = [run.minutes() if view.by_time else [row["epoch"] for row in run.history] for run in runs]
    middle = band(values)
    x = [mean for mean, _, _ in band(times)]
    shade = colour_of(runs[0].id)
    if len(runs) > 1:
        figure.add_scatter(
            x=x + x[::-1], y=[high for _, _, high in middle] + [low for _, low, _ in middle][::-1], fill="toself",
            fillcolor=f"rgba{(*bytes.fromhex(shade[1:]), 0.15)}", mode="none", hoverinfo="skip",
        )  # fmt: skip
    part = column.split("_")[0]
    word = say(view.language, f"training.part.{part}") if part in PARTS else ""
    when = say(view.language, "training.at.minutes" if view.by_time else "training.at.epoch", value="%{x:.4~g}")
    figure.add_scatter(
        x=x,
        y=[mean for mean, _, _ in middle],
        name=label(runs, view.language),
        mode="markers" if len(x) == 1 else "lines+markers" if symbol else "lines",
        marker={"symbol": symbol or "circle", "size": 7, "maxdisplayed": 12},
        line={"color": shade, "dash": dash, "width": 2},
        hovertemplate=f"{label(runs, view.language)} {word}<br>{when}: %{{y:.5~g}}<extra></extra>",
    )


def _add_quoted(figure: go.Figure, groups: Sequence[list[Run]], view: View) -> None:
    """What others report for the networks, as lines that say at their left end whose they are."""
    ids = [runs[0].id for runs in groups]
    for id in dict.fromkeys(ids):
        if quoted := QUOTED.get(id):
            text = say(view.language, "training.quoted.run", name=name_of(id), **quoted._asdict())
            text = "<br>".join(textwrap.wrap(text, WIDTHS[view.language]))
            value, shade = 100 - quoted.accuracy if view.log else quoted.accuracy, colour_of(id)
            figure.add_hline(value, line={"color": shade, "dash": "dash", "width": 1})
            start = groups[ids.index(id)][0].minutes()[0] if view.by_time else 1
            figure.add_scatter(
                x=[start], y=[value], mode="markers", marker={"color": shade, "symbol": "line-ew-open", "size": 12},
                hovertemplate=f"{text}<extra></extra>",
            )  # fmt: skip


def _values(run: Run, column: str, view: View) -> list[float]:
    values = [row[column] for row in run.history]
    if view.log and column.endswith("accuracy"):
        values = [100 - value for value in values]
    return smooth(values, view.smoothing)


def _scale(groups: Sequence[list[Run]], quantity: str, view: View) -> dict:
    """The vertical axis: that of the accuracy begins where the runs are past their start, or at what others report."""
    if view.log:
        ticks = [digit * 10**power for power in range(-6, 6) for digit in (1, 2, 5)]
        return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}
    if quantity != "accuracy":
        return {"rangemode": "tozero"}
    settled = [
        row[f"{part}_accuracy"]
        for runs in groups
        for run in runs
        for row in run.history[len(run.history) // 4 :]
        for part in PARTS
    ]
    reported = [QUOTED[runs[0].id].accuracy for runs in groups if runs[0].id in QUOTED]
    return {"range": [min(settled + reported) - 0.5, 100.2]} if settled else {}


class Point(NamedTuple):
    """A checkpoint in the plot of accuracy against cost."""

    title: str
    cost: float
    accuracy: float
    interval: tuple[float, float]
    colour: str = GREY


def pareto(points: Sequence[Point], cost: str, language: str) -> go.Figure:
    """Test accuracy, with its interval, against a cost on a logarithmic axis; a line joins those that none beats."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    figure = go.Figure()
    figure.add_scatter(
        x=[point.cost for point in best], y=[point.accuracy for point in best], mode="lines",
        line={"color": GREY, "dash": "dot", "shape": "hv"}, hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for point in points:
        low, high = point.interval
        figure.add_scatter(
            x=[point.cost], y=[point.accuracy], mode="markers", name=point.title, showlegend=True,
            marker={"color": point.colour, "size": 10},
            error_y={"type": "data", "symmetric": False, "array": [high - point.accuracy],
                     "arrayminus": [point.accuracy - low]},
            hovertemplate=f"{point.title}<br>%{{x:,}}<br>%{{y:.2f}} % ({low:.2f}–{high:.2f})<extra></extra>",
        )  # fmt: skip
    axis = {"gridcolor": "rgba(138,138,138,0.25)", "zeroline": False, "linecolor": GREY}
    figure.update_layout(
        height=360,
        margin={"l": 50, "r": 50, "t": 20, "b": 40},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": GREY, "family": "system-ui, sans-serif"},
        xaxis=axis | {"title": say(language, f"training.cost.{cost}"), "type": "log"},
        yaxis=axis | {"title": say(language, "training.test")},
    )
    return figure
