"""The log-linear ensemble of an image's predictions, and which networks its factors are for."""

import dataclasses
import math

import numpy as np
import pytest

from cnn_models import DATASETS, ModelHub, compare
from cnn_models.analysis.averaged import read_averaged
from cnn_models.analysis.ensemble import uncalibrated
from cnn_models.analysis.log_linear import LogLinear, factors_of
from cnn_models.checkpoints.folder import load_model
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.folders import default_weights_dir
from cnn_models.predict import predict
from training.ensembles import write_averaged

NAMES = ("lenet5.fashion_mnist", "mini_resnet.fashion_mnist")
FACTORS = dict(zip(NAMES, (0.25, 0.75), strict=True))


def test_it_is_the_product_of_the_probabilities_to_the_power_of_the_factors():
    hub, image = ModelHub(device="cpu"), load_test_set("fashion_mnist")[0][42]
    answers = [predict(hub.get(id), image) for id in NAMES]
    found = LogLinear.of(answers, FACTORS)
    shares = {each.id: uncalibrated(each.probabilities, each.temperature) for each in answers}
    products = {
        name: math.prod(shares[id][name] ** factor for id, factor in FACTORS.items())
        for name in DATASETS["fashion_mnist"].classes
    }
    expected = {name: product / sum(products.values()) for name, product in products.items()}
    assert found.probabilities == pytest.approx(expected) and found.label == max(expected, key=expected.get)
    assert found.factors == FACTORS


def test_the_temperatures_do_not_change_it():
    hub, image = ModelHub(device="cpu"), load_test_set("fashion_mnist")[0][42]

    def at(temperature):
        nets = [hub.get(id) for id in NAMES]
        nets = [dataclasses.replace(n, card=dataclasses.replace(n.card, temperature=temperature)) for n in nets]
        return LogLinear.of([predict(net, image) for net in nets], FACTORS).probabilities

    assert at(3.0) == pytest.approx(at(1.0))


@pytest.fixture
def measured(tmp_path):
    """A hub of two bundled networks, with factors in its `averaged.json`."""
    for id in NAMES:
        (tmp_path / id).symlink_to(default_weights_dir() / id)
    hashes = {id: load_model(tmp_path / id)[1].weights_sha256 for id in NAMES}
    log_linear = {"accuracy": 90.0, "loss": 0.2, "factors": FACTORS}
    found = {"accuracy": 90.0, "weights": hashes, "together": [[[*NAMES], 90.0]], "log_linear": log_linear}
    write_averaged(tmp_path, {"fashion_mnist": found})
    return ModelHub(tmp_path, device="cpu")


def test_the_factors_are_for_exactly_the_fitted_networks(measured):
    assert factors_of(measured, "fashion_mnist", NAMES[::-1]) == FACTORS
    for ids in (NAMES[:1], (*NAMES, "someone/lenet5.fashion_mnist@main"), (NAMES[0], "someone/" + NAMES[1])):
        assert factors_of(measured, "fashion_mnist", ids) == {}
    assert factors_of(measured, "mnist", ["lenet5.mnist"]) == {}


@pytest.mark.parametrize("change", ["retrained", "never fitted", "damaged"])
def test_without_factors_for_these_weights_there_are_none(measured, change):
    found = read_averaged(measured.weights_dir)
    if change == "retrained":
        found["fashion_mnist"]["weights"][NAMES[0]] = "other"
    elif change == "never fitted":
        del found["fashion_mnist"]["log_linear"]
    else:
        found["fashion_mnist"]["log_linear"]["factors"][NAMES[0]] = -1
    write_averaged(measured.weights_dir, found)
    assert factors_of(measured, "fashion_mnist", NAMES) == {}


def test_a_comparison_of_all_fitted_networks_has_it(measured):
    image = load_test_set("fashion_mnist")[0][42]
    whole, part = (compare(np.array(image), "fashion_mnist", ids, measured) for ids in ([], ["lenet5"]))
    assert whole.log_linear == LogLinear.of(whole.models, FACTORS) and part.log_linear is None
    assert whole.to_dict()["log_linear"] == dataclasses.asdict(whole.log_linear)
