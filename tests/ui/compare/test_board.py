"""The board and the sentence above it, without a browser."""

import re
from html import unescape

import numpy as np
import pytest

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.log_linear import LogLinear
from cnn_models.analysis.verdict import Reason
from cnn_models.images.preprocess import Preprocessed
from cnn_models.images.steps import Step
from cnn_models.predict import Comparison, Prediction
from ui.common.numbers import percent
from ui.compare.board import Column, board, short
from ui.compare.request import Request
from ui.compare.verdict import sentence

GRID = np.zeros((28, 28), np.uint8)
BLANK = Preprocessed((Step("centre", GRID),), (GRID,))


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.9951, "99.51"), (0.9996, "99.96"), (0.99999, ">99.99"), (1.0, "100.00"), (0.00001, "<0.01"), (0.0, "0.00")],
)
def test_percent_rounds_to_certainty_only_what_is_certain(probability, text):
    assert percent(probability) == text


def test_counts_are_short():
    assert short(61_706) == "61.7 k" and short(46_764_746) == "46.8 M"


def compared(dataset, **labels):
    """A comparison in which each network has its label with 91 %, and the first with 99.1 %."""
    classes, sure = DATASETS[dataset].classes, dict.fromkeys(labels, 0.91) | {next(iter(labels)): 0.991}
    answers = tuple(
        Prediction(
            f"{name}.{dataset}",
            label,
            {c: sure[name] if c == label else (1 - sure[name]) / 9 for c in classes},
            4.5,
            0.5,
        )
        for name, label in labels.items()
    )
    return Comparison.of(dataset, BLANK, [[each] for each in answers])


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"lenet5": "7"}, "LeNet-5 reads 7."),
        ({"lenet5": "7", "alexnet": "7"}, "Both networks read 7."),
        ({"lenet5": "7", "alexnet": "7", "googlenet": "7"}, "All 3 networks read 7."),
        (
            {"lenet5": "1", "alexnet": "7", "googlenet": "7"},
            "2 of 3 networks read 7; LeNet-5 reads 1; 7 has 60.70 % of the soft vote.",
        ),
        (
            {"lenet5": "1", "alexnet": "7"},
            "The networks disagree: LeNet-5 reads 1, AlexNet reads 7; 1 has 50.05 % of the soft vote.",
        ),
    ],
)
def test_the_sentence_names_the_networks_that_disagree(labels, text):
    assert sentence(compared("mnist", **labels)) == text


def test_clothing_is_predicted_and_not_read():
    assert sentence(compared("fashion_mnist", lenet5="Bag")) == "LeNet-5 predicts Bag."


def test_the_sentence_in_chinese():
    assert sentence(compared("fashion_mnist", lenet5="Bag", alexnet="Bag"), "zh") == "两个网络都预测为包。"


def test_the_sentence_names_the_other_data_set():
    answers, like = compared("fashion_mnist", lenet5="Bag").models, Reason("lookalike", {"dataset": "mnist"})
    comparison = Comparison.of("fashion_mnist", BLANK, [[each] for each in answers], like)
    assert comparison.verdict.unusual and "looks more like a digit" in sentence(comparison)
    assert "更像数字" in sentence(comparison, "zh")


def cells(html, model):
    found = re.findall(rf'<td data-model="{model}"[^>]*>(.*?)</td>', html)
    return [unescape(re.sub('<span class="visually-hidden">[^<]*</span>|<[^>]*>', "", each)) for each in found]


def test_the_board_holds_every_class_and_network_and_marks_the_winner():
    sizes = dict.fromkeys(ARCHITECTURES, 61_706)
    columns = {name: Column(name) for name in ARCHITECTURES}
    columns["lenet5"] = Column("lenet5", compared("mnist", lenet5="7").models[0], source="weights/lenet5.mnist")
    columns["alexnet"] = Column("alexnet", missing="`python -m x` trains it", untrained=True)
    html = board(Request(), list(columns.values()), sizes).replace("<wbr>", "")
    assert html.count('scope="row"') == 14 and html.count('<th scope="col" data-model=') == len(columns)
    assert html.count("board-winner") == 2 and 'data-model="lenet5" data-class="7" class="board-winner"' in html
    assert html.count('99.10<span class="visually-hidden"> prediction</span>') == 2
    assert html.count('rowspan="14"') == 1 and "<code>python -m x</code> trains it" in html
    assert html.count("not trained yet") == 1
    columns["alexnet"] = Column("alexnet", missing="The Hub is away.")
    assert "not trained yet" not in board(Request(), list(columns.values()), sizes)
    assert cells(html, "googlenet") == [""] * 14
    assert cells(html, "lenet5") == ["0.10"] * 7 + ["99.10"] + ["0.10"] * 2 + ["4.5", "0.10 bit", "0.5 ms", "bundled"]
    assert cells(html, "together")[7] == "99.10" and cells(html, "together")[-1] == "1 of 4"


def test_the_winner_the_runner_up_and_the_faint_are_marked():
    shares = {"7": 0.6, "9": 0.39, "1": 0.0051} | dict.fromkeys("0234568", 0.0007)
    answer = Prediction("lenet5.mnist", "7", shares, 4.5, 0.5)
    html = board(Request(), [Column("lenet5", answer)], {"lenet5": 1})
    marks = dict(re.findall(r'<td data-model="lenet5" data-class="(.)" class="(.*?)"', html))
    assert marks == {"7": "board-winner", "9": "board-second"} | dict.fromkeys("0234568", "faint")
    assert 'class="faint"><span>0.07</span></td>' in html and 'style="--p:39.00">39.00</td>' in html


HUB = f"someone/lenet5.mnist@{'1a2b3c4' * 5}abcde"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("weights/lenet5.mnist", ">bundled"),
        ("mine/lenet5.mnist", ">mine/"),
        (HUB, f' title="{HUB}">someone/lenet5.mnist@1a2b3c4'),
    ],
)
def test_the_source_is_short_and_its_title_what_that_leaves_out(source, shown):
    column = Column("lenet5", compared("mnist", lenet5="7").models[0], source=source)
    html = board(Request(), [column], {"lenet5": 1}).replace("<wbr>", "")
    assert f'<td data-model="lenet5"{shown}</td>' in html


def test_split_votes_are_counted_by_class():
    answers = compared("mnist", lenet5="7", alexnet="9", googlenet="7", mini_resnet="9", mini_inception="1").models
    columns = [Column(answer.id.split(".")[0], answer) for answer in answers]
    assert cells(board(Request(), columns, dict.fromkeys(ARCHITECTURES, 1)), "together")[-1] == "2 of 5; 2 × 9; 1 × 1"


def test_the_log_linear_ensemble_has_a_column_and_the_factors_a_row():
    answers = compared("mnist", lenet5="7", alexnet="9").models
    columns, sizes = [Column(answer.id.split(".")[0], answer) for answer in answers], dict.fromkeys(ARCHITECTURES, 1)
    assert "log_linear" not in board(Request(), columns, sizes) and "log-linear" not in board(Request(), columns, sizes)
    factors = {"lenet5.mnist": 0.25, "alexnet.mnist": 1.5}
    html = board(Request(), columns, sizes, factors=factors)
    found = LogLinear.of(answers, factors)
    assert found.label == "9" and cells(html, "log_linear")[:10] == [*map(percent, found.probabilities.values())]
    assert cells(html, "log_linear")[10] == "" and "bit" in cells(html, "log_linear")[11]
    assert [cells(html, name)[13] for name in ("lenet5", "alexnet", "log_linear")] == ["0.25", "1.50", ""]
    assert cells(html, "together")[:10] == cells(board(Request(), columns, sizes), "together")[:10]
    assert "<small>log-linear</small>" in html and "Show exactly" not in html

    part = board(Request(), columns[:1], sizes, together_pending=True, factors=factors)
    assert cells(part, "log_linear") == [""] * 15, "not all networks have predicted"
    none = board(Request(), columns, sizes, factors={})
    assert none.count("show exactly these") == 1 and "Factor" not in none and len(cells(none, "together")) == 14


def test_a_pending_column_is_marked():
    html = board(Request(), [Column("lenet5", pending=True)], {"lenet5": 1}, together_pending=True)
    assert html.count("data-pending") == 28
