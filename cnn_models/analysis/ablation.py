"""Branch ablation: networks without a branch of an Inception block, or the shortcut or the F of a residual block."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_models.architectures import googlenet, mini_inception, mini_resnet
from cnn_models.network import Network, shared_copy


class PlainBlock(nn.Module):
    """A residual block without its shortcut: relu(conv(relu(conv(x)))), with the block's own convolutions."""

    def __init__(self, block: mini_resnet.ResidualBlock):
        super().__init__()
        self.conv1, self.conv2 = block.conv1, block.conv2

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(F.relu(self.conv1(x))))


# The convolutions of each branch, first to last; the output of the last is set to zero in an ablation.
BRANCHES: dict[type[nn.Module], dict[str, tuple[str, ...]]] = {
    mini_inception.InceptionA: {
        "1×1": ("one",),
        "5×5": ("five_reduce", "five"),
        "3×3": ("three_reduce", "three_1", "three_2"),
        "pool": ("pooled",),
    },
    googlenet.Inception: {
        "1×1": ("one",),
        "3×3": ("three_reduce", "three"),
        "5×5": ("five_reduce", "five"),
        "pool": ("pooled",),
    },
    mini_resnet.ResidualBlock: {"F": ("conv1", "conv2")},
    PlainBlock: {"F": ("conv1", "conv2")},
}
SHORTCUT = "shortcut"
WHOLE_BELOW = 10**8  # MACs of networks that take only seconds for the test set


def blocks(model: nn.Module) -> dict[str, nn.Module]:
    """The blocks of a network that have branches to ablate, by name."""
    return {name: module for name, module in model.named_modules() if type(module) in BRANCHES}


def parts(model: nn.Module) -> list[str]:
    """The branches of a network that can be ablated, as `block/branch`."""
    found = []
    for name, block in blocks(model).items():
        found += [f"{name}/{branch}" for branch in BRANCHES[type(block)]]
        found += [f"{name}/{SHORTCUT}"] * isinstance(block, mini_resnet.ResidualBlock)
    return found


def without(model: nn.Module, off: Collection[str]) -> nn.Module:
    """A copy of a network, sharing its weights, without some of its `parts`. Raises KeyError for other names."""
    model = shared_copy(model)
    for part in off:
        name, branch = part.split("/")
        block = blocks(model)[name]
        if branch == SHORTCUT and isinstance(block, mini_resnet.ResidualBlock):
            model.set_submodule(name, PlainBlock(block))
        else:
            block.get_submodule(BRANCHES[type(block)][branch][-1]).register_forward_hook(_zero)
    return model


def _zero(module: nn.Module, inputs: tuple, output: Tensor) -> Tensor:
    return torch.zeros_like(output).requires_grad_(output.requires_grad)  # so that it has a derivative


def sizes(weights: dict[str, Tensor], model: nn.Module) -> dict[str, float]:
    """The root mean square of the convolution weights of each branch, by part; `weights` are a state of `model`.

    Not their L2 norm, which grows with the number of weights and would favour large kernels.
    """
    found = {}
    for name, block in blocks(model).items():
        for branch, layers in BRANCHES[type(block)].items():
            weight = torch.cat([weights[f"{name}.{layer}.weight"].float().flatten() for layer in layers])
            found[f"{name}/{branch}"] = weight.square().mean().sqrt().item()
    return found


def derivatives(net: Network, grid: np.ndarray, label: int) -> dict[str, tuple[float, float, float]]:
    """For each residual block the norms of the derivative of a logit by its input: through F, the shortcut, and both.

    With H = F(x) + x, dL/dx = dL/dH (dF/dx + 1): the second is that of dL/dH times the 1 (He et al. 2016, Identity
    mappings in deep residual networks, eq. 5). `grid` is 28 x 28 uint8. Parts of the network may be ablated.
    """
    model = shared_copy(net.model)
    residual = {n: b for n, b in blocks(model).items() if isinstance(b, mini_resnet.ResidualBlock | PlainBlock)}
    inputs: dict[nn.Module, Tensor] = {}
    outputs: dict[nn.Module, Tensor] = {}

    def record(layer: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        inputs[layer], outputs[layer] = args[0], output

    for block in residual.values():
        block.conv1.register_forward_hook(record)
        block.conv2.register_forward_hook(record)
    logit = model(net.input(torch.tensor(grid)[None]).requires_grad_())[0, label]
    ends = [inputs[block.conv1] for block in residual.values()], [outputs[block.conv2] for block in residual.values()]
    both = torch.autograd.grad(logit, [*ends[0], *ends[1]], materialize_grads=True)
    found = {}
    for index, (name, block) in enumerate(residual.items()):
        whole, straight = both[index], both[index + len(residual)] * (not isinstance(block, PlainBlock))
        found[name] = ((whole - straight).norm().item(), straight.norm().item(), whole.norm().item())
    return found
