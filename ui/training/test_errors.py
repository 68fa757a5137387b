"""Errors on the test set: paired comparison of two networks, confusion matrices, misclassified images."""

from __future__ import annotations

import json
from collections.abc import Mapping

import gradio as gr
import numpy as np
from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.test_errors import RIGHT, WRONG, Predictions, paired_comparison, predictions_of, select
from cnn_models.datasets.test_sets import load_test_set
from ui.common.modules import on_load
from ui.common.reading import fields, known, whole
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import attribute, mark

SHOWN = 60  # images on the page at most
SIGNIFICANT = 0.05  # p-value below which two networks differ


def errors_component(hub: ModelHub, dataset: str) -> gr.HTML:
    """`errors_html` of a data set as a component; its buttons request images, its choosers a comparison."""

    def images(sent: object) -> str:
        """HTML of the images that a button requests. Raises Refused."""
        answers, request = read(sent)
        return images_html(answers, select(answers, *_pick_of(request, answers)))

    def compare(sent: object) -> str:
        """HTML of the comparison of two networks. Raises Refused."""
        answers, request = read(sent)
        return comparison_html(
            answers, *(known(name, request.get(name), answers.predicted) for name in ("first", "second"))
        )

    def read(sent: object) -> tuple[Predictions, dict]:
        request = fields("request", sent)
        return predictions_of(hub, known("dataset", request.get("dataset"), DATASETS)), request

    return gr.HTML(
        errors_html(predictions_of(hub, dataset)),
        js_on_load=on_load("training/test_errors.js"),
        server_functions=[images, compare],
        elem_id="errors",
        apply_default_css=False,
    )


def _pick_of(request: dict, answers: Predictions) -> tuple[dict[str, str | int], int | None]:
    """The `says` and the `truth` of of a `select` in a request. Raises Refused."""
    last, truth = len(DATASETS[answers.dataset].classes) - 1, request.get("truth")
    says = {
        known("says", name, answers.predicted):
            known("says", what, (RIGHT, WRONG)) if isinstance(what, str) else whole("says", what, 0, last)
        for name, what in fields("says", request.get("says")).items()
    }  # fmt: skip
    return says, None if truth is None else whole("truth", truth, 0, last)


def errors_html(answers: Predictions) -> Markup:
    """Choosers of two networks, their comparison, and buttons for images; for a single network its confusion matrix."""
    names = list(answers.predicted)
    quick = [(mark("errors.all"), _picked(answers, dict.fromkeys(names, WRONG)))]
    for one in names:
        says = {name: RIGHT if name == one else WRONG for name in names}
        quick.append((mark("errors.only", network=_title(one)), _picked(answers, says)))
    return render(
        "training/test_errors.html",
        dataset=answers.dataset,
        titles={name: _title(name) for name in names},
        comparison=comparison_html(answers, names[0], names[-1]) if names else "",
        quick=quick,
    )


def comparison_html(answers: Predictions, first: str, second: str) -> Markup:
    """Counts of correct and wrong predictions of both networks, McNemar's test, and their confusion matrices."""
    if first == second:
        return matrix_html(answers, first)
    found = paired_comparison(answers, first, second)
    values = {"a": _title(first), "b": _title(second), "only_a": found.only_first, "only_b": found.only_second}
    values |= {"count": f"{len(answers.labels):,}", "dataset": DATASETS[answers.dataset].title}
    chance = "< 0.0001" if found.p_value < 1e-4 else f"= {found.p_value:.2g}"
    differ = mark("errors.differ" if found.p_value < SIGNIFICANT else "errors.alike", chance=chance)
    return render(
        "training/paired_comparison.html",
        first=_title(first),
        second=_title(second),
        counts=mark("errors.counts", **values),
        differ=differ,
        picked={(a, b): _picked(answers, {first: a, second: b}) for a in (RIGHT, WRONG) for b in (RIGHT, WRONG)},
        outcomes={RIGHT: "errors.right", WRONG: "errors.wrong"},
        matrices=[matrix_html(answers, first), matrix_html(answers, second)],
    )


def matrix_html(answers: Predictions, name: str) -> Markup:
    """The confusion matrix of a network, with buttons as cells and the recall of each class as a bar."""
    classes = DATASETS[answers.dataset].classes
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (answers.labels, answers.predicted[name]), 1)
    most = max(1, int((counts - np.diag(counts.diagonal())).max()))

    def cell(truth: int, predicted: int) -> tuple[float, dict[str, object] | None, Markup]:
        """Its shade from 0 to 1, its button, and the button's title."""
        title = attribute("title", "errors.cell", truth=classes[truth], said=classes[predicted])
        count = counts[truth, predicted]
        return count / most, _picked(answers, {name: predicted}, truth) if count else None, title

    return render(
        "training/matrix.html",
        network=_title(name),
        kind=DATASETS[answers.dataset].kind,
        classes=classes,
        rows=[
            (
                label,
                [cell(truth, predicted) for predicted in range(len(classes))],
                counts[truth, truth] / counts[truth].sum(),
            )
            for truth, label in enumerate(classes)
        ],
    )


def images_html(answers: Predictions, numbers: np.ndarray) -> Markup:
    """The test images with these numbers, SHOWN at most, with their labels and the wrong predictions."""
    images, _ = load_test_set(answers.dataset)
    classes = DATASETS[answers.dataset].classes

    def wrong(number: int) -> list[tuple[str, str]]:
        label = answers.labels[number]
        found = {name: labels[number] for name, labels in answers.predicted.items()}
        return [(_title(name), classes[said]) for name, said in found.items() if said != label]

    return render(
        "training/images.html",
        images=[
            (number, png(images[number]), classes[answers.labels[number]], wrong(number)) for number in numbers[:SHOWN]
        ],
        count=f"{len(numbers):,}",
    )


def _picked(answers: Predictions, says: Mapping[str, str | int], truth: int | None = None) -> dict[str, object]:
    """The values of a button: its request, the JSON of a `select`, and the number of images of that."""
    request = {"dataset": answers.dataset, "says": says, "truth": truth}
    return {"request": json.dumps(request), "count": len(select(answers, says, truth))}


def _title(name: str) -> str:
    return ARCHITECTURES[name].title
