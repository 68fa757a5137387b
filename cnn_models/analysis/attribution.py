"""Where a network looked: Grad-CAM and occlusion, through captum, over the 28 x 28 image."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from cnn_models.network import Network, shared_copy

LEAST = 4  # places along a side; on fewer there is no telling one from another
WINDOW, STRIDE = 7, 3  # pixels of 28 that are blackened at once, and by which the window moves: 64 places
AT_ONCE = 16


class Saliency(NamedTuple):
    """Two 28 x 28 maps of float32.

    `cam`: Selvaraju et al. 2017, Grad-CAM, eq. 1 and 2, as shares that sum to 1 (or 0 where nothing speaks for the
    class). `occlusion`: Zeiler and Fergus 2014, section 4.2: the probability that is lost where a square is black.
    """

    cam: np.ndarray
    occlusion: np.ndarray


def explain(net: Network, grid: np.ndarray, label: str) -> Saliency:
    """What in a 28 x 28 uint8 image speaks for a class. Raises ValueError for a class that the card does not have."""
    from captum.attr import LayerAttribution, LayerGradCam, Occlusion  # only who asks pays for the import

    card = net.card
    if label not in card.classes:
        raise ValueError(f"{label!r:.40} is not a class of {card.dataset}; those are {', '.join(card.classes)}")
    target, side = card.classes.index(label), grid.shape[0]
    net = replace(net, model=shared_copy(net.model))  # captum hooks into it while others may be using the network
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
    """The last layer whose output still has places to tell apart."""
    found: list[nn.Module] = []

    def note(module: nn.Module, _: object, output: Tensor) -> None:
        if output.ndim == 4 and min(output.shape[2:]) >= LEAST:
            found.append(module)

    hooks = [module.register_forward_hook(note) for module in model.modules() if module is not model]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return found[-1]
