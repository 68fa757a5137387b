"""Minimal adversarial perturbations by DeepFool.

S. Moosavi-Dezfooli, A. Fawzi, P. Frossard: DeepFool: a simple and accurate method to fool deep neural networks, CVPR
2016, algorithm 2 and its extension to other norms. Changed here: a step is the smallest that keeps pixels between black
and white; only the CANDIDATES most probable classes are considered; and in the end the perturbation is shortened as far
as the prediction stays changed. As in the paper, the result is an upper bound of the smallest norm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from cnn_models.network import Network

CANDIDATES = 3  # classes considered in a step: with all nine, medians of LeNet-5 and Mini ResNet are 1 % lower at most
STEPS = 50  # after which a prediction counts as not changed
OVERSHOOT = 0.02  # of a step, beyond the linearised boundary, as in the paper
HALVINGS = 7  # of the interval in which the prediction changes: to 1 % of the norm
MARGIN = 1e-3  # of the interval, beyond that, as logits of other batches differ by rounding


class Norm(NamedTuple):
    """A norm of perturbations N x 784, and the direction in which it is smallest for gradients N x 784."""

    measure: Callable[[Tensor], Tensor]
    direction: Callable[[Tensor], Tensor]


NORMS = {
    "l2": Norm(lambda r: r.norm(dim=1), lambda w: w),
    "linf": Norm(lambda r: r.abs().amax(1), torch.sign),
}


class Adversarial(NamedTuple):
    """Perturbed images, N x 28 x 28 floats from 0 to 1, and the norm of each perturbation.

    Where none was found, the image is the original and the norm infinite.
    """

    images: Tensor
    norms: Tensor


def deepfool(net: Network, images: Tensor, norm: str = "l2", target: int | None = None) -> Adversarial:
    """The smallest perturbations found that change the predictions of a network for N x 28 x 28 floats from 0 to 1.

    `norm` is one of NORMS, in pixels from 0 to 1; `target` the class to be predicted, by default any other. An image
    that already has the target is not changed. The results are on the network's device.
    """
    images = images.to(net.device, torch.float32)
    before = _predicted(net, images)

    def is_changed(predicted: Tensor, rows: Tensor) -> Tensor:
        return predicted != before[rows] if target is None else predicted == target

    ends, found = images.clone(), torch.zeros(len(images), dtype=torch.bool, device=net.device)
    for _ in range(STEPS + 1):
        if not len(rows := (~found).nonzero().flatten()):
            break
        x = ends[rows].requires_grad_()
        logits = net.model(net.input(x))
        found[rows] = is_changed(logits.argmax(1), rows)
        if not found.all():
            step = _step(x, logits, NORMS[norm], target)
            ends[rows] = torch.where(found[rows, None, None], x, x + step).detach().clamp(0, 1)
    changed, norms = images.clone(), torch.full((len(images),), torch.inf, device=net.device)
    if len(rows := found.nonzero().flatten()):
        changed[rows] = _shortened(net, images[rows], ends[rows], lambda predicted: is_changed(predicted, rows))
        norms[rows] = NORMS[norm].measure((changed - images)[rows].flatten(1))
    return Adversarial(changed, norms)


def _shortened(net: Network, images: Tensor, ends: Tensor, is_changed: Callable[[Tensor], Tensor]) -> Tensor:
    """The images between the originals and the changed ones where the prediction has just changed, by bisection."""
    low, high = torch.zeros(len(images), 1, 1, device=net.device), torch.ones(len(images), 1, 1, device=net.device)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        changed = is_changed(_predicted(net, torch.lerp(images, ends, middle)))[:, None, None]
        low, high = torch.where(changed, low, middle), torch.where(changed, middle, high)
    return torch.lerp(images, ends, (high + MARGIN).clamp(max=1))


def _predicted(net: Network, images: Tensor) -> Tensor:
    return net.run(images).logits.argmax(1).to(net.device)


def _step(x: Tensor, logits: Tensor, norm: Norm, target: int | None) -> Tensor:
    """The smallest step, N x 28 x 28, to the linearised boundary with one of the other classes, or with the target."""
    gaps = _gaps(logits, target)
    steps, sizes = [], []
    for index, gap in enumerate(gaps.unbind(1)):
        (gradient,) = torch.autograd.grad(-gap.sum(), x, retain_graph=index + 1 < gaps.shape[1])
        steps.append(box_step(x.detach().flatten(1), gradient.flatten(1), gap.detach() * (1 + OVERSHOOT), norm))
        sizes.append(norm.measure(steps[-1]))
    best = torch.stack(sizes).argmin(0)
    return torch.stack(steps)[best, torch.arange(len(x), device=x.device)].view_as(x)


def _gaps(logits: Tensor, target: int | None) -> Tensor:
    """By how much the logit of the prediction exceeds those of the most probable other classes: N x CANDIDATES.

    With a target, N x 1: by how much the log-sum-exp of the other classes exceeds its logit. Their maximum would let
    the steps alternate between two of them.
    """
    if target is None:
        highest = logits.topk(CANDIDATES + 1).values
        return highest[:, :1] - highest[:, 1:]
    others = logits.new_zeros(logits.shape[1]).scatter(0, torch.tensor(target, device=logits.device), -torch.inf)
    return (logits + others).logsumexp(1, keepdim=True) - logits[:, target, None]


def box_step(x: Tensor, gradients: Tensor, gains: Tensor, norm: Norm) -> Tensor:
    """The steps r of least norm with `gradients · r = gains` and x + r from 0 to 1, for N rows of pixels.

    Each pixel moves in the norm's direction until it is black or white: the gain is piecewise linear in the length of
    the way, and its pieces begin where a pixel reaches its bound. Where the gain cannot be reached, all pixels do.
    """
    direction = norm.direction(gradients)
    slopes, speeds = gradients.abs(), direction.abs()
    room = torch.where(gradients > 0, 1 - x, x)
    ends, order = (room / speeds.clamp(min=1e-30)).sort(1)  # N x pixels: the length at which each reaches its bound
    finished = (slopes * room).gather(1, order).cumsum(1)  # gain of the pixels that have
    moving = (slopes * speeds).gather(1, order)
    moving = moving.sum(1, keepdim=True) - moving.cumsum(1)  # gain per length of those that have not
    first = (finished + ends * moving < gains[:, None]).sum(1, keepdim=True).clamp(max=x.shape[1] - 1)
    before = torch.cat([torch.zeros_like(finished[:, :1]), finished], 1).gather(1, first)
    rest = torch.cat([(slopes * speeds).sum(1, keepdim=True), moving], 1).gather(1, first)
    length = (gains[:, None] - before) / rest.clamp(min=1e-30)
    return (direction * length).clamp(-x, 1 - x)
