"""Linear CKA: what it must be for known features, and which layers of a network are compared."""

import pytest
import torch
from torch import nn

from cnn_models import ARCHITECTURES, create_model
from cnn_models.analysis.similarity import cka, compared_layers, features, representation, u_centred
from cnn_models.layers import architecture_layers, outputs
from cnn_models.network import Network
from tests.conftest import make_card

IMAGES, BATCH = 400, 100


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def similarity(first, second):
    """The CKA of the features of one layer and of another, both N x D."""
    one, other = (representation([[u_centred(part)] for part in each.split(BATCH)]) for each in (first, second))
    return cka(one, other).item()


def test_a_layer_is_like_itself_rotated_shifted_and_scaled(generator):
    layer = torch.rand(IMAGES, 20, generator=generator)
    rotation, _ = torch.linalg.qr(torch.randn(20, 20, generator=generator))
    for same in (layer, layer @ rotation, 0.01 * layer, layer + 50, 3 * layer @ rotation - 7):
        assert similarity(layer, same) == pytest.approx(1, abs=1e-4)
    stretched = layer * torch.arange(1, 21)  # no rotation
    assert similarity(layer, stretched) < 0.99


@pytest.mark.parametrize("width", [5, 2000])
def test_independent_features_are_not_alike_however_many_there_are(width, generator):
    first, second = (torch.randn(IMAGES, width, generator=generator) for _ in range(2))
    assert similarity(first, second) == pytest.approx(0, abs=0.1)


def test_it_is_the_ratio_of_unbiased_estimates_of_hsic(generator):
    """Against the formula of Song et al. 2012, with its traces and sums."""
    first, second = (torch.rand(30, width, generator=generator, dtype=torch.float64) for width in (4, 9))

    def hsic(a, b):
        k, l = ((each @ each.T).fill_diagonal_(0) for each in (a, b))  # noqa: E741
        n, ones = len(k), torch.ones(len(k), dtype=k.dtype)
        total = (ones @ k @ ones) * (ones @ l @ ones) / ((n - 1) * (n - 2))
        return ((k @ l).trace() + total - 2 / (n - 2) * (ones @ k @ l @ ones)) / (n * (n - 3))

    expected = hsic(first, second) / (hsic(first, first) * hsic(second, second)).sqrt()
    assert similarity(first, second) == pytest.approx(expected.item(), abs=1e-4)


def test_small_batches_give_what_large_ones_do(generator):
    hidden = torch.randn(2000, 6, generator=generator)
    first, second = (hidden @ torch.randn(6, 8, generator=generator) for _ in range(2))
    of_batch = [
        cka(*(representation([[u_centred(part)] for part in each.split(size)]) for each in (first, second))).item()
        for size in (50, 1000)
    ]
    assert of_batch[0] == pytest.approx(of_batch[1], abs=0.02)


def test_a_dead_layer_is_like_nothing(generator):
    layer = torch.rand(IMAGES, 5, generator=generator)
    assert similarity(torch.zeros(IMAGES, 5), layer) == 0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_layer_with_weights_is_compared_with_what_the_next_one_receives(name):
    network, found = architecture_layers(name), compared_layers(name)
    outermost = {layer.name: layer for layer in network.children if layer.parameters}
    assert [layer.name for layer in found] == list(outermost)
    steps = {step.index: step for step in network.steps()}
    for layer, following in zip(found, list(outermost.values())[1:], strict=False):
        assert steps[layer.step].output == following.inputs[0]
    assert steps[found[-1].step].output == network.output


def test_the_features_are_the_outputs_of_these_steps_in_any_batch(monkeypatch):
    torch.manual_seed(0)
    net = Network(create_model("mini_resnet").eval(), make_card("mini_resnet"), torch.device("cpu"))
    images = torch.randint(0, 256, (7, 28, 28), dtype=torch.uint8)
    monkeypatch.setattr("cnn_models.analysis.similarity.MEMORY", 3 * architecture_layers("mini_resnet").memory)
    found, steps = features(net, images), outputs(net.model, net.input(images))
    for layer, expected in zip(found, compared_layers("mini_resnet"), strict=True):
        torch.testing.assert_close(layer, steps[expected.step])
    torch.testing.assert_close(nn.functional.softmax(found[-1], 1).double(), net.run(images).probabilities)
