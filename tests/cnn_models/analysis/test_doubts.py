"""The first reason why predictions may be wrong, with the committed reference models."""

import numpy as np
import pytest

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.doubts import doubt
from cnn_models.analysis.verdict import Prediction, Reason
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.images.decode import Decoded
from cnn_models.images.preprocess import Preprocessed
from cnn_models.images.steps import Step


def found_in(dataset, name, doubt="", is_photograph=True):
    """The first test image of a class, as it was found in a photograph or drawn, and decoded."""
    images, labels = load_test_set(dataset)
    grid = images[labels == DATASETS[dataset].classes.index(name)][0]
    second = "ground" if is_photograph else "polarity"
    steps = tuple(Step(each, grid) for each in ("decoded", second, "centre"))
    return Preprocessed(steps, (grid,), doubt), Decoded(grid)


def voting(dataset, **shares):
    """The prediction of one network with these probabilities."""
    probabilities = dict.fromkeys(DATASETS[dataset].classes, 0.0) | shares
    return [Prediction(f"lenet5.{dataset}", max(shares, key=shares.__getitem__), probabilities, 1.0, 1.0)]


def reason(dataset, found, decoded, models):
    return doubt(ModelHub(), dataset, decoded, found, (), models)


@pytest.mark.parametrize("code", ["ground", "pair", "shoes"])
def test_what_is_wrong_with_a_photograph_is_the_reason(code):
    found, decoded = found_in("fashion_mnist", "Dress", code)
    assert reason("fashion_mnist", found, decoded, voting("fashion_mnist", Dress=1.0)) == Reason(code, {})


def test_a_shoe_from_the_side_need_not_be_symmetric():
    found, decoded = found_in("fashion_mnist", "Sneaker", "shoes")
    assert reason("fashion_mnist", found, decoded, voting("fashion_mnist", Sneaker=1.0)) is None


def test_networks_must_be_surer_of_a_photograph_than_of_a_drawing():
    models = voting("fashion_mnist", Dress=0.6, Bag=0.4)
    found, decoded = found_in("fashion_mnist", "Dress")
    assert reason("fashion_mnist", found, decoded, models) == Reason("unclear", {})
    found, decoded = found_in("fashion_mnist", "Dress", is_photograph=False)
    assert reason("fashion_mnist", found, decoded, models) is None


def test_two_tops_are_no_doubt_as_people_confuse_them_too():
    models = voting("fashion_mnist", Shirt=0.5, Coat=0.5)
    assert reason("fashion_mnist", *found_in("fashion_mnist", "Shirt"), models) is None


def test_a_digit_on_its_side_is_turned_back():
    found, _ = found_in("mnist", "7")
    grid = np.ascontiguousarray(np.rot90(found.images[0]))
    turned = Preprocessed(found.steps, (grid,))
    given = reason("mnist", turned, Decoded(grid), voting("mnist", **{"2": 1.0}))
    assert given == Reason("turned", {"degrees": 90, "label": "7"})
