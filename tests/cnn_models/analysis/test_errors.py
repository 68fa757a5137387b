"""Who has which test images wrong, held against the networks themselves and against the cards."""

import json
import re
from html import unescape

import numpy as np
import pytest
import torch

from cnn_models import ModelHub
from cnn_models.analysis.test_errors import (
    RIGHT,
    WRONG,
    Predictions,
    nearest_misclassified,
    paired_comparison,
    predictions_of,
    select,
)
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.images.preprocess import to_input
from ui.compare.misclassified import misclassified_html
from ui.training.paired_comparison import comparison_html
from ui.training.test_errors import errors_html, images_html

LABELS = np.array([0, 0, 1, 1, 2, 2])
SAID = {"lenet5": np.array([0, 1, 1, 1, 0, 2]), "mini_resnet": np.array([0, 1, 2, 1, 2, 2])}
ANSWERS = Predictions("mnist", LABELS, SAID)


def test_two_networks_have_four_kinds_of_images():
    assert paired_comparison(ANSWERS, "lenet5", "mini_resnet") == (3, 1, 1, 1, 1.0)
    assert select(ANSWERS, {"lenet5": RIGHT, "mini_resnet": WRONG}).tolist() == [2]
    assert select(ANSWERS, {"lenet5": WRONG, "mini_resnet": WRONG}).tolist() == [1]
    assert select(ANSWERS, {"lenet5": 0}, truth=2).tolist() == [4]
    assert select(ANSWERS, {}).tolist() == list(range(6))
    with pytest.raises(KeyError):
        select(ANSWERS, {"alexnet": RIGHT})


def numbers(found):
    return {same: sorted(each.tolist()) for same, each in found.items()}


def test_images_that_are_mistaken_alike_come_by_how_many_networks_answer_so():
    image = np.zeros((28, 28), np.uint8)
    both = nearest_misclassified(ANSWERS, {"lenet5": 1, "mini_resnet": 1}, image)
    assert numbers(both) == {2: [1], 1: [2]}  # not 3, which both have right
    assert numbers(nearest_misclassified(ANSWERS, {"lenet5": 0, "mini_resnet": 2}, image)) == {2: [4], 1: [2]}
    split = nearest_misclassified(ANSWERS, {"lenet5": 1, "mini_resnet": 0}, image)
    assert numbers(split) == {1: [2]}  # not 1, on which they agree
    assert numbers(nearest_misclassified(ANSWERS, {"lenet5": 2}, image)) == {}
    with pytest.raises(KeyError):
        nearest_misclassified(ANSWERS, {"alexnet": 1}, image)


def test_the_nearest_mistake_of_a_mistaken_image_is_itself():
    answers, (images, _) = predictions_of(ModelHub(), "fashion_mnist"), load_test_set("fashion_mnist")
    for number in select(answers, {"lenet5": WRONG, "mini_resnet": RIGHT})[:5]:
        says = {name: int(answers.predicted[name][number]) for name in ("lenet5", "mini_resnet")}
        found = nearest_misclassified(answers, says, images[number])
        assert found[2][0] == number and set(found) <= {1, 2}


def test_misclassified_images_have_the_prediction_of_each_network():
    answers, (images, _) = predictions_of(ModelHub(), "fashion_mnist"), load_test_set("fashion_mnist")
    says = {"lenet5.fashion_mnist": "Coat", "mini_resnet.fashion_mnist": "Shirt"}
    html = misclassified_html("en", answers, says | {"user/lenet5.fashion_mnist": "Bag"}, images[0])
    assert "in the same way as on yours" in html and "not on file: LeNet-5 (user)." in html and html.count("<img") == 8
    coat, shirt = (
        rf"<dt translate=.no.>{label}( ✓)?</dt>\s*<dd.*?>{title}</dd>\s*"
        for label, title in (("Coat", "LeNet-5"), ("Shirt", "Mini ResNet"))
    )
    assert len(re.findall(coat + shirt, html)) == 8
    unmatched = misclassified_html("en", ANSWERS, {f"lenet5.{ANSWERS.dataset}": "2"}, images[0])
    assert "There is no such test image." in unmatched and "<img" not in unmatched


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_the_answers_are_as_accurate_as_the_cards_say(dataset):
    hub = ModelHub()
    answers = predictions_of(hub, dataset)
    assert {"lenet5", "mini_inception", "mini_resnet"} <= set(answers.predicted)
    for name in answers.predicted:
        accuracy = hub.card(f"{name}.{dataset}").metrics["test_accuracy"]
        assert 100 * answers.right(name).mean() == pytest.approx(accuracy, abs=1e-4)


def test_the_answers_are_what_the_network_says():
    net, answers = ModelHub().get("lenet5.fashion_mnist"), predictions_of(ModelHub(), "fashion_mnist")
    images, _ = load_test_set("fashion_mnist")
    x = to_input(torch.from_numpy(images[:500].copy()), net.card.input_size, net.card.mean, net.card.std)
    with torch.inference_mode():
        said = net.model(x).argmax(1)
    assert (said.numpy() == answers.predicted["lenet5"][:500]).mean() > 0.995  # but for ties on another processor


def test_every_button_asks_for_as_many_images_as_it_says():
    answers = predictions_of(ModelHub(), "fashion_mnist")
    buttons = re.findall(r'<button type="button" [^>]*data-pick="([^"]+)">(.*?)</button>', errors_html(answers))
    assert len(buttons) > 50
    for sent, text in buttons:
        asked = json.loads(unescape(sent))
        count = len(select(answers, asked["says"], asked["truth"]))
        assert re.search(r"[\d,]+\)?$", text)[0].strip(")").replace(",", "") == str(count)


def test_one_network_has_its_matrix_alone():
    html = errors_html(Predictions("mnist", np.arange(10), {"lenet5": np.array([1, *range(1, 10)])}))
    assert html.count("errors-matrix") == html.count("errors-images") == 1 and html.count("data-pick") == 10
    assert "<select" not in html and "training.unevaluated" in errors_html(Predictions("mnist", LABELS, {}))


def test_a_sentence_says_whether_two_networks_differ():
    answers = predictions_of(ModelHub(), "fashion_mnist")
    assert "they differ" in comparison_html(answers, "lenet5", "mini_resnet")
    assert "no significant difference" in comparison_html(answers, "lenet5", "mini_inception")
    assert "McNemar" not in comparison_html(answers, "lenet5", "lenet5")


def test_images_say_what_they_are_and_what_they_are_taken_for():
    answers = predictions_of(ModelHub(), "mnist")
    numbers = select(answers, dict.fromkeys(answers.predicted, WRONG))
    html = images_html(answers, numbers)
    assert html.count("<img") == len(numbers) and f"#{numbers[0]}" in html
    first = answers.predicted["lenet5"][numbers[0]]
    assert re.search(rf"<b>{answers.labels[numbers[0]]}</b>\s*<small translate=.no.>LeNet-5: {first}</small>", html)
