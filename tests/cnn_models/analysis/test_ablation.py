"""Parts of networks switched off, against the same networks written without them."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn_models import create_model
from cnn_models.analysis.ablation import SHORTCUT, derivatives, parts, sizes, without
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.network import Network
from tests.conftest import make_card

COUNTS = {"lenet5": 0, "alexnet": 0, "googlenet": 36, "mini_inception": 8, "mini_resnet": 4}


def network(name):
    torch.manual_seed(0)
    return create_model(name).eval().requires_grad_(False)


@pytest.mark.parametrize("name", COUNTS)
def test_every_part_matters_and_the_network_stays_as_it_was(name):
    model = network(name)
    side = {"alexnet": 224, "googlenet": 32}.get(name, 28)
    x = torch.rand(1, 1, side, side)
    before = model(x)
    found = parts(model)
    assert len(found) == COUNTS[name]
    assert all(not torch.equal(without(model, [part])(x), before) for part in found)
    assert torch.equal(model(x), before) and torch.equal(without(model, [])(x), before)
    with pytest.raises(KeyError):
        without(model, ["inception1/7×7"])


@pytest.mark.parametrize(
    ("name", "channels"), [("1×1", (0, 16)), ("5×5", (16, 40)), ("3×3", (40, 64)), ("pool", (64, 88))]
)
def test_a_branch_that_is_off_gives_nothing(name, channels):
    model, seen = network("mini_inception"), []
    cut = without(model, [f"inception2/{name}"])
    cut.inception2.register_forward_hook(lambda module, given, output: seen.append(output))
    cut(torch.rand(1, 1, 28, 28))
    silent = [channel for channel in range(88) if not seen[0][0, channel].any()]
    assert silent == list(range(*channels))


def test_without_the_shortcut_a_block_is_plain():
    model, x = network("mini_resnet"), torch.rand(2, 16, 12, 12)
    block = model.block1
    cut, alone = (without(model, [f"block1/{part}"]).block1 for part in (SHORTCUT, "F"))
    assert torch.equal(cut(x), F.relu(block.conv2(F.relu(block.conv1(x)))))
    assert torch.equal(alone(x), F.relu(x))
    assert not without(model, [f"block1/{SHORTCUT}", "block1/F"]).block1(x).any()


def test_derivatives_are_those_of_the_parts():
    model, grid = network("mini_resnet"), load_test_set("mnist")[0][0]
    net = Network(model, make_card("mini_resnet"), torch.device("cpu"))
    found = derivatives(net, grid, 7)
    plain = derivatives(replace(net, model=without(model, [])), grid, 7)
    assert found == plain and found.keys() == {"block1", "block2"}
    for through, straight, whole in found.values():
        assert 0 < whole <= through + straight and abs(through - straight) <= whole
    with torch.no_grad():
        nn.init.zeros_(model.block2.conv2.weight)
    through, straight, whole = derivatives(net, grid, 7)["block2"]
    assert through == 0 and whole == straight, "with F constant only the 1 is left"


def test_derivatives_are_those_of_the_parts_that_are_on():
    model, grid = network("mini_resnet"), load_test_set("mnist")[0][0]
    net = Network(model, make_card("mini_resnet"), torch.device("cpu"))

    def of(*off):
        cut = without(model, [f"block2/{part}" for part in off])
        return derivatives(replace(net, model=cut), grid, 7)["block2"]

    through, straight, whole = of(SHORTCUT)
    assert straight == 0 and through == whole > 0
    through, straight, whole = of("F")
    assert through == 0 and straight == whole > 0
    assert of("F", SHORTCUT) == (0, 0, 0)


def test_sizes_are_of_the_convolutions_and_do_not_grow_with_their_number():
    model = network("mini_inception")
    found, block = sizes(model.state_dict(), model), model.inception1
    weights = torch.cat([layer.weight.flatten() for layer in (block.three_reduce, block.three_1, block.three_2)])
    assert found["inception1/3×3"] == pytest.approx(weights.square().mean().sqrt().item()) and len(found) == 8
    alike = {name: torch.full_like(tensor, 0.5) for name, tensor in model.state_dict().items()}
    assert sizes(alike, model) == dict.fromkeys(found, 0.5)
