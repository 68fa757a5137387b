"""The split of a card: counts, or the sentence that older cards hold."""

import json

import pytest

from cnn_models import Card
from cnn_models.specs import Split
from tests.conftest import make_card

HELD = "trained on the first 55,000 training images, validated on the last 5,000"
WHOLE = "trained on all 60,000, validated on the test set"


def read(split):
    """The split of a card whose JSON has this one."""
    return Card.from_json(json.dumps(json.loads(make_card().to_json()) | {"split": split})).split


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (HELD, Split(55_000, 5_000)),
        (WHOLE, Split(60_000)),
        (f"{HELD}, taught by lenet5.mnist and googlenet.mnist", Split(55_000, 5_000)),
        (f"{HELD}, with 12 images of one's own, taught by lenet5.mnist", Split(55_000, 5_000, 12)),
        (f"{WHOLE}, with 1,234 images of one's own", Split(60_000, 0, 1_234)),
        ("the first 7 epochs on all 60,000", Split()),
        ("trained on all ,", Split()),
        (f"trained on all {'9' * 999}"[:1000], Split(int("9" * 13))),
        ("", Split()),
    ],
)
def test_the_counts_of_an_older_card_are_read_from_its_sentence(sentence, expected):
    assert read(sentence) == expected


def test_a_card_is_written_with_the_counts_and_read_as_it_was():
    assert read({"train": 55_000, "validation": 5_000, "extra": 2}) == Split(55_000, 5_000, 2)
    card = make_card()
    assert json.loads(card.to_json())["split"] == {"train": 0, "validation": 0, "extra": 0}
    assert Card.from_json(card.to_json()) == card
