"""What the bundled centroids call unsure or turned: images unlike the training images that networks classify anyway."""

import numpy as np
import pytest
import torch

from cnn_models import DATASETS, ModelHub
from cnn_models.analysis.neighbours import (
    GROUPS,
    TURNS,
    Unlikeness,
    group_share,
    tail_scores,
    turn_gains,
    unlikeness,
)
from cnn_models.images.preprocess import to_dataset_form
from tests.cnn_models.analysis.test_ood import DIGITS, arc, drawing, scribbles
from training.data import load

HUB = ModelHub()
NETWORKS = ("lenet5", "mini_inception", "mini_resnet")


def looped_nines(count, seed=0):
    """Nines in one stroke: from the left to the right, round the loop, and down through the first line."""
    generator = np.random.default_rng(seed)

    def one():
        x, y, width, height = generator.uniform((0.42, 0.26, 0.1, 0.11), (0.58, 0.36, 0.2, 0.2))
        low, tail, lean, foot = generator.uniform((0.5, 0.05, -0.15, 0.8), (1.3, 0.25, 0.1, 0.92))
        loop = arc(x, y, width, height, generator.uniform(20, 70), -generator.uniform(170, 220))
        start = (x - width - tail, y + low * height + generator.uniform(-0.05, 0.05))
        return drawing([[start, *loop, (x - 0.3 * width, y + 1.3 * height), (x + lean, foot)]])

    return [one() for _ in range(count)]


def compared(dataset, grids):
    """The unlikeness of each 28 x 28 image to the training images, with the small networks."""
    nets = [HUB.get(f"{name}.{dataset}") for name in NETWORKS]
    shares = sum(net.run(torch.tensor(np.stack(grids))).probabilities for net in nets) / len(nets)
    by_class = [dict(zip(DATASETS[dataset].classes, each, strict=True)) for each in shares.tolist()]
    return [unlikeness(HUB, dataset, *each) for each in zip(grids, by_class, strict=True)]


def forms(images, dataset="mnist"):
    return [to_dataset_form(image, DATASETS[dataset]) for image in images]


def unsure(images, dataset="mnist"):
    return sum(each.is_unsure for each in compared(dataset, forms(images, dataset)))


def test_looped_nines_are_unsure_in_the_main():
    assert unsure(looped_nines(40)) >= 30


def test_scribbles_are_unsure_in_the_main():
    assert unsure(scribbles(40)) >= 34
    assert unsure(scribbles(20), "fashion_mnist") >= 16


@pytest.mark.parametrize("name", DIGITS)
def test_a_drawn_digit_is_neither_unsure_nor_turned(name):
    (found,) = compared("mnist", forms([drawing(DIGITS[name])]))
    assert (found.is_unsure, found.turn) == (False, None)


@pytest.mark.parametrize("dataset", DATASETS)
def test_few_test_images_are_unsure_and_fewer_turned(dataset, data_dir):
    found = compared(dataset, load(dataset, train=False).images[:250].numpy())
    assert sum(each.is_unsure for each in found) <= 7
    assert sum(each.turn is not None for each in found) <= 2


@pytest.mark.parametrize("dataset", DATASETS)
def test_most_turned_test_images_are_and_the_turn_is_the_one_back(dataset, data_dir):
    images = load(dataset, train=False).images[:40].numpy()
    for turn in TURNS:
        grids = forms([np.ascontiguousarray(np.rot90(image, turn // 90)) for image in images], dataset)
        known = [each.turn.degrees for each in compared(dataset, grids) if each.turn]
        assert len(known) > (0.3 if turn == 180 else 0.5) * len(images)  # half of the digits are digits upside down
        assert np.mean([each == turn for each in known]) > 0.75


def test_without_centroids_nothing_is_unsure(checkpoint, tmp_path):
    (grid,) = forms(scribbles(1))
    shares = dict.fromkeys(DATASETS["mnist"].classes, 0.1)
    assert unlikeness(ModelHub(tmp_path / "none"), "mnist", grid, shares) == Unlikeness(0, None)
    checkpoint("mini_resnet.mnist")
    assert unlikeness(ModelHub(tmp_path / "weights"), "mnist", grid, shares) == Unlikeness(0, None)


def test_tail_scores_are_1_at_the_first_quantile_and_2_at_the_second():
    tails = torch.tensor([[0.1, 0.3], [5.0, 6.0]])
    values = torch.tensor([[0.1, 6.0], [0.5, 5.5], [-9.0, 0.0]])
    assert torch.allclose(tail_scores(values, tails), torch.tensor([[1, 2], [3, 1.5], [0, 0]]))


def test_the_share_of_a_group_is_of_all_classes_that_people_confuse():
    shares = dict.fromkeys(DATASETS["fashion_mnist"].classes, 0.0) | {"Shirt": 0.4, "Coat": 0.3, "Dress": 0.3}
    assert group_share(shares, "fashion_mnist") == pytest.approx(0.7)
    assert group_share(shares | {"Dress": 0.5}, "fashion_mnist") == 0.5


def test_groups_are_of_classes_and_every_data_set_has_its_own():
    assert GROUPS.keys() == DATASETS.keys()
    for name, groups in GROUPS.items():
        members = [each for group in groups for each in group]
        assert len(members) == len(set(members)) and set(members) <= set(DATASETS[name].classes)


def test_a_turn_to_an_image_that_is_far_itself_is_no_gain():
    gains, best = turn_gains(torch.tensor([[9.0, 8, 1, 5], [9, 8, 4, 5]]))
    assert gains.tolist() == [8, 0] and best.tolist() == [1, 1]
