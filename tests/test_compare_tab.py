"""The Compare tab as a function, without a browser: what a sketchpad value makes of it."""

import base64

import pytest

from app import build
from cnn_models.checkpoint import WEIGHTS
from ui.sketchpad import HERE, PNG

SEVEN = PNG + base64.b64encode((HERE / "samples" / "mnist.7.png").read_bytes()).decode()


@pytest.fixture
def answer(hub):
    """`answer(value, dataset, models)` gives verdict, picture and board, as the page gets them."""
    page = build(hub)
    return next(fn.fn for fn in page.fns.values() if fn.name == "answer")


def test_a_damaged_network_says_so_in_its_column_and_the_others_answer(checkpoint, answer):
    checkpoint("mini_resnet.mnist")
    path = checkpoint("lenet5.mnist") / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    line, _, board = answer(SEVEN, "mnist", ["lenet5", "mini_resnet"])
    assert "Mini ResNet reads" in line and "verdict-alarm" not in line
    assert "changed or damaged" in board and board.count("board-missing") == 1 and board.count("board-winner") == 1


def test_a_network_without_weights_names_the_command_that_trains_it(answer):
    line, seen, board = answer("", "fashion_mnist", ["alexnet"])
    assert "The canvas is empty: draw a piece of clothing" in line and "nothing yet" in seen
    assert "alexnet.<wbr>fashion_<wbr>mnist" in board and "not trained yet" in board


def test_nothing_to_ask_gets_a_sentence(answer):
    for models in ([], ["alexnet"]):
        assert "choose one that is trained" in answer(SEVEN, "mnist", models)[0]


def test_nonsense_gets_a_sentence(checkpoint, answer):
    checkpoint()
    for value in ("nonsense", 7, {"path": "/etc/passwd"}, PNG + "eA=="):
        line, _, board = answer(value, "mnist", ["lenet5"])
        assert "verdict-alarm" in line and "board-winner" not in board
