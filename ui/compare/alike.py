"""The test images on which the networks go wrong as they do on the visitor's, as HTML."""

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


def closest_mistakes(language: str, answers: Predictions, says: Mapping[str, str], grid: np.ndarray) -> Markup:
    """`nearest_misclassified`, in groups by how many networks answer as here; that all do is said even where none is.

    `says` is what each checkpoint, by id, takes the image for, `grid` 28 x 28 uint8.
    """
    classes = DATASETS[answers.dataset].classes
    measured = {f"{name}.{answers.dataset}" for name in answers.predicted}
    known = {id.split(".")[0]: classes.index(label) for id, label in says.items() if id in measured}
    texts, groups, left = [], [], SHOWN
    if unknown := [network_name(id) for id in says if id not in measured]:
        texts.append(say(language, "why.alike.unknown", names=", ".join(unknown)))
    if known:
        key = "why.alike.split" if len(set(known.values())) > 1 else "why.alike.agreed"
        texts.append(say(language, key, names=listing(language, list(map(network_name, known)))))
    for same, numbers in ({len(known): ()} | nearest_misclassified(answers, known, grid)).items() if known else ():
        if left:
            key = "why.alike.all" if same == len(known) else "why.alike.some"
            title = say(language, key, same=same, networks=len(known), count=f"{len(numbers):,}")
            groups.append((title, [_figure(language, answers, known, int(number)) for number in numbers[:left]]))
            left -= len(numbers[:left])
    return render("compare/alike.html", language=language, texts=texts, groups=groups)


def _figure(language: str, answers: Predictions, known: Mapping[str, int], number: int) -> dict:
    """A test image with what it is, and each answer with the networks that give it."""
    names = [class_name(language, label) for label in DATASETS[answers.dataset].classes]
    said: dict[str, list[str]] = {}
    for name in known:
        said.setdefault(names[answers.predicted[name][number]], []).append(network_name(name))
    images, _ = load_test_set(answers.dataset)
    truth = names[answers.labels[number]]
    return {"number": number, "image": png(images[number]), "truth": truth, "answers": said}
