"""Fitting centroids and thresholds on a few real images."""

import shutil

import pytest
import torch

from cnn_models import ModelHub
from cnn_models.analysis.neighbours import distances, tail_scores
from cnn_models.checkpoints.centroids import read_centroids
from cnn_models.checkpoints.folder import CENTROIDS, read_card, read_evaluation
from tests.conftest import ROOT
from training import clusters as module
from training import evaluation as measuring
from training.clusters import fit_centroids, k_means
from training.data import split
from training.uploads import pack


def test_k_means_gives_unit_vectors_of_every_class_near_its_members():
    torch.manual_seed(0)
    labels = torch.arange(200) % 2
    vectors = torch.nn.functional.normalize(torch.eye(5)[labels] + 0.01 * torch.rand(200, 5))
    found = k_means(vectors, labels, 3)
    assert torch.allclose(found.norm(dim=1), torch.ones(6))
    assert found[:3].argmax(1).tolist() == [0] * 3 and found[3:].argmax(1).tolist() == [1] * 3


def test_thresholds_are_exceeded_by_their_share_of_the_validation_images(data_dir, monkeypatch):
    monkeypatch.setattr(module, "IMAGES", 2_000)
    net = ModelHub().get("mini_resnet.mnist")
    train, validation = split("mnist", 5_000, torch.device("cpu"))
    validation = validation[:500]
    found = fit_centroids(net, train, validation)
    scores = tail_scores(distances(net, found, validation.images), found.tails[1:])
    assert (scores > 1).float().mean(0).tolist() == pytest.approx([0.1, 0.1], abs=0.01)
    assert (scores > 2).float().mean(0).tolist() == pytest.approx([0.01, 0.01], abs=0.005)


def test_the_bundled_ones_are_those_of_the_command(data_dir):
    """Its thresholds, on the bundled weights, are at most a little apart, as processors round differently."""
    found = read_centroids(ROOT / "weights" / "mini_resnet.mnist")
    net = ModelHub().get("mini_resnet.mnist")
    _, validation = split("mnist", 5_000, torch.device("cpu"))
    scores = tail_scores(distances(net, found, validation.images[:2000]), found.tails[1:])
    assert (scores > 1).float().mean(0).tolist() == pytest.approx([0.1, 0.1], abs=0.03)


def test_an_evaluation_of_a_reference_model_fits_them_anew_and_they_are_published(tmp_path, data_dir, monkeypatch):
    folder = tmp_path / "mini_resnet.mnist"
    shutil.copytree(ROOT / "weights" / folder.name, folder)
    found = read_centroids(folder)._replace(turned=7.0)
    monkeypatch.setattr(measuring, "fit_centroids", lambda *_: found)
    card, evaluation, probabilities = read_card(folder), read_evaluation(folder), torch.ones(10_000, 10) / 10
    monkeypatch.setattr(measuring, "examine", lambda *_: (card, evaluation, probabilities))
    measuring.evaluate(folder, torch.device("cpu"))
    assert read_centroids(folder).turned == 7.0
    assert pack(folder, "someone").files[CENTROIDS] == folder / CENTROIDS
