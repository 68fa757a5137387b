"""The paired comparison of two networks, down to the test images they differ on."""

from __future__ import annotations

import gradio as gr
from markupsafe import Markup

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.test_errors import RIGHT, WRONG, Predictions, paired_comparison, select
from ui.common.modules import on_load
from ui.common.reading import known
from ui.common.templates import render
from ui.common.texts import mark
from ui.training.names import title_of
from ui.training.test_errors import images_html, picked, read

SIGNIFICANT = 0.05  # p-value below which two networks differ


def comparison_component(hub: ModelHub) -> gr.HTML:
    """A component for `comparison_section_html`, whose choosers request a comparison."""

    def compare(sent: object) -> str:
        """HTML of the comparison of two networks. Raises Refused."""
        answers, request = read(hub, sent)
        return comparison_html(
            answers, *(known(name, request.get(name), answers.predicted) for name in ("first", "second"))
        )

    return gr.HTML(
        js_on_load=on_load("training/test_errors.js"),
        server_functions=[compare],
        elem_id="comparison",
        elem_classes="errors",
        apply_default_css=False,
    )


def comparison_section_html(answers: Predictions) -> Markup:
    """Choosers of two networks, at first the first and the last, and their comparison."""
    names = list(answers.predicted)
    return render(
        "training/comparison_section.html",
        dataset=answers.dataset,
        titles={name: title_of(name) for name in names},
        comparison=comparison_html(answers, names[0], names[-1]) if len(names) > 1 else "",
    )


def comparison_html(answers: Predictions, first: str, second: str) -> Markup:
    """Counts of correct and wrong predictions of both, McNemar's test, and the images that only the first has right."""
    if first == second:
        return mark("errors.same", "p")
    found = paired_comparison(answers, first, second)
    values = {"a": title_of(first), "b": title_of(second), "only_a": found.only_first, "only_b": found.only_second}
    values |= {"count": f"{len(answers.labels):,}", "dataset": DATASETS[answers.dataset].title}
    chance = "< 0.0001" if found.p_value < 1e-4 else f"= {found.p_value:.2g}"
    differ = mark("errors.differ" if found.p_value < SIGNIFICANT else "errors.alike", chance=chance)
    return render(
        "training/paired_comparison.html",
        first=title_of(first),
        second=title_of(second),
        counts=mark("errors.counts", **values),
        differ=differ,
        picked={(a, b): picked(answers, {first: a, second: b}) for a in (RIGHT, WRONG) for b in (RIGHT, WRONG)},
        outcomes={RIGHT: "errors.right", WRONG: "errors.wrong"},
        shown=(RIGHT, WRONG),
        images=images_html(answers, select(answers, {first: RIGHT, second: WRONG})),
    )
