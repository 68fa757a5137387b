"""The Training tab: curves of any runs overlaid, their final figures, and the leaderboard of all checkpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import gradio as gr

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.statistics import CONFIDENCE
from cnn_models.analysis.test_errors import answers_of
from cnn_models.checkpoints.runs import Run, find_runs, versions
from cnn_models.datasets.test_sets import COUNT
from ui.common.modules import event_js, on_load
from ui.common.reading import all_known, flag, items, known, number, text
from ui.common.texts import LANGUAGES, mark, say
from ui.training.curves import QUANTITIES, View, curves, key_html, label, pareto
from ui.training.mistakes import mistakes, mistakes_page
from ui.training.reliability import reliability_html
from ui.training.results import COSTS, final_figures, leaderboard, leaderboard_html, points
from ui.training.time_machine import time_machine

DRAWN = QUANTITIES[:2]  # at first
AXES = ("epoch", "time")
SMOOTHEST = 0.95  # weight of the moving average
EVERY = 15  # seconds between two looks for trainings under way


def training_tab(hub: ModelHub, tab: gr.Tab) -> None:
    """Chooser of runs, four charts and the tables; everything is read from histories, cards and evaluations."""
    cards = gr.State(versions(hub.weights_dir))  # before the cards are read: one that is written meanwhile is newer
    found, own = find_runs(hub.weights_dir), hub.cards()

    def choices(found: Mapping[str, list[Run]], language: str = "en") -> list[tuple[str, str]]:
        return [(label(runs, language), group) for group, runs in found.items()]

    def show(chosen: object, drawn: object, by: object, log: object, smoothing: object, language: object) -> list:
        drawn, chosen = all_known(drawn, QUANTITIES), items(chosen)
        view = View(known(by, AXES) == "time", flag(log), number(smoothing, 0, SMOOTHEST), _language(language))
        groups = [runs for group, runs in find_runs(hub.weights_dir).items() if group in chosen]
        plots = [
            gr.Plot(curves(groups, name, view) if name in drawn else None, visible=name in drawn) for name in QUANTITIES
        ]
        return [key_html(groups, view.language), *plots, final_figures(groups)]

    def follow(
        shown: object, seen: list[str], cards: dict[str, int], name: object, cost: object, chosen: object, *view: object
    ) -> list:
        """The runs to choose from; charts and tables too where they have changed. Sleeps while the tab isn't shown.

        `seen` are the groups under way at the last look: a visitor who unticks one of them keeps it unticked. `cards`
        are the `versions` that the tables were made of.
        """
        rest, made = [gr.skip()] * len(outputs), [gr.skip()] * len(tables)
        if not flag(shown):
            return [gr.Timer(active=False), gr.skip(), gr.skip(), gr.skip(), *rest, *made]
        language, now, chosen = _language(view[-1]), versions(hub.weights_dir), list(map(text, items(chosen)))
        found = find_runs(hub.weights_dir)
        running = [group for group, runs in found.items() if any(under_way(run) for run in runs)]
        value = followed(chosen, found, set(running) - set(seen))
        changed = {} if set(value) == set(chosen) else {"value": value}
        if changed or now != cards or set(value) & set(running):
            rest = show(value, *view)
        if now != cards:
            made = [*board(name, cost, language), reliability(name), wrongs(name)]
        chooser = gr.update(choices=choices(found, language), **changed)
        return [gr.Timer(active=True), running, now, chooser, *rest, *made]

    def board(dataset: object, cost: object, language: object) -> tuple:
        entries, cost = leaderboard(hub, known(dataset, DATASETS)), known(cost, COSTS)
        return pareto(points(entries, cost), cost, _language(language)), leaderboard_html(entries)

    def wrongs(dataset: object) -> str:
        return mistakes(answers_of(hub, known(dataset, DATASETS)))

    def reliability(dataset: object) -> str:
        return reliability_html(hub, known(dataset, DATASETS))

    first = next((card.dataset for card in own.values()), next(iter(DATASETS)))
    value = [
        group
        for group, runs in found.items()
        if any(run.card and run.card == own.get(run.id) and run.card.dataset == first for run in runs)
    ]
    language = gr.HTML(
        "en", js_on_load=on_load("training/tab.js"), elem_id="training-language", apply_default_css=False
    )
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
    key = gr.HTML(key_html([found[group] for group in value], "en"), elem_id="training-key", apply_default_css=False)
    plots = []
    for pair in (QUANTITIES[:2], QUANTITIES[2:]):
        with gr.Row():
            for name in pair:
                figure = curves([found[group] for group in value], name, View()) if name in DRAWN else None
                plots.append(
                    gr.Plot(
                        figure,
                        visible=name in DRAWN,
                        show_label=False,
                        container=False,
                        elem_id=f"training-{name.replace('_', '-')}",
                    )
                )
    gr.HTML(mark("training.figures", "h2"), apply_default_css=False)
    details = gr.HTML(
        final_figures([found[group] for group in value]), elem_id="training-figures", apply_default_css=False
    )

    gr.HTML(mark("machine.title", "h2"), apply_default_css=False)
    time_machine(hub, tab)

    gr.HTML(mark("training.leaderboard", "h2"), apply_default_css=False)
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
    plot, table = board(first, COSTS[0], "en")
    ranking = gr.HTML(table, elem_id="training-leaderboard", apply_default_css=False)
    scatter = gr.Plot(plot, show_label=False, container=False, elem_id="training-pareto")
    measured = {"count": f"{COUNT:,}", "confidence": f"{100 * CONFIDENCE:g}"}
    gr.HTML(mark("training.pareto", "p class='training-note'", **measured), apply_default_css=False)

    gr.HTML(mark("reliability.title", "h2"), apply_default_css=False)
    sure = gr.HTML(reliability_html(hub, first), elem_id="training-reliability", apply_default_css=False)

    gr.HTML(mark("mistakes.title", "h2"), apply_default_css=False)
    wrong = mistakes_page(hub, first)

    event = {"queue": False, "show_progress": "hidden", "trigger_mode": "always_last", "api_visibility": "private"}
    inputs, outputs = [chooser, drawn, by, log, smoothing, language], [key, *plots, details]
    tables = [scatter, ranking, sure, wrong]
    # Of the slider `change`, as its reset button gives no `input`.
    events = [control.change if control is smoothing else control.input for control in inputs]
    gr.on(events, show, inputs, outputs, **event)
    gr.on(
        [control.input for control in (dataset, cost, language)],
        board,
        [dataset, cost, language],
        [scatter, ranking],
        **event,
    )
    dataset.input(wrongs, dataset, wrong, **event)
    dataset.input(reliability, dataset, sure, **event)
    timer, shown, seen = gr.Timer(EVERY, active=False), gr.Checkbox(True, visible=False), gr.State([])
    for listen, js in ((tab.select, None), (timer.tick, event_js("training/tab.js", "whetherShown"))):
        asked, told = [shown, seen, cards, dataset, cost, *inputs], [timer, seen, cards, chooser, *outputs, *tables]
        listen(follow, asked, told, js=js, **event)


def _language(value: object) -> str:
    return known(value, LANGUAGES, "en")


def under_way(run: Run) -> bool:
    return run.card is None and not run.stopped


def followed(chosen: Collection[str], found: Mapping[str, list[Run]], begun: Collection[str]) -> list[str]:
    """The chosen groups that are there and those that have begun; in place of one that ended, its network's runs."""
    ended = {group.partition(" ")[0] for group in chosen if group not in found}
    return [group for group, runs in found.items() if group in chosen or group in begun or runs[0].id in ended]
