"""Minimal adversarial perturbations: closed forms of linear networks, and predictions that change."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from cnn_models import ARCHITECTURES, ModelHub
from cnn_models.analysis import adversarial
from cnn_models.analysis.adversarial import HALVINGS, NORMS, box_step, deepfool, deepfool_in_grey_levels
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.network import Network
from tests.conftest import make_card

CPU = torch.device("cpu")
CLOSED = {
    "l2": lambda w: w / w.square().sum(1, keepdim=True),
    "linf": lambda w: w.sign() / w.abs().sum(1, keepdim=True),
}
"""The step of least norm with gain 1 for gradients N x pixels, without bounds."""


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def linear(weights: torch.Tensor, bias: torch.Tensor) -> Network:
    """The network whose logits are `weights @ pixels + bias`; its input is normalised first, as that of any."""
    card = replace(make_card(), input_size=28)
    layer = nn.Linear(784, 10)
    with torch.no_grad():
        layer.weight.copy_(weights * card.std)
        layer.bias.copy_(bias + card.mean * weights.sum(1))
    return Network(nn.Sequential(nn.Flatten(), layer), card, CPU)


@pytest.mark.parametrize("norm", NORMS)
def test_a_step_away_from_black_and_white_has_the_closed_form(norm):
    gradients = random(5, 784) - 0.5
    step = box_step(torch.full((5, 784), 0.5), gradients, torch.full((5,), 0.3), NORMS[norm])
    assert torch.allclose(step, 0.3 * CLOSED[norm](gradients), atol=1e-6)


@pytest.mark.parametrize("norm", NORMS)
def test_a_step_at_black_and_white_is_the_shortest_that_stays_between(norm):
    x, gradients = random(2, 20, 50).unbind()
    x, gradients = (3 * x - 1).clamp(0, 1), gradients - 0.5  # a third of the pixels is black, a third white
    reach = (gradients.abs() * torch.where(gradients > 0, 1 - x, x)).sum(1)
    gains = torch.linspace(0.1, 0.9, 20) * reach
    step = box_step(x, gradients, gains, NORMS[norm])
    assert (x + step).ge(0).all() and (x + step).le(1).all()
    assert torch.allclose((gradients * step).sum(1), gains, rtol=1e-4)
    way, low, high = NORMS[norm].direction(gradients), torch.zeros(20, 1), torch.full((20, 1), 1e4)
    for _ in range(60):  # the optimality conditions leave one number to find: the length of the way before clipping
        middle = (low + high) / 2
        enough = (gradients * (way * middle).clamp(-x, 1 - x)).sum(1, keepdim=True) >= gains[:, None]
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    assert torch.allclose(step, (way * high).clamp(-x, 1 - x), atol=1e-4)


@pytest.mark.parametrize("norm", NORMS)
def test_a_gain_out_of_reach_moves_every_pixel_to_its_bound(norm):
    x, gradients = random(1, 50), random(1, 50) - 0.5
    step = box_step(x, gradients, torch.tensor([1e6]), NORMS[norm])
    assert torch.allclose(x + step, (gradients > 0).float())


@pytest.mark.parametrize("norm", NORMS)
def test_pixels_without_gradient_do_not_move(norm):
    x, gradients = random(20, 784), (random(20, 784, seed=1) - 0.5).where(random(20, 784, seed=2) < 0.3, 0)
    gains = torch.linspace(0.01, 0.95, 20) * (gradients.abs() * torch.where(gradients > 0, 1 - x, x)).sum(1)
    step = box_step(x, gradients, gains, NORMS[norm])
    assert torch.allclose((gradients * step).sum(1), gains, rtol=1e-4)
    assert (step * gradients).ge(0).all() and step[gradients == 0].eq(0).all()
    assert box_step(x, torch.zeros_like(x), gains, NORMS[norm]).eq(0).all()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("target", [None, 3])
def test_deepfool_on_a_linear_network_finds_the_closed_form(norm, target):
    weights, images = random(10, 784) - 0.5, 0.4 + 0.2 * random(6, 28, 28, seed=1)
    bias = -0.5 * weights.sum(1) + torch.linspace(0, 0.4, 10)  # so that a step stays far from black and white
    if target is not None:
        bias[:9] -= 1000 * (torch.arange(9) != target)  # only 9 and the target matter
        bias[9] += 5
    net = linear(weights, bias)
    logits = net.run(images).logits.float()
    for row, found in zip(logits, deepfool(net, images, norm, target).norms, strict=True):
        first = int(row.argmax())
        others = [target] if target is not None else [each for each in range(10) if each != first]
        gaps, gradients = row[first] - row[others], weights[others] - weights[first]
        closed = NORMS[norm].measure(gaps[:, None] * CLOSED[norm](gradients)).min()
        assert closed <= found * 1.0001 and found <= closed * (1 + 2**-HALVINGS + 0.003)


@pytest.fixture(scope="module")
def seven():
    return torch.from_numpy(np.array(load_test_set("mnist")[0][:1])).float() / 255


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_prediction_of_every_network_just_changes(name, seven):
    net = ModelHub().get(f"{name}.mnist")
    original = seven.clone()
    for norm, least in (("l2", 0.1), ("linf", 0.01)):
        changed, norms = deepfool(net, seven, norm)
        assert torch.equal(seven, original) and changed.min() >= 0 and changed.max() <= 1
        assert least < norms[0] == NORMS[norm].measure((changed - seven).flatten(1))[0]
        ways = torch.cat([seven, seven + 0.95 * (changed - seven), changed])
        before, almost, after = net.run(ways).logits.argmax(1).tolist()
        assert before == almost != after
    assert all(weights.grad is None and not weights.requires_grad for weights in net.model.parameters())


@pytest.mark.parametrize(("id", "index"), [("mini_inception.mnist", 91), ("lenet5.mnist", 5584)])
def test_a_change_found_in_one_norm_is_found_in_the_other(id, index):
    """Of images on which DeepFool converges to the boundary, without crossing it, by steps just to it."""
    image = torch.from_numpy(load_test_set(id.partition(".")[2])[0][index : index + 1].copy()).float() / 255
    net = ModelHub().get(id)
    found = {norm: deepfool(net, image, norm) for norm in NORMS}
    for result in found.values():
        assert result.norms.isfinite().all()
        assert net.run(torch.cat([image, result.images])).logits.argmax(1).unique().numel() == 2
    ratio = found["l2"].norms / found["linf"].norms
    assert 1 <= ratio <= 28, "between the norms of a single pixel and of all 784"


def test_more_candidates_do_not_lower_the_median_by_much(monkeypatch):
    images = torch.from_numpy(load_test_set("mnist")[0][::400].copy()).float() / 255
    net, medians = ModelHub().get("lenet5.mnist"), []
    for candidates in (adversarial.CANDIDATES, 9):
        monkeypatch.setattr(adversarial, "CANDIDATES", candidates)
        medians.append(deepfool(net, images, "linf").norms.median())
    assert medians[0] <= 1.05 * medians[1]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize(("dataset", "target"), [("mnist", None), ("mnist", 3), ("fashion_mnist", None)])
def test_an_image_in_grey_levels_changes_the_prediction_too(norm, dataset, target):
    net, images = ModelHub().get(f"lenet5.{dataset}"), torch.from_numpy(load_test_set(dataset)[0][:5].copy())
    floats = deepfool(net, images.float() / 255, norm, target).norms
    for image, least in zip(images, floats, strict=True):
        found = deepfool_in_grey_levels(net, image, norm, target)
        assert found is not None and found.dtype == torch.uint8
        before, after = net.run(torch.stack([image, found])).logits.argmax(1).tolist()
        assert after == target if target is not None else after != before
        size = NORMS[norm].measure((found.float() - image).flatten()[None] / 255)
        assert size == 0 if least == 0 else size <= 1.2 * least + 28 / 255, "at most a level more, of each pixel"


def test_a_target_is_reached_or_said_to_be_out_of_reach(seven):
    net = ModelHub().get("lenet5.mnist")
    for target in range(10):
        changed, norms = deepfool(net, seven, target=target)
        assert net.run(changed).logits.argmax(1).tolist() == [target]
        assert (norms[0] == 0) == (target == 7) == torch.equal(changed, seven)
    weights, bias = random(10, 784), torch.zeros(10)
    weights[3] = bias[3] = -1  # below all others, for any image, a blank one too
    changed, norms = deepfool(linear(weights, bias), seven, target=3)
    assert norms.isinf().all() and torch.equal(changed, seven)
    assert deepfool_in_grey_levels(linear(weights, bias), (255 * seven[0]).byte(), target=3) is None
