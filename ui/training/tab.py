"""The Training tab: a function for each section."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.statistics import CONFIDENCE
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.checkpoints.runs import Run, find_runs, versions
from cnn_models.datasets.test_sets import COUNT
from ui.common.modules import event_js, on_load
from ui.common.reading import all_known, flag, items, known, number, text
from ui.common.texts import LANGUAGES, mark, say
from ui.training.curves import QUANTITIES, View, curves_html, label
from ui.training.epochs import epochs_component
from ui.training.reliability import reliability_html
from ui.training.results import COSTS, final_figures, leaderboard, leaderboard_html, pareto
from ui.training.test_errors import errors_component, errors_html

DRAWN = QUANTITIES[:2]  # the charts at the start
AXES = ("epoch", "time")
SMOOTHEST = 0.95  # largest weight of the moving average
INTERVAL = 15  # seconds between two searches for running trainings
EVENT: dict[str, Any] = dict(
    queue=False, show_progress="hidden", trigger_mode="always_last", api_visibility="private"
)  # fmt: skip
Control = gr.Radio | gr.CheckboxGroup | gr.Checkbox | gr.Slider | gr.HTML


class Section(NamedTuple):
    """Controls, the components that depend on them, and the function that updates these."""

    controls: Sequence[Control]
    shown: Sequence[Component]
    show: Callable[..., list]


def training_tab(hub: ModelHub, tab: gr.Tab) -> None:
    """The sections: runs of training, and the networks of a data set, from their histories, cards and evaluations."""
    cards = gr.State(versions(hub.weights_dir))  # read before the cards, so that later changes are noticed
    first = next((card.dataset for card in hub.cards().values()), next(iter(DATASETS)))
    runs = curves_section(hub, first)
    epochs_section(hub, tab)
    ranking = leaderboard_section(hub, first)
    dataset = ranking.controls[0]
    calibration = calibration_section(hub, dataset, first)
    errors = errors_section(hub, dataset, first)
    follow_trainings(hub, tab, cards, runs, [ranking, calibration, errors])


def curves_section(hub: ModelHub, first: str) -> Section:
    """Charts of the chosen runs, at the start the checkpoints of a data set, and their final figures."""

    def show(chosen: object, drawn: object, by: object, log: object, smoothing: object) -> list:
        drawn, chosen = all_known("charts", drawn, QUANTITIES), set(_groups(chosen))
        by_time, log = known("axis", by, AXES) == "time", flag("log", log)
        view = View(by_time, log, number("smoothing", smoothing, 0, SMOOTHEST))
        groups = [runs for group, runs in find_runs(hub.weights_dir).items() if group in chosen]
        return [curves_html(groups, [name for name in QUANTITIES if name in drawn], view), final_figures(groups)]

    found, own = find_runs(hub.weights_dir), hub.cards()
    value = [
        group
        for group, runs in found.items()
        if any(run.card and run.card == own.get(run.id) and run.card.dataset == first for run in runs)
    ]
    chosen = [found[group] for group in value]
    chooser = gr.CheckboxGroup(
        choices(found), value=value, label=say("en", "training.runs"), show_label=False, container=False,
        elem_id="training-runs",
    )  # fmt: skip
    with gr.Row(elem_id="training-view"):
        drawn = gr.CheckboxGroup(
            [(say("en", f"training.chart.{name}"), name) for name in QUANTITIES],
            value=list(DRAWN), label=say("en", "training.charts"), show_label=False, container=False, scale=2,
            min_width=580, elem_id="training-drawn",
        )  # fmt: skip
        by = gr.Radio(
            [(say("en", f"training.by.{name}"), name) for name in AXES],
            value=AXES[0], label=say("en", "training.axis"), show_label=False, container=False, min_width=240,
        )  # fmt: skip
        log = gr.Checkbox(label=say("en", "training.log"), container=False, elem_id="training-log")
        smoothing = gr.Slider(0, SMOOTHEST, 0, step=0.05, label=say("en", "training.smoothing"), min_width=200)
    charts = gr.HTML(
        curves_html(chosen, DRAWN, View()), js_on_load=on_load("common/chart.js"), elem_id="training-curves",
        apply_default_css=False,
    )  # fmt: skip
    _heading("training.figures")
    figures = gr.HTML(final_figures(chosen), elem_id="training-figures", apply_default_css=False)
    section = Section([chooser, drawn, by, log, smoothing], [charts, figures], show)
    # `change`, as a slider's reset button triggers no `input`.
    events = [control.change if control is smoothing else control.input for control in section.controls]
    gr.on(events, show, section.controls, section.shown, **EVENT)
    return section


def epochs_section(hub: ModelHub, tab: gr.Tab) -> None:
    """Predictions over the epochs for the drawing."""
    _heading("epochs.title")
    epochs_component(hub, tab)


def leaderboard_section(hub: ModelHub, first: str) -> Section:
    """Chooser of the data set, a table of its networks, and their accuracy against a cost."""

    def show(dataset: object, cost: object) -> list:
        entries, cost = leaderboard(hub, known("dataset", dataset, DATASETS)), known("cost", cost, COSTS)
        return [leaderboard_html(entries), pareto(entries, cost)]

    _heading("training.leaderboard")
    with gr.Row():
        dataset = gr.Radio(
            [(spec.title, name) for name, spec in DATASETS.items()],
            value=first, label=say("en", "dataset.choose"), show_label=False, container=False,
            elem_id="training-dataset",
        )  # fmt: skip
        cost = gr.Radio(
            [(say("en", f"training.cost.{name}"), name) for name in COSTS],
            value=COSTS[0], label=say("en", "training.against"), container=False, elem_id="training-cost",
        )  # fmt: skip
    table, plot = show(first, COSTS[0])
    shown = [
        gr.HTML(table, elem_id="training-leaderboard", apply_default_css=False),
        gr.HTML(plot, js_on_load=on_load("common/chart.js"), elem_id="training-pareto", apply_default_css=False),
    ]
    measured = {"count": f"{COUNT:,}", "confidence": f"{100 * CONFIDENCE:g}"}
    gr.HTML(mark("training.pareto", "p class='training-note'", **measured), apply_default_css=False)
    return _wired(Section([dataset, cost], shown, show))


def calibration_section(hub: ModelHub, dataset: Control, first: str) -> Section:
    """A reliability diagram for each network of the data set."""

    def show(dataset: object) -> list:
        return [reliability_html(hub, known("dataset", dataset, DATASETS))]

    _heading("reliability.title")
    shown = gr.HTML(*show(first), elem_id="training-reliability", apply_default_css=False)
    return _wired(Section([dataset], [shown], show))


def errors_section(hub: ModelHub, dataset: Control, first: str) -> Section:
    """The paired comparison of two networks of the data set, and misclassified test images."""

    def show(dataset: object) -> list:
        return [errors_html(predictions_of(hub, known("dataset", dataset, DATASETS)))]

    _heading("errors.title")
    return _wired(Section([dataset], [errors_component(hub, first)], show))


def follow_trainings(hub: ModelHub, tab: gr.Tab, cards: gr.State, runs: Section, tables: Sequence[Section]) -> None:
    """Update the sections when trainings begin, progress or end, while the tab is open."""
    chooser = runs.controls[0]
    timer, language, seen = gr.Timer(INTERVAL, active=False), gr.Textbox(visible=False), gr.State([])
    inputs = [language, seen, cards, *runs.controls, *(control for table in tables for control in table.controls)]
    outputs = [timer, seen, cards, chooser, *runs.shown, *(each for table in tables for each in table.shown)]

    def follow(language: object, seen: list[str], cards: dict[str, int], *values: object) -> list:
        """Values for `outputs`: the runs to choose from, and charts and tables if they have changed.

        `language` is the visitor's, empty while the tab is hidden, which stops the timer.
        `seen` are the groups that were running at the last call: only newer ones are chosen, so that a group that the
        visitor deselects stays so. `cards` are the `versions` that the tables show.
        """
        if not language:
            return [gr.Timer(active=False)] + [gr.skip()] * (len(outputs) - 1)
        (chosen, *view), values = values[: len(runs.controls)], values[len(runs.controls) :]
        language, chosen = known("language", language, LANGUAGES), _groups(chosen)
        now, found = versions(hub.weights_dir), find_runs(hub.weights_dir)
        running = {group for group, runs in found.items() if any(not (run.card or run.stopped) for run in runs)}
        value = followed(chosen, found, running - set(seen))
        changed: dict[str, Any] = {} if set(value) == set(chosen) else {"value": value}
        drawn = [gr.skip()] * len(runs.shown)
        if changed or now != cards or running & set(value):
            drawn = runs.show(value, *view)
        for table in tables:
            given, values = values[: len(table.controls)], values[len(table.controls) :]
            drawn += table.show(*given) if now != cards else [gr.skip()] * len(table.shown)
        chooser = gr.update(choices=choices(found, language), **changed)
        return [gr.Timer(active=True), sorted(running), now, chooser, *drawn]

    for listen, function in ((tab.select, "withLanguage"), (timer.tick, "whileShown")):
        listen(follow, inputs, outputs, js=event_js("training/tab.js", function), **EVENT)


def choices(found: Mapping[str, list[Run]], language: str = "en") -> list[tuple[str, str]]:
    """The label and name of each group of runs."""
    return [(label(runs, language), group) for group, runs in found.items()]


def followed(chosen: Collection[str], found: Mapping[str, list[Run]], begun: Collection[str]) -> list[str]:
    """The groups to choose: the chosen and the begun ones, and all runs of the network of a group that has ended."""
    ended = {group.partition(" ")[0] for group in chosen if group not in found}
    return [group for group, runs in found.items() if group in chosen or group in begun or runs[0].id in ended]


def _groups(chosen: object) -> list[str]:
    """The groups of runs that a visitor has chosen, some of which may have ended. Raises Refused."""
    return [text("runs", group) for group in items("runs", chosen)]


def _heading(key: str) -> None:
    gr.HTML(mark(key, "h2"), apply_default_css=False)


def _wired(section: Section) -> Section:
    """The section, updated on the input of its controls."""
    gr.on([each.input for each in section.controls], section.show, section.controls, section.shown, **EVENT)
    return section
