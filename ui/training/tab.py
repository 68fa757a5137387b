"""The Training tab: a data set, and its sections as tabs, each computed when it is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import gradio as gr
from gradio.components import Component

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.checkpoints.runs import versions
from ui.common.modules import event_js
from ui.common.reading import known
from ui.common.templates import render
from ui.common.texts import say
from ui.training.attacks import attacks_section
from ui.training.curves_section import curves_section
from ui.training.epochs import epochs_component
from ui.training.leaderboard import leaderboard_section
from ui.training.paired_comparison import comparison_component, comparison_section_html
from ui.training.projection import projection_component
from ui.training.reliability import reliability_html
from ui.training.results import final_figures
from ui.training.run_grid import progress_of, runs_of
from ui.training.test_errors import errors_component, errors_html

INTERVAL = 15  # seconds between two searches for running trainings
LIVE = ("curves", "runs")  # the sections that show trainings under way
EVENT: dict[str, Any] = dict(
    queue=False, show_progress="hidden", trigger_mode="always_last", api_visibility="private"
)  # fmt: skip


class Section(NamedTuple):
    """Controls, the components that depend on them and on the data set, and the function that updates these.

    `show` gets the data set and the values of the controls, which are untrusted, and may skip components.
    """

    controls: Sequence[Component]
    shown: Sequence[Component]
    show: Callable[..., list]


def training_tab(hub: ModelHub, tab: gr.Tab) -> None:
    """The choice of a data set, and the sections, whose names are in addresses."""
    first = next((card.dataset for card in hub.cards().values()), next(iter(DATASETS)))
    dataset = gr.Radio(
        [(spec.title, name) for name, spec in DATASETS.items()],
        value=first, label=say("en", "dataset.choose"), show_label=False, container=False,
        elem_id="training-dataset",
    )  # fmt: skip
    # `tab.js` expects the grid of runs as the first of all controls and the drawing, twice, as the last four.
    made: dict[str, Callable[[ModelHub], tuple]] = {
        "curves": curves_section,
        "leaderboard": leaderboard_section,
        "calibration": calibration_section,
        "comparison": comparison_section,
        "errors": errors_section,
        "attacks": attacks_section,
        "epochs": epochs_component,
        "map": projection_component,
        "runs": runs_section,
    }
    tabs, sections = [tab], {}
    with gr.Tabs(overflow_behavior="wrap"):
        for name, make in made.items():
            with gr.Tab(say("en", f"training.tab.{name}"), elem_id=f"training-{name}") as opened:
                tabs.append(opened)
                sections[name] = Section(*make(hub))
    update_sections(hub, tabs, dataset, sections)


def calibration_section(hub: ModelHub) -> tuple:
    """A reliability diagram for each network of the data set."""
    shown = gr.HTML(elem_id="training-reliability", apply_default_css=False)
    return [], [shown], lambda dataset: [reliability_html(hub, dataset)]


def comparison_section(hub: ModelHub) -> tuple:
    """The paired comparison of two networks of the data set."""
    return [], [comparison_component(hub)], lambda dataset: [comparison_section_html(predictions_of(hub, dataset))]


def errors_section(hub: ModelHub) -> tuple:
    """The confusion matrix of a network of the data set, and misclassified test images."""
    return [], [errors_component(hub)], lambda dataset: [errors_html(predictions_of(hub, dataset))]


def runs_section(hub: ModelHub) -> tuple:
    """The final figures and the recipes of all runs of the data set."""
    shown = gr.HTML(elem_id="training-figures", apply_default_css=False)
    return [], [shown], lambda dataset: [final_figures([*runs_of(hub, dataset).values()])]


def update_sections(hub: ModelHub, tabs: Sequence[gr.Tab], dataset: gr.Radio, sections: dict[str, Section]) -> None:
    """Update the open section when a tab or a data set is chosen, at its controls, and while trainings progress."""
    timer, opened, seen = gr.Timer(INTERVAL, active=False), gr.Textbox(visible=False), gr.State({})
    controls, shown, places = list[Any](), list[Component](), dict[str, list[slice]]()
    for name, section in sections.items():
        places[name] = [
            slice(len(all), len(all) + len(own)) for all, own in zip((controls, shown), section[:2], strict=True)
        ]
        controls += section.controls
        shown += section.shown
        for each in section.shown:
            if isinstance(each, gr.HTML):
                each.value = render("common/waiting.html")

    def update(section: object, seen: dict[str, Any], dataset: object, *values: object) -> list:
        """Values for the timer, for `seen` and for `shown`.

        `section` is the open one, empty while the tab is hidden. `seen` holds what each section was
        computed from: one that would be the same again is left as it is.
        """
        found: list[Any] = [gr.skip()] * len(shown)
        if not section:
            return [gr.Timer(active=False), gr.skip(), *found]
        name, dataset = known("section", section, sections), known("dataset", dataset, DATASETS)
        own, outputs = places[name]
        state = [dataset, values[own], versions(hub.weights_dir), progress_of(hub, dataset) if name in LIVE else None]
        if state != seen.get(name):
            found[outputs] = sections[name].show(dataset, *values[own])
            seen = seen | {name: state}
        return [gr.Timer(active=True), seen, *found]

    changes = [
        each.change if isinstance(each, gr.Slider) else each.input  # a slider's reset button triggers no `input`
        for each in controls
        if not isinstance(each, gr.Textbox)
    ]
    for events, function in (
        ([*(tab.select for tab in tabs), dataset.input, *changes], "ofOpenSection"),
        ([timer.tick], "whileShown"),
    ):
        gr.on(
            events, update, [opened, seen, dataset, *controls], [timer, seen, *shown],
            js=event_js("training/tab.js", function), **EVENT,
        )  # fmt: skip
