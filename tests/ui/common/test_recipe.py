"""Which images trained and validated a network, in words of the page and of the model card."""

import re
from dataclasses import replace

import pytest

from cnn_models import ModelHub
from cnn_models.specs import Split
from tests.conftest import make_card
from training.model_card import model_card
from ui.common.recipe import split_texts, split_words
from ui.common.texts import say

ALL = Split(60_000, 0, 1_234), ("lenet5.mnist", "alexnet.mnist")


@pytest.mark.parametrize(
    ("split", "teachers", "sentence"),
    [
        (Split(), (), ""),
        (Split(60_000), (), "trained on all 60,000 images, validated on the test set"),
        (Split(55_000, 5_000), (), "trained on the first 55,000 training images, validated on the last 5,000"),
        (
            *ALL,
            "trained on all 60,000 images, validated on the test set, with 1,234 labelled drawings, "
            "distilled from lenet5.mnist and alexnet.mnist",
        ),
    ],
)
def test_the_page_words_the_split(split, teachers, sentence):
    assert re.sub("<[^>]+>", "", split_words(split, teachers)) == sentence


def test_the_model_card_words_the_split():
    split, teachers = ALL
    card = replace(make_card(), split=split, recipe={"teachers": dict.fromkeys(teachers, "")}, metrics={})
    sentence = (
        "Trained on all 60,000 training images and 1,234 labelled drawings, validated on the test set, "
        "distilled from lenet5.mnist and alexnet.mnist."
    )
    assert f"single crop. {sentence}\n" in model_card(card)
    assert "single crop.\n" in model_card(replace(card, split=Split()))


def test_the_bundled_cards_are_worded_in_every_language():
    for card in ModelHub().cards().values():
        chinese = "".join(say("zh", key, **values) for key, values in split_texts(card.split))
        assert chinese == "用前 55,000 张训练图像训练，用最后 5,000 张验证"
