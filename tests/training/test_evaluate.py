"""The table of runs; the table of results is tested by the READMEs' test."""

from dataclasses import replace

from cnn_models.checkpoints.runs import Run
from tests.conftest import make_card
from training.results import runs_table


def run(seed, out="weights/runs/a", recipe="best", held_out=5000, epochs=5, **metrics):
    card = replace(make_card(), recipe={"name": recipe, "epochs": epochs, "held_out": held_out}, metrics=metrics)
    return Run(card.id, recipe, seed, [{"images_per_second": 1234.5}] * epochs, card, out=out)


def test_runs_that_differ_in_their_seed_are_a_row():
    runs = [run(0, out="", test_accuracy=90), *(run(seed, test_accuracy=90 + seed) for seed in (1, 2))]
    assert runs_table([runs]).splitlines()[2:] == ["| LeNet-5, MNIST: `best`, 5 epochs | 3 | 91.00 ± 1.00 % |  |"]


def test_those_of_the_course_text_stand_beside_its_figure():
    rows = runs_table([[run(0, recipe="source", held_out=0, val_accuracy=98.0)]]).splitlines()[2:]
    assert rows == ["| LeNet-5, MNIST: `source`, 5 epochs | 1 | 98.00 % | 98.52 % |"]


def test_a_single_epoch_has_its_speed_and_no_figure_of_longer_runs():
    rows = runs_table([[run(0, recipe="source", held_out=0, epochs=1, val_accuracy=90.0)]]).splitlines()[2:]
    assert rows == ["| LeNet-5, MNIST: `source`, 1 epoch at 1,234 images/s | 1 | 90.00 % |  |"]


def test_without_any_there_is_no_table():
    assert not runs_table([[run(0, out="", test_accuracy=50)], [run(1, val_accuracy=99)]])
