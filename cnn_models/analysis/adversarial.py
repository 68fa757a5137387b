"""DeepFool: the algorithm that finds minimal adversarial perturbations.

S. Moosavi-Dezfooli, A. Fawzi, P. Frossard: DeepFool: a simple and accurate method to fool deep neural networks, CVPR
2016, algorithm 2 and its extension to other norms. Changed here: a step is the smallest that keeps pixels between black
and white; only the CANDIDATES most probable classes are considered; each step aims beyond the boundary, while the paper
enlarges the perturbation by OVERSHOOT at the end, which is the same for a linear network; and at last it is shortened
as far as the prediction stays changed. As in the paper, the result is an upper bound of the smallest norm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_models.network import Network

CANDIDATES = 3  # classes considered in a step, of the nine others; a test compares the medians
STEPS = 50  # after which the search ends
OVERSHOOT = 0.02  # of the image's own gap, beyond the linearised boundary: steps just to it would only converge to it
LEAST = 1e-3  # of an overshoot, in logits: well above their rounding
HALVINGS = 7  # of the interval in which the prediction changes: to 1 % of the norm
MARGIN = 1e-3  # of the interval, beyond that, as logits of other batches differ by rounding
GROWTH, ENLARGEMENTS = 1.05, 64  # factor, at most so often, until a perturbation survives the rounding to grey levels


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
    overshoot: Tensor | None = None
    for _ in range(STEPS + 1):
        if not len(rows := (~found).nonzero().flatten()):
            break
        x = ends[rows].requires_grad_()
        logits = net.model(net.input(x))
        gaps = _gaps(logits, target)
        if overshoot is None:  # of all images
            overshoot = (OVERSHOOT * gaps.detach().amin(1)).clamp(min=LEAST)
        found[rows] = is_changed(logits.argmax(1), rows)
        if not found.all():
            step = _step(x, gaps + overshoot[rows, None], NORMS[norm])
            ends[rows] = torch.where(found[rows, None, None], x, x + step).detach().clamp(0, 1)
    changed, norms = images.clone(), torch.full((len(images),), torch.inf, device=net.device)
    if len(rows := found.nonzero().flatten()):
        changed[rows] = _shortened(net, images[rows], ends[rows], lambda predicted: is_changed(predicted, rows))
        norms[rows] = NORMS[norm].measure((changed - images)[rows].flatten(1))
    return Adversarial(changed, norms)


def deepfool_in_grey_levels(net: Network, image: Tensor, norm: str = "l2", target: int | None = None) -> Tensor | None:
    """The 28 x 28 uint8 image near another that changes the prediction as `deepfool` does, on the CPU; None without.

    The perturbation is enlarged until the prediction changes after the rounding to 256 grey levels too.
    """
    original = image[None].float() / 255
    images, norms = deepfool(net, original, norm, target)
    if norms.isinf():
        return None
    scales = GROWTH ** torch.arange(ENLARGEMENTS)[:, None, None]
    rounded = (255 * (original + scales * (images.cpu() - original)).clamp(0, 1)).round().to(torch.uint8)
    before = _predicted(net, image[None])
    for part in rounded.split(ENLARGEMENTS // 4):  # mostly, the first suffices
        predicted = _predicted(net, part)
        if len(changed := (predicted != before if target is None else predicted == target).nonzero()):
            return part[changed[0, 0]]
    return None


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


def _step(x: Tensor, gaps: Tensor, norm: Norm) -> Tensor:
    """The smallest step, N x 28 x 28, by which one of the linearised gaps, N x classes, is closed."""
    steps, sizes = [], []
    for index, gap in enumerate(gaps.unbind(1)):
        (gradient,) = torch.autograd.grad(-gap.sum(), x, retain_graph=index + 1 < gaps.shape[1])
        steps.append(box_step(x.detach().flatten(1), gradient.flatten(1), gap.detach(), norm))
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
    room = torch.where(gradients > 0, 1 - x, x).where(slopes > 0, 0)  # a pixel without gradient does not move
    ends, order = (room / speeds.clamp(min=1e-30)).sort(1)  # N x pixels: the length at which each reaches its bound
    # N x (pixels + 1): the gain of the first k pixels at their bounds, and the gain per length of all others. Summed
    # from the end, as the difference of two sums can be negative by rounding.
    finished = F.pad((slopes * room).gather(1, order).cumsum(1), (1, 0))
    moving = F.pad((slopes * speeds).gather(1, order).flip(1).cumsum(1).flip(1), (0, 1))
    first = (finished[:, 1:] + ends * moving[:, 1:] < gains[:, None]).sum(1, keepdim=True).clamp(max=x.shape[1] - 1)
    length = (gains[:, None] - finished.gather(1, first)) / moving.gather(1, first).clamp(min=1e-30)
    return (direction * length).clamp(-x, 1 - x)
