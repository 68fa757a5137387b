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

SENTENCES = {
    (Split(), ()): "",
    (Split(60_000), ()): "trained on all 60,000, validated on the test set",
    (Split(55_000, 5_000), ()): "trained on the first 55,000 training pictures, validated on the last 5,000",
    (Split(60_000, 0, 1_234), ("lenet5.mnist", "alexnet.mnist")): (
        "trained on all 60,000, validated on the test set, with 1,234 pictures of one's own, "
        "taught by lenet5.mnist and alexnet.mnist"
    ),
}


@pytest.mark.parametrize(("split", "teachers"), SENTENCES)
def test_page_and_model_card_word_the_counts_alike(split, teachers):
    sentence = SENTENCES[split, teachers]
    assert re.sub("<[^>]+>", "", split_words(split, teachers)) == sentence.replace("'", "&#39;")
    recipe = {"teachers": dict.fromkeys(teachers, "")}
    card = replace(make_card(), split=split, recipe=recipe, metrics={})
    assert f"one look at each picture.{f' {sentence.capitalize()}.' if sentence else ''}\n" in model_card(card)


def test_the_bundled_cards_are_worded_in_every_language():
    for card in ModelHub().cards().values():
        chinese = "".join(say("zh", key, **values) for key, values in split_texts(card.split))
        assert chinese == "用前 55,000 张训练图片训练，用最后 5,000 张验证"
