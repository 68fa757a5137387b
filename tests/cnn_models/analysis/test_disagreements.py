"""Disagreements of two networks, held against the predictions and the test images themselves."""

import numpy as np
import pytest

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.disagreements import BRIGHT, Disagreement, disagreements, images_of, ink, usual_ink
from cnn_models.analysis.test_errors import Predictions, predictions_of
from cnn_models.datasets.test_sets import load_test_set

LABELS = np.array([0, 0, 1, 1])
FOUND = Predictions("mnist", LABELS, {"lenet5": np.array([0, 7, 7, 1]), "mini_resnet": np.array([0, 1, 1, 7])})


def test_disagreements_are_counted_once_for_two_networks():
    seven_one = Disagreement("lenet5", "mini_resnet", 7, 1)
    assert disagreements(FOUND, 2) == {seven_one: 2}
    assert disagreements(FOUND, 1) == {seven_one: 2, seven_one._replace(label=1, other=7): 1}
    assert images_of(FOUND, seven_one).tolist() == [1, 2]
    with pytest.raises(KeyError):
        images_of(FOUND, Disagreement("alexnet", "lenet5", 7, 1))


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_disagreement_has_as_many_test_images_as_counted_and_no_two_equal_classes(dataset):
    found = predictions_of(ModelHub(), dataset)
    counted = disagreements(found)
    for each, count in counted.items():
        assert each.first != each.second and each.label != each.other
        assert each._replace(first=each.second, second=each.first, label=each.other, other=each.label) not in counted
        assert len(images_of(found, each)) == count


@pytest.mark.parametrize("dataset", DATASETS)
def test_one_test_image_in_twenty_has_more_than_the_usual_ink_of_its_class(dataset):
    images, labels = load_test_set(dataset)
    shares, usual = ink(images), usual_ink(dataset)
    assert shares[0] == pytest.approx(np.count_nonzero(images[0] >= BRIGHT) / images[0].size)
    for label, share in enumerate(usual):
        assert (shares[labels == label] > share).mean() == pytest.approx(0.05, abs=0.01)
