"""The board and the sentence above it, without a browser."""

import numpy as np
import pytest

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.predict import Answer, Comparison, Verdict
from ui.board import board, note_html, percent, sentence, short


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.9951, "99.51"), (0.9996, "99.96"), (0.99999, ">99.99"), (1.0, "100.00"), (0.00001, "<0.01"), (0.0, "0.00")],
)
def test_percent_tells_close_calls_apart(probability, text):
    assert percent(probability) == text


def test_counts_are_short():
    assert short(61_706) == "61.7 k" and short(46_764_746) == "46.8 M"


def compared(dataset, **labels):
    classes = DATASETS[dataset].classes
    answers = tuple(
        Answer(f"{name}.{dataset}", label, {c: 0.91 if c == label else 0.01 for c in classes}, 4.5, 0.5)
        for name, label in labels.items()
    )
    votes = {}
    for label in labels.values():
        votes[label] = votes.get(label, 0) + 1
    votes = dict(sorted(votes.items(), key=lambda vote: -vote[1]))
    return Comparison(dataset, np.zeros((28, 28), np.uint8), Verdict(next(iter(votes)), votes, False, ""), answers)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"lenet5": "7"}, "LeNet-5 reads 7."),
        ({"lenet5": "7", "alexnet": "7"}, "Both networks read 7."),
        ({"lenet5": "7", "alexnet": "7", "googlenet": "7"}, "All 3 networks read 7."),
        ({"lenet5": "1", "alexnet": "7", "googlenet": "7"}, "2 of 3 networks read 7; LeNet-5 reads 1."),
        ({"lenet5": "1", "alexnet": "7"}, "The networks are split: LeNet-5 reads 1, AlexNet reads 7."),
    ],
)
def test_the_sentence_says_who_disagrees(labels, text):
    assert sentence(compared("mnist", **labels)) == text


def test_clothing_is_seen_and_not_read():
    assert sentence(compared("fashion_mnist", lenet5="Bag")) == "LeNet-5 sees Bag."


def test_the_board_holds_every_class_and_network_and_marks_the_winner():
    names = list(ARCHITECTURES)
    answers = {"lenet5": compared("mnist", lenet5="7").models[0]}
    missing = {"alexnet": "`python -m x` trains it"}
    html = board("mnist", names, dict.fromkeys(names, 61_706), missing, answers)
    assert html.count("scope='row'") == 10 and html.count("<th scope='col' data-model=") == len(names)
    assert html.count("class='board-winner'") == 1 and "data-class='7' class='board-winner'" in html
    assert html.count("rowspan='10'") == 1 and "<code>python -m x</code> trains it" in html
    assert html.count("<td data-model='googlenet'></td>") == 10


def test_notes_are_escaped():
    assert note_html("<b> `a<b`") == "&lt;b&gt; <code>a&lt;b</code>"
    assert note_html("`a.b_c`") == "<code>a.<wbr>b_<wbr>c</code>"
