"""The bundled test sets are the makers' own, and a network is measured on them."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnn_models import DATASETS, ModelHub
from cnn_models.datasets import test_sets as testsets
from cnn_models.datasets.test_sets import Measured, balanced_order, load_test_set, measure
from training.data import load

ROOT = Path(testsets.__file__).parents[2]


@pytest.mark.parametrize("dataset", DATASETS)
def test_bundled_images_are_the_makers_own(dataset, data_dir):
    images, labels = load_test_set(dataset)
    source = load(dataset, train=False)
    assert images.dtype == np.uint8 and np.array_equal(images, source.images.numpy())
    assert np.array_equal(labels, source.labels.numpy())


@pytest.mark.parametrize("dataset", DATASETS)
def test_any_beginning_is_balanced(dataset):
    _, labels = load_test_set(dataset)
    order = balanced_order(labels)
    assert sorted(order) == list(range(10_000))
    for count in (10, 100, 1_000, 5_000):
        assert set(np.bincount(labels[order[:count]])) == {count // 10}


@pytest.mark.parametrize("id", ["lenet5.mnist", "mini_resnet.fashion_mnist"])
def test_what_is_measured_is_what_the_card_says(id):
    net = ModelHub().get(id)
    found = measure(net.model, net.card)
    assert found.count == 10_000 and found.accuracy == pytest.approx(net.card.metrics["test_accuracy"], abs=0.02)
    some = measure(net.model, net.card, seconds=0)
    assert some.count == testsets.BATCH and abs(some.accuracy - found.accuracy) < 4 * some.error


def test_error_is_that_of_a_proportion():
    assert Measured(50, 100).error == pytest.approx(5, rel=0.01)
    assert 0 < Measured(100, 100).error < 2


def test_on_zero_gpu_the_cpu_answers_and_one_function_is_marked(tmp_path):
    """Against a `spaces` that knows what was marked; there is no GPU, so the marked function fails as on a full one."""
    (tmp_path / "spaces.py").write_text(
        "marked = []\ndef GPU(function):\n    marked.append(function)\n    return function"
    )
    code = """
from types import SimpleNamespace
import spaces
from cnn_models import create_model
from cnn_models.runtime import best_device
from cnn_models.datasets.test_sets import measure
card = SimpleNamespace(dataset="mnist", input_size=96, mean=0.13, std=0.31, temperature=1.0)
print(best_device(), len(spaces.marked), measure(create_model("googlenet"), card, 0).count)
"""
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    environment = os.environ | {"SPACES_ZERO_GPU": "true", "PYTHONPATH": paths, "CNN_DEVICE": ""}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.stdout.split() == ["cpu", "1", str(testsets.BATCH)], run.stderr
