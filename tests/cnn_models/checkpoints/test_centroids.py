"""The file of the centroids: small, and read as untrusted input."""

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from cnn_models import ModelHub
from cnn_models.analysis.neighbours import Unlikeness, unlikeness
from cnn_models.checkpoints import centroids as module
from cnn_models.checkpoints.centroids import Centroids, read_centroids, write_centroids
from cnn_models.checkpoints.folder import CENTROIDS, CheckpointError, files_of, read_card
from tests.conftest import ROOT

ID = "mini_resnet.mnist"
TAILS = torch.tensor([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])


PIXELS, FEATURES = (
    F.normalize(torch.rand(size, generator=torch.Generator().manual_seed(0))) for size in ((20, 196), (30, 512))
)


@pytest.fixture
def folder(checkpoint):
    folder = checkpoint(ID)
    write_centroids(folder, Centroids(PIXELS, FEATURES, TAILS, 5.0, 1.5))
    return folder


def test_they_come_back_as_unit_vectors_near_to_those_written(folder):
    found = read_centroids(folder)
    for read, written in ((found.pixels, PIXELS), (found.features, FEATURES)):
        assert torch.allclose(read.norm(dim=1), torch.ones(len(written)))
        assert (read * written).sum(1).min() > 0.999
    assert torch.equal(found.tails, TAILS) and (found.unsure, found.turned) == (5.0, 1.5)


def test_a_hub_keeps_them_and_reads_new_ones(folder):
    hub = ModelHub(folder.parent)
    assert hub.centroids(ID) is hub.centroids(ID)


def test_checkpoints_without_them_have_none(checkpoint):
    assert read_centroids(checkpoint(ID)) is None


def test_only_reference_models_have_the_file(checkpoint):
    assert CENTROIDS in files_of(read_card(checkpoint(ID)))
    assert CENTROIDS not in files_of(read_card(checkpoint("lenet5.mnist")))


def changed(**tensors):
    def change(path):
        sha256 = read_card(path.parent).weights_sha256
        save_file(load_file(path) | tensors, path, {"weights_sha256": sha256})

    return change


DAMAGES = {
    "no tensors": (lambda path: path.write_bytes(b"x" * 100), "is not the centroids"),
    "large": (lambda path: path.write_bytes(bytes(module.LIMIT + 1)), "larger than"),
    "features": (changed(features=torch.ones(3, 84, dtype=torch.int8)), r"shape \(3, 84\) instead of \(3, 512\)"),
    "empty": (changed(pixels=torch.ones(0, 196, dtype=torch.int8)), r"pixels has shape \(0, 196\)"),
    "scalar": (changed(pixels=torch.tensor(1.0)), "pixels has shape"),
    "NaN": (changed(thresholds=torch.tensor([torch.nan, 1])), "not finite"),
    "other weights": (lambda path: save_file(load_file(path), path, {"weights_sha256": "0" * 64}), "of other weights"),
    "no hash": (lambda path: save_file(load_file(path), path), "of other weights"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_ones_are_refused_and_the_app_goes_on_without(folder, name):
    damage, reason = DAMAGES[name]
    damage(folder / CENTROIDS)
    with pytest.raises(CheckpointError, match=reason):
        read_centroids(folder)
    grid, shares = torch.zeros(28, 28, dtype=torch.uint8).numpy(), {"0": 1.0}
    assert unlikeness(ModelHub(folder.parent), "mnist", grid, shares) == Unlikeness(0, None)


@pytest.mark.parametrize("dataset", ["mnist", "fashion_mnist"])
def test_the_bundled_ones_are_small(dataset):
    assert (ROOT / "weights" / f"mini_resnet.{dataset}" / CENTROIDS).stat().st_size < 200_000


def test_they_are_downloaded_with_the_hub_and_only_when_they_are_needed(folder, fake_hub, tmp_path):
    fake_hub.push(f"someone/{ID}", folder)
    hub = ModelHub(tmp_path / "none", namespace="someone")
    hub.get(ID)
    assert CENTROIDS not in fake_hub.requested("GET")
    assert torch.equal(hub.centroids(ID).pixels, read_centroids(folder).pixels)
    assert hub.get(ID).source.startswith(f"someone/{ID}@")


def test_a_published_checkpoint_without_them_has_none(checkpoint, fake_hub, tmp_path):
    fake_hub.push(f"someone/{ID}", checkpoint(ID))
    hub = ModelHub(tmp_path / "none", namespace="someone")
    assert hub.centroids(ID) is None
    requests = len(fake_hub.requests)
    assert hub.centroids(ID) is None and len(fake_hub.requests) == requests
