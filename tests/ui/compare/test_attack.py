"""Attacks on the Compare tab: what is said where no change is found, and the image that is shown."""

import numpy as np
import pytest
import torch

from cnn_models import ModelHub, attack
from tests.ui.compare.test_tab import SEVEN, shown
from ui.compare.explanations import Explainer
from ui.compare.predictor import Predictor

REQUEST = {"image": SEVEN, "models": ["lenet5", "mini_resnet"], "part": "attack"}
NONE = "In 50 steps, DeepFool found no change that makes LeNet-5 predict"


@pytest.fixture
def explain():
    """`explain(target="3")` is the HTML of an attack on LeNet-5."""
    explainer = Explainer(Predictor(ModelHub()))
    return lambda **values: explainer.prepare(REQUEST | values)()


@pytest.mark.parametrize(("target", "sentence"), [
    ("", f"{NONE} another class; try another norm or network."), ("3", f"{NONE} 3; try another norm or class."),
])  # fmt: skip
def test_where_no_change_is_found_the_sentence_says_what_to_try(explain, monkeypatch, target, sentence):
    monkeypatch.setattr(attack, "deepfool_in_grey_levels", lambda *given, **named: None)
    html = explain(target=target)
    assert sentence in html and "<img" not in html


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_the_image_that_is_shown_changes_the_prediction(explain, norm):
    before, _, after = shown(explain(norm=norm))
    answers = ModelHub().get("lenet5.mnist").run(torch.tensor(np.stack([before, after]))).logits
    assert answers[0].argmax() == 7 != answers[1].argmax()
