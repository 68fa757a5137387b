"""The description of each network, held against the figures of the papers and against independent measurements."""

from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from cnn_models import ARCHITECTURES, create_model
from cnn_models.architectures.googlenet import BLOCKS
from cnn_models.layers import (
    architecture_layers,
    architecture_milliseconds,
    arithmetic,
    describe,
    milliseconds,
    outputs,
)
from cnn_models.layers.table import column

SIZES = [(name, spec.input_size) for name, spec in ARCHITECTURES.items()] + [("googlenet", 224), ("alexnet", 100)]
every_network = pytest.mark.parametrize(("name", "size"), SIZES)

# Each step that changes the shape, in order.
SHAPES = {
    "lenet5": [
        ("convolution", (6, 28, 28)), ("average pool", (6, 14, 14)), ("convolution", (16, 10, 10)),
        ("average pool", (16, 5, 5)), ("convolution", (120, 1, 1)), ("flatten", (120,)), ("linear", (84,)),
        ("linear", (10,)),
    ],
    "alexnet": [
        ("convolution", (96, 54, 54)), ("max-pool", (96, 26, 26)), ("convolution", (256, 26, 26)),
        ("max-pool", (256, 12, 12)), ("convolution", (384, 12, 12)), ("convolution", (256, 12, 12)),
        ("max-pool", (256, 5, 5)), ("flatten", (6400,)), ("linear", (4096,)), ("linear", (10,)),
    ],
    "mini_inception": [
        ("convolution", (10, 24, 24)), ("max-pool", (10, 12, 12)), ("Inception A", (88, 12, 12)),
        ("convolution", (20, 8, 8)), ("max-pool", (20, 4, 4)), ("Inception A", (88, 4, 4)), ("flatten", (1408,)),
        ("linear", (10,)),
    ],
    "mini_resnet": [
        ("convolution", (16, 24, 24)), ("max-pool", (16, 12, 12)), ("convolution", (32, 8, 8)),
        ("max-pool", (32, 4, 4)), ("flatten", (512,)), ("linear", (10,)),
    ],
}  # fmt: skip
MACS = {
    ("lenet5", 28): 416_520,
    ("alexnet", 224): 938_146_176,
    ("googlenet", 96): 276_066_304,
    ("googlenet", 224): 1_502_982_144,
    ("mini_inception", 28): 6_019_200,
    ("mini_resnet", 28): 2_013_184,
}


def empty_model(name):
    with torch.device("meta"):
        return create_model(name).eval()


@pytest.mark.parametrize(("name", "shapes"), SHAPES.items())
def test_shapes_are_the_papers(name, shapes):
    layers = architecture_layers(name).children
    assert [(layer.kind, layer.output) for layer in layers if layer.output != layer.inputs[0]] == shapes


@pytest.mark.parametrize(("size", "sides"), [(96, (12, 6, 3)), (224, (28, 14, 7))])
def test_googlenet_is_table_1_of_its_paper(size, sides):
    blocks = [layer for layer in architecture_layers("googlenet", size).children if layer.kind == "Inception"]
    assert [block.name for block in blocks] == [f"inception{name}" for name in BLOCKS]
    for block, (name, (channels, one, three, five, pooled)) in zip(blocks, BLOCKS.items(), strict=True):
        side = sides["345".index(name[0])]
        widths = [one, three[1], five[1], pooled]
        assert block.inputs == ((channels, side, side),)
        assert block.output == (sum(widths), side, side)
        assert [branch.name for branch in block.children[:4]] == ["1×1", "1×1 → 3×3", "1×1 → 5×5", "pool → 1×1"]
        assert [branch.output[0] for branch in block.children[:4]] == widths
        assert block.children[1].children[0].output[0] == three[0]
        assert block.children[2].children[0].output[0] == five[0]
        assert block.children[4].kind == "concatenate"


def test_inception_a_has_its_four_branches():
    block = architecture_layers("mini_inception").children[3]
    assert [(branch.name, branch.output[0]) for branch in block.children] == [
        ("1×1", 16), ("1×1 → 5×5", 24), ("1×1 → 3×3 → 3×3", 24), ("pool → 1×1", 24), ("cat", 88),
    ]  # fmt: skip


def test_a_residual_block_adds_a_path_to_a_shortcut():
    block = architecture_layers("mini_resnet").children[3]
    path, shortcut, add, relu = block.children
    assert (block.kind, block.output) == ("Residual Block", (16, 12, 12))
    assert (path.name, path.parameters) == ("3×3 → 3×3", block.parameters)
    assert (shortcut.kind, shortcut.children, shortcut.macs) == ("shortcut", (), 0)
    assert (add.kind, len(add.inputs), relu.kind) == ("add", 2, "ReLU")


@pytest.mark.parametrize(("network", "macs"), MACS.items())
def test_multiplications_are_the_papers(network, macs):
    assert architecture_layers(*network).macs == macs


@every_network
def test_totals_are_those_of_pytorch(name, size):
    layers, model = architecture_layers(name, size), empty_model(name)
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 1, size, size, device="meta"))
    assert layers.macs * 2 == counter.get_total_flops()
    assert layers.parameters == sum(p.numel() for p in model.parameters())
    assert layers.inputs == ((1, size, size),)
    assert layers.output == (10,)
    for quantity in ("parameters", "macs", "memory"):
        assert getattr(layers, quantity) == sum(getattr(step, quantity) for step in layers.steps())


@every_network
def test_every_module_is_found_with_its_parameters(name, size):
    found = Counter()
    for step in architecture_layers(name, size).steps():
        found[step.name] += step.parameters
    for path, module in empty_model(name).named_modules():
        if own := sum(p.numel() for p in module.parameters(recurse=False)):
            assert found.pop(path) == own
    assert not any(found.values()), "what is not a module has no parameters"


@every_network
def test_every_step_obeys_the_formulas(name, size):
    for step in architecture_layers(name, size).steps():
        if step.kernel:
            window = [pair[0] for pair in (step.kernel, step.stride, step.padding, step.dilation)]
            assert step.output[1] == arithmetic.output_size(step.inputs[0][1], *window), step
        if step.macs:
            channels_in, channels_out = step.inputs[0][0], step.output[0]
            kernel, side = (step.kernel[0], step.output[1]) if step.kernel else (1, 1)
            biases = arithmetic.parameters(channels_in, channels_out, kernel) - step.parameters
            assert step.macs == arithmetic.multiplications(channels_in, channels_out, kernel, side), step
            assert biases in (0, channels_out), step


@pytest.mark.parametrize("name", [name for name, spec in ARCHITECTURES.items() if spec.input_size <= 96])
def test_receptive_fields_are_as_far_as_a_nan_spreads(name):
    """Of as many images as columns, each has another column spoilt; a value sees those columns that spoil it."""
    torch.manual_seed(0)
    model, size = create_model(name).eval(), ARCHITECTURES[name].input_size
    seen = {}

    def look(path, output):
        columns = output.flatten(1).isnan().sum(0).max()
        seen.setdefault(path, []).append(columns.item())

    for path, module in model.named_modules():
        module.register_forward_hook(lambda module, args, output, path=path: look(path, output))
    images = torch.randn(size, 1, size, size)
    images[range(size), :, :, range(size)] = torch.nan
    with torch.no_grad():
        model(images)
    for step in architecture_layers(name).steps():
        if step.name in seen:
            assert step.receptive_field == seen[step.name].pop(0), step


@pytest.mark.parametrize(
    ("name", "size"), [(name, spec.input_size) for name, spec in ARCHITECTURES.items() if spec.input_size <= 96]
    + [("alexnet", 100)],
)  # fmt: skip
def test_the_central_unit_depends_on_the_pixels_of_its_receptive_field(name, size):
    """Of as many images as columns, each has another column spoilt."""
    torch.manual_seed(0)
    images = torch.randn(size, 1, size, size)
    images[range(size), :, :, range(size)] = torch.nan
    found = outputs(create_model(name).eval(), images)
    for step in architecture_layers(name, size).steps():
        if step.index is None or step.kind == "adaptive average pool":  # of 2 x 2 into 5 x 5: unequal windows
            continue
        output = found[step.index]
        units = output[..., output.shape[-1] // 2] if output.dim() == 4 else output
        spoilt = units.flatten(1).isnan().any(1).nonzero().flatten().tolist()
        first, end = step.central_field
        wanted = list(range(max(first, 0), min(end, size)))
        if name == "alexnet" and (first < 0 or end > size):  # windows without padding leave out the last pixels
            assert set(spoilt) <= set(wanted), step
        else:
            assert spoilt == wanted, step


def test_receptive_fields_are_those_of_the_recursion():
    conv, pool = architecture_layers("lenet5").children[3], architecture_layers("lenet5").children[5]
    assert conv.field == (14, 2, -2) and conv.central_field == (8, 22)  # 6 + (5 - 1) 2, from unit 5 of 10
    assert pool.field == (16, 4, -2)


@every_network
def test_an_identity_returns_its_input(name, size):
    model = create_model(name).eval()
    steps = [step for step in architecture_layers(name, size).steps() if step.index is not None]
    found = outputs(model, torch.randn(1, 1, size, size))
    steps.sort(key=lambda step: step.index)
    pools = [(step, before, after) for step, before, after in zip(steps[1:], found, found[1:], strict=False)
             if "pool" in step.kind and step.inputs[0] == before.shape[1:]]  # fmt: skip
    for step, before, after in pools:
        assert step.is_identity == (before.shape == after.shape and torch.equal(before, after)), step
    identities = [step.name for step in steps if step.is_identity]
    assert identities == (["fit"] if (name, size) == ("alexnet", 224) else [])


def test_the_depth_is_the_papers():
    depths = {name: architecture_layers(name).depth for name in ARCHITECTURES}
    assert depths == {"lenet5": 5, "alexnet": 8, "googlenet": 22, "mini_inception": 9, "mini_resnet": 7}


def test_receptive_fields_of_alexnet():
    fields = [layer.receptive_field for layer in architecture_layers("alexnet").children if layer.kernel]
    assert fields == [11, 19, 51, 67, 99, 131, 163, 195, 195]


class Odd(nn.Module):
    """What the line-up has not: functions instead of modules, work in place, shared weights, a path inside a path."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 1, 3, 3))
        self.shared = nn.Sequential(
            nn.Conv2d(4, 4, 3, padding="same", dilation=2), nn.BatchNorm2d(4), nn.ReLU(inplace=True)
        )

    def forward(self, x):
        x = F.conv2d(x, self.weight, None, 2, padding=1)
        x = F.max_pool2d(x, 3, 2, 1)
        x = x + self.shared(self.shared(x))
        x = torch.cat([x, F.avg_pool2d(x, 2, stride=1)[..., :1, :1].expand_as(x)], dim=1)
        return F.adaptive_avg_pool2d(x, 1).flatten(1)


def test_functions_are_steps_like_modules():
    layers = describe(Odd().eval(), 16)
    steps = list(layers.steps())
    assert [(step.kind, step.kernel, step.stride, step.padding) for step in steps if step.kernel] == [
        ("convolution", (3, 3), (2, 2), (1, 1)),
        ("max-pool", (3, 3), (2, 2), (1, 1)),
        ("convolution", (3, 3), (1, 1), (2, 2)),
        ("convolution", (3, 3), (1, 1), (2, 2)),
        ("average pool", (2, 2), (1, 1), (0, 0)),
        ("global average pool", (4, 4), (4, 4), (0, 0)),
    ]
    assert [step.dilation[0] for step in steps if step.kind == "convolution"] == [1, 2, 2]
    assert all(step.output == step.inputs[0] for step in steps if step.name == "shared.0")
    assert [step.memory for step in steps if step.name == "shared.2"] == [0, 0], "in place"
    assert layers.parameters == sum(p.numel() for p in Odd().parameters())
    assert [step.parameters for step in steps if step.kind == "convolution"] == [36, 148, 0]
    assert [step.name for step in steps].count("shared.0") == 2
    assert layers.output == (8,)
    # The path starts where the shortcut leaves the trunk, and not before.
    assert [layer.kind for layer in layers.children][:5] == ["convolution", "max-pool", "branch", "shortcut", "add"]


@every_network
def test_outputs_and_times_are_those_of_the_steps(name, size):
    layers, model = architecture_layers(name, size), create_model(name).eval()
    x = torch.randn(1, 1, size, size)
    found = outputs(model, x)
    steps = sorted((step for step in layers.steps() if step.index is not None), key=lambda step: step.index)
    assert [tuple(tensor.shape[1:]) for tensor in found] == [step.output for step in steps]
    torch.testing.assert_close(found[-1], model(x))
    for before, after, step in zip(found, found[1:], steps[1:], strict=False):
        if step.kind == "ReLU" and step.memory == 0:  # in place, and yet what went in is still known
            assert (before < 0).any() and torch.equal(after, before.relu())
    times = milliseconds(model, x, runs=1)
    assert len(times) == len(steps) and min(times) > 0


def test_a_network_is_timed_once_for_all_who_ask():
    times = architecture_milliseconds("lenet5")
    assert architecture_milliseconds("lenet5", 28) is times is column("lenet5").milliseconds
    assert architecture_layers("lenet5", size=28) is architecture_layers("lenet5")


def test_memory_is_that_of_the_outputs():
    steps = {step.name: step for step in architecture_layers("alexnet").steps()}
    assert steps["features.0"].memory == 96 * 54 * 54 * 4
    assert steps["features.1"].memory == 0, "ReLU works in place"
    assert steps["flatten"].memory == 0, "a view"


def test_describing_leaves_no_hooks():
    model = create_model("lenet5")
    assert describe(model, 28) == describe(model, 28)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    with pytest.raises(RuntimeError):
        describe(model, 4)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_what_a_network_cannot_take_is_refused():
    with pytest.raises(ValueError, match="lenet5 takes images of 28 to 28 pixels a side, not 30"):
        architecture_layers("lenet5", 30)
    with pytest.raises(KeyError, match="known are"):
        architecture_layers("nonsense")
