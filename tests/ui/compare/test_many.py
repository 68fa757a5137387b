"""Several images at once: what their rows add up to."""

import pytest

from cnn_models import DATASETS
from cnn_models.errors import Refused
from ui.compare.many import sum_up

OPTIONS = {"dataset": "mnist", "models": ["lenet5", "mini_resnet"], "language": "en"}


def answer(label, *predicted):
    ids = [f"{model}.mnist" for model in OPTIONS["models"]]
    return {"label": label, "predicted": dict(zip(ids, predicted, strict=False)), "vote": predicted[0], "warned": False}


def test_answers_add_up_to_accuracies_and_matrices():
    answers = [answer("7", "7", "7"), answer("7", "7", "1"), answer(None, "3", "3"), {"label": "5"}]
    html = sum_up(OPTIONS | {"answers": answers})
    assert "Images: 4; refused: 1; with a warning: 0; all networks agree: 2." in html
    rows = {row.partition("</th>")[0]: row for row in html.split('<th scope="row">')}
    assert "2 / 2" in rows["LeNet-5"] and "1 / 2" in rows["Mini ResNet"]
    assert html.count("many-matrix") == 3 and html.count("<tr>") == 1 + 3 + 3 * (1 + len(DATASETS["mnist"].classes))
    assert "many-matrix" not in sum_up(OPTIONS | {"answers": answers[2:]})


@pytest.mark.parametrize("wrong", [answer("Bag", "7"), answer("7", "Bag"), {"predicted": {"x": "7"}}, 5])
def test_answers_of_other_classes_and_networks_are_refused(wrong):
    with pytest.raises(Refused, match=r"unknown name|not an object"):
        sum_up(OPTIONS | {"answers": [wrong]})
