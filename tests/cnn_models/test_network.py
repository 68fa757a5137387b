"""From images to logits and probabilities, and copies that share weights."""

import dataclasses

import pytest
import torch

from cnn_models import ARCHITECTURES, create_model
from cnn_models.network import Network, shared_copy
from tests.conftest import make_card

CPU = torch.device("cpu")


@pytest.fixture
def net():
    torch.manual_seed(0)
    card = dataclasses.replace(make_card(), mean=0.1, std=0.3, temperature=2.0)
    return Network(create_model("lenet5"), card, CPU)


@pytest.fixture
def images():
    return torch.randint(0, 256, (5, 28, 28), dtype=torch.uint8)


def test_probabilities_are_the_softmax_of_the_logits_at_the_cards_temperature(net, images):
    found = net.run(images)
    with torch.no_grad():
        expected = net.model(((images.float() / 255 - 0.1) / 0.3)[:, None])
    torch.testing.assert_close(found.logits, expected.double(), rtol=0, atol=1e-5)
    assert torch.equal(found.probabilities, (found.logits / 2).softmax(1)) and found.milliseconds > 0
    assert torch.equal(net.uncalibrated().run(images).probabilities, found.logits.softmax(1))


def test_batches_give_what_a_single_one_gives(net, images):
    torch.testing.assert_close(net.run(images, batch=2).logits, net.run(images).logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_features_are_what_the_last_linear_layer_gets(name, images):
    spec = ARCHITECTURES[name]
    card = dataclasses.replace(make_card(name), input_size=min(spec.sizes))
    net = Network(create_model(name), card, CPU)  # in training mode
    last = [module for module in net.model.modules() if isinstance(module, torch.nn.Linear)][-1]
    features = net.features(images[:2])
    assert features.shape == (2, last.in_features) and features.dtype == torch.float32
    torch.testing.assert_close(last(features).double(), net.run(images[:2]).logits, rtol=0, atol=1e-4)


def test_without_normalisation_pixels_are_from_0_to_1(net, images):
    assert torch.equal(net.without(["normalisation"]).input(images)[:, 0], images.float() / 255)
    assert net.without(["scale"]) is net


def test_logits_can_be_fitted_although_the_network_ran_in_inference_mode(net, images):
    inverse = torch.ones((), dtype=torch.float64, requires_grad=True)
    (net.run(images).logits * inverse).sum().backward()
    assert inverse.grad is not None


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_copy_shares_the_weights_and_nothing_else(name):
    model = create_model(name)
    copy = shared_copy(model)
    assert [id(p) for p in copy.parameters()] == [id(p) for p in model.parameters()]
    assert not {id(module) for module in copy.modules()} & {id(module) for module in model.modules()}
