"""Test images that split the networks, to try with one click."""

from __future__ import annotations

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.test_errors import most_divided, predictions_of
from cnn_models.datasets.test_sets import load_test_set
from ui.common.strips import png
from ui.common.templates import render
from ui.common.texts import TEXTS, Text

SHOWN = 3


def examples(hub: ModelHub, dataset: str) -> Markup:
    """Buttons with the images on which the networks' predictions differ most, and two of the predictions of each."""
    found, (images, _) = predictions_of(hub, dataset), load_test_set(dataset)
    classes = DATASETS[dataset].classes

    def values(index: int) -> dict[str, object]:
        """Of the caption: the predictions of the first network and of the first that differs."""
        (first, label), *others = ((name, int(predicted[index])) for name, predicted in found.predicted.items())
        second, other = next(each for each in others if each[1] != label)
        return {
            "first": ARCHITECTURES[first].title,
            "label": _class(classes[label]),
            "second": ARCHITECTURES[second].title,
            "other": _class(classes[other]),
        }

    chosen = [(png(images[index]), values(index)) for index in most_divided(found, SHOWN)]
    return render("compare/examples.html", dataset=dataset, examples=chosen)


def _class(label: str) -> Text | str:
    """The name of a class in the visitor's language."""
    key = f"class.{label}"
    return Text(key) if key in TEXTS["en"] else label
