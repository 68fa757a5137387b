"""The section of curves: the grid of runs, how they are drawn, and the charts."""

from __future__ import annotations

from typing import Any

import gradio as gr

from cnn_models import ModelHub
from ui.common.modules import on_load
from ui.common.reading import all_known, known, number
from ui.common.texts import say
from ui.training.curves import QUANTITIES, SCALES, View, curves_html
from ui.training.run_grid import choice_of, chosen_runs, grid_html, runs_of

DRAWN = QUANTITIES[:2]  # the charts at the start
AXES = ("epoch", "time")
SMOOTHEST = 0.95  # largest weight of the moving average


def curves_section(hub: ModelHub) -> tuple:
    """Controls, components and the function that updates them; at first the checkpoints of the data set are chosen."""

    def show(dataset: str, sent: object, drawn: object, by: object, scale: object, smoothing: object) -> list:
        drawn, by_time = all_known("charts", drawn, QUANTITIES), known("axis", by, AXES) == "time"
        view = View(by_time, known("scale", scale, SCALES), number("smoothing", smoothing, 0, SMOOTHEST))
        found, choice = runs_of(hub, dataset), choice_of(sent)
        chosen = chosen_runs(hub, found, choice)
        # A grid that is the visitor's already is left as it is, with the focus in it.
        same = choice and set(choice.shown) == set(found) and set(choice.chosen) == set(chosen)
        grid: Any = gr.skip() if same else grid_html(dataset, found, chosen)
        if not found:  # the grid says so
            return [grid, ""]
        groups = [found[group] for group in chosen]
        return [grid, curves_html(groups, [name for name in QUANTITIES if name in drawn], view)]

    with gr.Row(elem_id="training-choose"):
        with gr.Column(scale=3, min_width=600):
            grid = gr.HTML(js_on_load=on_load("training/run_grid.js"), elem_id="training-grid", apply_default_css=False)
        with gr.Column(scale=2, min_width=320, elem_id="training-view"):
            drawn = gr.CheckboxGroup(
                [(say("en", f"training.chart.{name}"), name) for name in QUANTITIES],
                value=list(DRAWN), label=say("en", "training.charts"), elem_id="training-drawn",
            )  # fmt: skip
            scale = gr.Radio(
                [(say("en", f"training.scale.{name}"), name) for name in SCALES],
                value=SCALES[0], label=say("en", "training.scale"), elem_id="training-scale",
            )  # fmt: skip
            by = gr.Radio(
                [(say("en", f"training.by.{name}"), name) for name in AXES],
                value=AXES[0], label=say("en", "training.axis"),
            )  # fmt: skip
            smoothing = gr.Slider(0, SMOOTHEST, 0, step=0.05, label=say("en", "training.smoothing"))
    charts = gr.HTML(js_on_load=on_load("common/chart.js"), elem_id="training-charts", apply_default_css=False)
    return [grid, drawn, by, scale, smoothing], [grid, charts], show
