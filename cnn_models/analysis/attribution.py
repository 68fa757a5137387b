"""Saliency maps by captum: Grad-CAM and occlusion, over the 28 x 28 image."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from cnn_models.network import Network, shared_copy

LEAST = 4  # values along a side of a feature map for Grad-CAM; fewer do not localise
WINDOW, STRIDE = 7, 3  # pixels of the black window and of its step: 64 positions
AT_ONCE = 16


class Saliency(NamedTuple):
    """Two 28 x 28 maps of float32.

    `cam`: Selvaraju et al. 2017, Grad-CAM, eq. 1 and 2, normalised to sum 1 (0 where no value is positive).
    `occlusion`: Zeiler and Fergus 2014, section 4.2: by how much the probability falls where a square is black.
    """

    cam: np.ndarray
    occlusion: np.ndarray


def explain(net: Network, grid: np.ndarray, label: str) -> Saliency:
    """The saliency maps of a 28 x 28 uint8 image for a class. Raises ValueError for a class that the card lacks."""
    from captum.attr import LayerAttribution, LayerGradCam, Occlusion  # a slow import

    card = net.card
    if label not in card.classes:
        raise ValueError(f"{label!r:.40} is not a class of {card.dataset}; those are {', '.join(card.classes)}")
    target, side = card.classes.index(label), grid.shape[0]
    net = replace(net, model=shared_copy(net.model))  # for captum's hooks
    image = torch.tensor(grid, device=net.device)[None, None].float() / 255  # 1 x 1 x 28 x 28
    x = net.input(image).requires_grad_()
    cam = LayerGradCam(net.model, last_stage(net.model, x)).attribute(x, target, relu_attributions=True)
    cam = LayerAttribution.interpolate(cast(Tensor, cam).detach(), (side, side), "bilinear")[0, 0]

    def probabilities(images: Tensor) -> Tensor:
        return net.run(images).probabilities.to(images)

    with torch.no_grad():
        lost = Occlusion(probabilities).attribute(
            image, (1, WINDOW, WINDOW), (1, STRIDE, STRIDE), target=target, perturbations_per_eval=AT_ONCE
        )[0, 0]
    return Saliency((cam / cam.sum().clamp(min=1e-12)).cpu().numpy(), lost.float().cpu().numpy())


def last_stage(model: nn.Module, x: Tensor) -> nn.Module:
    """The last layer whose output is a feature map of at least LEAST x LEAST, for an input N x 1 x S x S."""
    found: list[nn.Module] = []

    def record(module: nn.Module, _: object, output: Tensor) -> None:
        if output.ndim == 4 and min(output.shape[2:]) >= LEAST:
            found.append(module)

    hooks = [module.register_forward_hook(record) for module in model.modules() if module is not model]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return found[-1]
