"""The confusion matrix of a network, and misclassified test images."""

from __future__ import annotations

import json
from collections.abc import Mapping

import gradio as gr
import numpy as np
from markupsafe import Markup

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.test_errors import RIGHT, WRONG, Predictions, predictions_of, select
from cnn_models.datasets.test_sets import load_test_set
from ui.common.modules import on_load
from ui.common.reading import fields, known, whole
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import attribute, mark
from ui.training.names import title_of

SHOWN = 60  # images on the page at most


def errors_component(hub: ModelHub) -> gr.HTML:
    """A component for `errors_html`; its buttons, and those of the comparison, request images, its chooser a matrix."""

    def images(sent: object) -> str:
        """HTML of the images that a button requests. Raises Refused."""
        answers, request = read(hub, sent)
        return images_html(answers, select(answers, *_pick_of(request, answers)))

    def matrix(sent: object) -> str:
        """HTML of the confusion matrix of a network. Raises Refused."""
        answers, request = read(hub, sent)
        return matrix_html(answers, known("network", request.get("network"), answers.predicted))

    return gr.HTML(
        js_on_load=on_load("training/test_errors.js"),
        server_functions=[images, matrix],
        elem_id="errors",
        elem_classes="errors",
        apply_default_css=False,
    )


def read(hub: ModelHub, sent: object) -> tuple[Predictions, dict]:
    """The predictions of the data set of a request, and the request. Raises Refused."""
    request = fields("request", sent)
    return predictions_of(hub, known("dataset", request.get("dataset"), DATASETS)), request


def _pick_of(request: dict, answers: Predictions) -> tuple[dict[str, str | int], int | None]:
    """The `says` and the `truth` of a `select` in a request. Raises Refused."""
    last, truth = len(DATASETS[answers.dataset].classes) - 1, request.get("truth")
    says = {
        known("says", name, answers.predicted):
            known("says", what, (RIGHT, WRONG)) if isinstance(what, str) else whole("says", what, 0, last)
        for name, what in fields("says", request.get("says")).items()
    }  # fmt: skip
    return says, None if truth is None else whole("truth", truth, 0, last)


def errors_html(answers: Predictions) -> Markup:
    """A chooser of a network, its confusion matrix, buttons for images, and those that all classify wrongly."""
    names = list(answers.predicted)
    all_wrong = dict.fromkeys(names, WRONG)
    quick = [(mark("errors.all"), picked(answers, all_wrong))]
    for one in names:
        says = {name: RIGHT if name == one else WRONG for name in names}
        quick.append((mark("errors.only", network=title_of(one)), picked(answers, says)))
    return render(
        "training/test_errors.html",
        dataset=answers.dataset,
        titles={name: title_of(name) for name in names},
        matrix=matrix_html(answers, names[0]) if names else "",
        quick=quick,
        images=images_html(answers, select(answers, all_wrong)) if names else "",
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
        return count / most, picked(answers, {name: predicted}, truth) if count else None, title

    return render(
        "training/matrix.html",
        network=title_of(name),
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
        return [(title_of(name), classes[said]) for name, said in found.items() if said != label]

    return render(
        "training/images.html",
        images=[
            (number, png(images[number]), classes[answers.labels[number]], wrong(number)) for number in numbers[:SHOWN]
        ],
        count=f"{len(numbers):,}",
    )


def picked(answers: Predictions, says: Mapping[str, str | int], truth: int | None = None) -> dict[str, object]:
    """The values of a button: its request, the JSON of a `select`, and the number of images of that."""
    request = {"dataset": answers.dataset, "says": says, "truth": truth}
    return {"request": json.dumps(request), "count": len(select(answers, says, truth))}
