"""The rounds of the game, and the figures of the responses that it is scored by."""

import base64
import re

import numpy as np
import pytest

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.disagreements import Disagreement, disagreements, ink
from cnn_models.analysis.test_errors import predictions_of
from cnn_models.datasets.test_sets import load_test_set
from tests.traced import KEPT
from ui.common.modules import MODULES
from ui.common.sketchpad import PNG, sample
from ui.common.strips import png
from ui.compare.game import DIGITS, game, rounds_of
from ui.compare.predictor import Predictor

SEVEN = PNG + base64.b64encode(sample("mnist", 7).read_bytes()).decode()


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_rounds_are_the_disagreements_of_the_evaluated_networks(dataset):
    hub = ModelHub()
    table = rounds_of(hub, dataset)
    assert table
    networks = table["networks"]
    sizes = [ARCHITECTURES[name].input_size for name in networks]
    assert sizes == sorted(sizes)
    read = [DIGITS.index(digit) for digit in table["rounds"]]
    fours = zip(*(read[place::4] for place in range(4)), strict=True)
    rounds = [Disagreement(networks[first], networks[second], *labels) for first, second, *labels in fours]
    assert rounds == list(disagreements(predictions_of(hub, dataset)))
    assert len(table["ink"]) == len(table["classes"]) == len(DATASETS[dataset].classes)


def test_tests_and_page_agree_on_the_bytes_of_a_drawing_that_is_kept():
    assert re.findall(r"const LONG = (\d+);", MODULES["compare/game_score.js"].decode()) == [str(KEPT)]


def test_too_few_networks_have_no_game(checkpoint, hub):
    checkpoint()
    assert all(rounds_of(hub, dataset) is None for dataset in DATASETS)
    assert re.search(r'data-tables="\{\}"', game(hub))


def test_a_response_has_the_probabilities_and_the_ink_of_the_board(checkpoint, hub):
    for name in ("lenet5", "mini_resnet"):
        checkpoint(f"{name}.mnist")
    predictor = Predictor(hub)
    got = predictor.predict({"image": SEVEN, "models": ["lenet5", "mini_resnet"]})
    for name, shares in got["probabilities"].items():
        assert list(shares) == list(DATASETS["mnist"].classes) and sum(shares.values()) == pytest.approx(1, abs=0.001)
        assert shares[got["answers"][name]] == max(shares.values())
    empty = predictor.predict({"image": "", "models": ["lenet5"]})
    assert empty["probabilities"] == {} and empty["ink"] == 0


def test_the_ink_of_a_test_image_is_its_share_of_bright_pixels(checkpoint, hub):
    checkpoint()
    image = load_test_set("mnist")[0][0]
    got = Predictor(hub).predict({"image": png(image), "models": ["lenet5"]})
    assert got["ink"] == pytest.approx(float(ink(image[np.newaxis])[0]), abs=1e-4)
