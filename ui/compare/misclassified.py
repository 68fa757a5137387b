"""The nearest misclassified test images, as HTML."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.test_errors import Predictions, nearest_misclassified
from cnn_models.datasets.test_sets import load_test_set
from ui.common.names import class_name, listing, network_name
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import say

SHOWN = 8  # images


def misclassified_html(language: str, answers: Predictions, labels: Mapping[str, str], grid: np.ndarray) -> Markup:
    """`nearest_misclassified`, those first for which most networks predict as in `labels`.

    `labels` holds the prediction for the 28 x 28 uint8 `grid` by checkpoint id.
    """
    classes = DATASETS[answers.dataset].classes
    evaluated = {f"{name}.{answers.dataset}" for name in answers.predicted}
    known = {id.split(".")[0]: classes.index(label) for id, label in labels.items() if id in evaluated}
    texts, figures = [], []
    if unknown := [network_name(id) for id in labels if id not in evaluated]:
        texts.append(say(language, "why.alike.unknown", names=", ".join(unknown)))
    if known:
        key = "why.alike.split" if len(set(known.values())) > 1 else "why.alike.agreed"
        texts.append(say(language, key, names=listing(language, list(map(network_name, known)))))
    for same, numbers in nearest_misclassified(answers, known, grid).items() if known else ():
        key = "why.alike.all" if same == len(known) else "why.alike.some"
        kind = say(language, key, same=same, networks=len(known))
        shown = numbers[: SHOWN - len(figures)]
        figures += [_figure(language, answers, known, int(number)) | {"same": kind} for number in shown]
    if known and not figures:
        texts.append(say(language, "why.alike.none"))
    return render("compare/misclassified.html", language=language, texts=texts, figures=figures)


def _figure(language: str, answers: Predictions, known: Mapping[str, int], number: int) -> dict:
    """A test image with its label, and the networks by their prediction."""
    names = [class_name(language, label) for label in DATASETS[answers.dataset].classes]
    predictions: dict[str, list[str]] = {}
    for name in known:
        predictions.setdefault(names[answers.predicted[name][number]], []).append(network_name(name))
    images, _ = load_test_set(answers.dataset)
    return {
        "number": number,
        "image": png(images[number]),
        "truth": names[answers.labels[number]],
        "predictions": predictions,
    }
