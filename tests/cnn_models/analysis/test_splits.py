"""Splits of two networks, held against the predictions and the test images themselves."""

import numpy as np
import pytest

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.splits import BRIGHT, Split, images_of, ink, splits, usual_ink
from cnn_models.analysis.test_errors import Predictions, predictions_of
from cnn_models.datasets.test_sets import load_test_set

LABELS = np.array([0, 0, 1, 1])
FOUND = Predictions("mnist", LABELS, {"lenet5": np.array([0, 7, 7, 1]), "mini_resnet": np.array([0, 1, 1, 7])})


def test_splits_are_counted_for_both_orders_of_the_networks():
    seven_one = [Split("lenet5", "mini_resnet", 7, 1), Split("mini_resnet", "lenet5", 1, 7)]
    assert splits(FOUND, 2) == dict.fromkeys(seven_one, 2)
    assert len(splits(FOUND, 1)) == 4
    assert images_of(FOUND, seven_one[0]).tolist() == [1, 2] == images_of(FOUND, seven_one[1]).tolist()
    with pytest.raises(KeyError):
        images_of(FOUND, Split("alexnet", "lenet5", 7, 1))


@pytest.mark.parametrize("dataset", DATASETS)
def test_every_split_has_as_many_test_images_as_counted_and_no_two_equal_classes(dataset):
    found = predictions_of(ModelHub(), dataset)
    for split, count in splits(found).items():
        assert split.first != split.second and split.label != split.other
        assert len(images_of(found, split)) == count


@pytest.mark.parametrize("dataset", DATASETS)
def test_one_test_image_in_twenty_has_more_than_the_usual_ink_of_its_class(dataset):
    images, labels = load_test_set(dataset)
    shares, usual = ink(images), usual_ink(dataset)
    assert shares[0] == pytest.approx(np.count_nonzero(images[0] >= BRIGHT) / images[0].size)
    for label, share in enumerate(usual):
        assert (shares[labels == label] > share).mean() == pytest.approx(0.05, abs=0.01)
