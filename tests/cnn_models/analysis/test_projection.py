"""Projections of features: neighbours, places, and files that are read as untrusted input."""

from collections import Counter

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cnn_models.analysis.projection import (
    COMPONENTS,
    COUNT,
    FOLDER,
    NEIGHBOURS,
    Projection,
    neighbour_accuracy,
    neighbours,
    path_of,
    read_projection,
    write_projection,
)
from cnn_models.checkpoints.folder import CheckpointError, read_card
from tests.conftest import make_card

ID = "lenet5.mnist"
FEATURES = 84


def blobs(apart: float, count: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    """Points N x 4 of two classes around centres that are so far apart, at a standard deviation of 1."""
    labels = torch.arange(count) % 2
    noise = torch.randn(count, 4, generator=torch.Generator().manual_seed(0))
    return noise + apart * labels[:, None], labels


def made(count: int = COUNT) -> Projection:
    """A possible projection of LeNet-5: orthonormal components, and images at random places."""
    generator = torch.Generator().manual_seed(0)
    components = torch.linalg.qr(torch.randn(FEATURES, COMPONENTS, generator=generator))[0].T
    places, mean = torch.randn(count, COMPONENTS, generator=generator), torch.randn(FEATURES, generator=generator)
    variance, scores = torch.full((COMPONENTS,), 1 / COMPONENTS), torch.tensor([[99.0, 0.5]] * 3)
    return Projection(mean, components, places, places[:, 2:4].clone(), variance, torch.tensor([0.9]), scores)


def test_blobs_far_apart_have_neighbours_of_their_class_and_blobs_at_one_place_have_any():
    assert neighbour_accuracy(*blobs(apart=50)) == 100
    assert neighbour_accuracy(*blobs(apart=0)) < 70


def test_labels_as_frequent_are_decided_by_the_nearest_image():
    places, labels = blobs(apart=0, count=1000)[0], torch.arange(1000) % 3
    votes = labels[neighbours(places)].tolist()
    assert [2, 1, 1, 2, 0] in votes, "the first and the fourth against the second and the third"
    most = [Counter(each).most_common(1)[0][0] for each in votes]  # of equal counts, the first
    assert neighbour_accuracy(places, labels) == pytest.approx(100 * np.mean(np.array(most) == labels.numpy()))


def test_no_image_is_a_neighbour_of_itself():
    points, _ = blobs(apart=1)
    points[:50] = points[50:100]
    assert not (neighbours(points) == torch.arange(len(points))[:, None]).any()


def test_a_test_image_is_placed_where_it_is_and_is_nearest_to_itself():
    found = made()
    for index in (0, 7, COUNT - 1):
        nearest = found.nearest(found.mean + found.places[index] @ found.components)
        assert nearest.indices[0] == index and len(set(nearest.indices)) == NEIGHBOURS
        assert torch.allclose(nearest.pca, found.places[index, :2], atol=1e-4)
        assert torch.allclose(nearest.tsne, found.tsne[index], atol=1e-3)


def test_an_image_between_two_is_between_them_on_the_map_of_t_sne():
    found = made()
    places, tsne = torch.full((COUNT, COMPONENTS), 50.0), torch.zeros(COUNT, 2)
    places[:5], tsne[:5] = 0, torch.tensor([[4.0, 8.0]])
    places[0, 0], tsne[0] = 3, torch.tensor([0.0, 0.0])  # as far away as each of the others at -3
    places[1:5, 0] = -3
    found = found._replace(places=places, tsne=tsne)
    assert torch.allclose(found.nearest(found.mean).tsne, torch.tensor([4.0, 8.0]) * 4 / 5, atol=1e-3)


@pytest.fixture
def card(checkpoint):
    return read_card(checkpoint(ID))


@pytest.fixture
def weights(tmp_path, card):
    (tmp_path / "weights" / FOLDER).mkdir()
    write_projection(tmp_path / "weights", card, made())
    return tmp_path / "weights"


def test_it_comes_back_to_float16_and_is_small(weights, card):
    found = read_projection(weights, card)
    assert all(torch.allclose(a, b, rtol=1e-3, atol=1e-3) for a, b in zip(found, made(), strict=True))
    assert path_of(weights, ID).stat().st_size < 200_000


def test_there_is_none_before_it_is_measured_or_for_other_weights(weights, card, tmp_path):
    assert read_projection(tmp_path, card) is None
    assert read_projection(weights, make_card()) is None


def changed(**tensors):
    def change(path, card):
        save_file(load_file(path) | tensors, path, {"weights_sha256": card.weights_sha256})

    return change


DAMAGES = {
    "no tensors": (lambda path, card: path.write_bytes(b"x" * 100), "is not the projection of lenet5.mnist"),
    "too large": (lambda path, card: path.write_bytes(bytes(2**20 + 1)), "larger"),
    "another count": (changed(places=torch.zeros(3, COMPONENTS)), rf"shape \(3, {COMPONENTS}\) instead of"),
    "another tensor": (changed(more=torch.zeros(1)), "unknown tensors: more"),
    "not finite": (changed(tsne=torch.full((COUNT, 2), torch.nan)), "not finite"),
    "an impossible score": (changed(scores=torch.full((3, 2), 101.0)), "impossible"),
    "an impossible share": (changed(variance=torch.ones(COMPONENTS)), "impossible"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_ones_are_refused_with_the_command_that_makes_them(weights, card, name):
    damage, reason = DAMAGES[name]
    damage(path_of(weights, ID), card)
    with pytest.raises(CheckpointError, match=rf"{reason}.*`python -m training.projection`"):
        read_projection(weights, card)
