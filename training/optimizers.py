"""The optimisers that a recipe can name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import torch
from torch import Tensor, nn


class Muon(torch.optim.Optimizer):
    """torch's Muon for weights and AdamW for biases, at one learning rate, about that of AdamW.

    Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) makes the momentum of a matrix orthogonal; its learning
    rate is scaled as by Liu et al. 2025 (arXiv:2502.16982). The weights of a convolution, O x I x H x W in
    `channels_last`, are a matrix O x (H * W * I). `fused` is AdamW's.
    """

    def __init__(self, parameters: Iterable[Tensor], weight_decay: float = 0.01, fused: bool = False):
        parameters = list(parameters)
        biases = [p for p in parameters if p.ndim == 1]
        self.weights = [p for p in parameters if p.ndim > 1]
        matrices = [nn.Parameter(as_matrix(p.detach())) for p in self.weights]  # the same memory
        # lenet5 learns as well from three iterations as from torch's five, in two thirds of the time.
        scaled = {"momentum": 0.9, "ns_steps": 3, "adjust_lr_fn": "match_rms_adamw"}
        muon = torch.optim.Muon(matrices, weight_decay=weight_decay, **scaled)
        adamw = torch.optim.AdamW(biases, weight_decay=weight_decay, fused=fused)
        self.parts = muon, adamw
        super().__init__(muon.param_groups + adamw.param_groups, {})

    def zero_grad(self, set_to_none: bool = True) -> None:
        super().zero_grad(set_to_none)
        for weight in self.weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  there is no closure
        matrices, _ = self.param_groups
        for weight, matrix in zip(self.weights, matrices["params"], strict=True):
            matrix.grad = None if weight.grad is None else as_matrix(weight.grad)
        for part, group in zip(self.parts, self.param_groups, strict=True):
            part.state, part.param_groups = self.state, [group]  # `load_state_dict` replaces them
            part.step()


def as_matrix(weight: Tensor) -> Tensor:
    """A view of weights with a row per output: M x N unchanged, O x I x H x W in `channels_last` as O x (H * W * I)."""
    return weight if weight.ndim == 2 else weight.permute(0, 2, 3, 1).view(len(weight), -1)


OPTIMIZERS = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW, "muon": Muon}
MOMENTS = {"sgd": 0, "adamw": 2, "muon": 1}  # numbers that an optimiser keeps for a weight


def state_shapes(optimizer: torch.optim.Optimizer) -> dict[str, tuple[tuple[int, ...], torch.dtype]]:
    """Shape and type of each tensor in an optimizer's state after its first step, by index of parameter and name.

    They are those of its kind for parameters of one element each, as a tensor of the state is a scalar or as large as
    its parameter.
    """
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    small = [nn.Parameter(torch.zeros([1] * p.ndim)) for p in parameters]
    for parameter in small:
        parameter.grad = torch.zeros_like(parameter)
    twin = cast(Callable[[list], torch.optim.Optimizer], type(optimizer))(small)
    twin.step()
    return {
        f"{index}.{name}": (tuple(parameters[index].shape) if tensor.ndim else (), tensor.dtype)
        for index, values in twin.state_dict()["state"].items()
        for name, tensor in values.items()
        if isinstance(tensor, Tensor)
    }
