"""The test images to try, which split the networks."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.test_errors import most_divided, predictions_of
from cnn_models.datasets.test_sets import load_test_set
from ui.compare.examples import examples


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_examples_are_test_images_on_which_few_networks_agree(dataset):
    found, (images, _) = predictions_of(ModelHub(), dataset), load_test_set(dataset)
    chosen = most_divided(found, 3)
    votes = np.stack(list(found.predicted.values()))[:, chosen]
    classes = [set(column) for column in votes.T]
    assert len(set.union(*classes)) == sum(map(len, classes))
    assert all(np.bincount(column).max() <= 3 for column in votes.T)
    shown = re.findall(r'base64,([^"]+)', html := examples(ModelHub(), dataset))
    for image, index in zip(shown, chosen, strict=True):
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(image)))), images[index])
    assert html.count("LeNet-5 says") == 3


def test_without_evaluated_networks_there_are_none(hub):
    assert not examples(hub, "mnist").strip()
