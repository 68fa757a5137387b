"""The similarity of the layers of two networks by linear CKA (centred kernel alignment).

S. Kornblith, M. Norouzi, H. Lee, G. Hinton: Similarity of neural network representations revisited, ICML 2019. It is 1
for layers whose features differ by a rotation, a shift and a factor alone, and 0 for independent ones.

In minibatches with the unbiased HSIC, as T. Nguyen, M. Raghu, S. Kornblith: Do wide and deep networks learn the same
things?, ICLR 2021, section 3: the biased one approaches 1 where a layer has more features than there are images, as
AlexNet's first has, and Gram matrices of all images would take memory with the square of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from cnn_models.layers import Layer, architecture_layers, outputs
from cnn_models.network import Network

MEMORY = 2 * 10**8  # bytes of all activations of a forward pass, which are in memory twice


class Compared(NamedTuple):
    """A layer with weights, by the name of its row on the Layers tab, and the index of the step with its features."""

    name: str
    step: int


def compared_layers(architecture: str) -> list[Compared]:
    """The convolutions, linear layers and blocks of an architecture, in order.

    Their features are what the next of them receives: after activation and pooling; of the last one, the logits.
    """
    found: list[Compared] = []
    for layer in architecture_layers(architecture).children:
        if layer.depth:
            found.append(Compared(layer.name, 0))
        if found:
            found[-1] = found[-1]._replace(step=_last_step(layer))
    return found


def _last_step(layer: Layer) -> int:
    return max(step.index for step in layer.steps() if step.index is not None)


def features(net: Network, images: Tensor) -> list[Tensor]:
    """The features of each of the `compared_layers` for images as `Network.run` takes them: N x C x H x W, or N x C.

    On the network's device.
    """
    steps = [layer.step for layer in compared_layers(net.card.architecture)]
    memory = architecture_layers(net.card.architecture, net.card.input_size).memory
    parts = []
    for part in images.split(max(1, MEMORY // memory)):
        found = outputs(net.model, net.input(part))
        parts.append([found[step] for step in steps])
    return [torch.cat(each) for each in zip(*parts, strict=True)]


def u_centred(features: Tensor) -> Tensor:
    """The U-centred Gram matrix of features N x ..., as a vector of N² values in float32.

    The inner product of two of them is N (N - 3) times the unbiased HSIC (L. Song et al.: Feature selection via
    dependence maximization, JMLR 2012, eq. 5; for U-centring, G. Székely, M. Rizzo, 2014, section 2). N is at least 4.
    """
    count, flat = len(features), features.flatten(1).float()
    flat = flat - flat.mean(0)  # changes nothing but the rounding
    gram = (flat @ flat.T).cpu().double().fill_diagonal_(0)
    sums = gram.sum(1) / (count - 2)
    gram += sums.sum() / (count - 1) - sums - sums[:, None]
    return gram.fill_diagonal_(0).flatten().float()


def representation(batches: Sequence[Sequence[Tensor]]) -> Tensor:
    """What `cka` compares, layers x D of unit length, from the `u_centred` of each layer in each of several batches."""
    return F.normalize(torch.stack([torch.cat(layer) for layer in zip(*batches, strict=True)]), dim=1)


def cka(first: Tensor, second: Tensor) -> Tensor:
    """The linear CKA of each layer of a network (rows) and of another (columns), from their `representation`.

    Both are of the same images in the same batches. At most 1; around 0 it may be negative, as it is unbiased.
    """
    return first @ second.T
