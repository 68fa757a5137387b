"""The networks of the depth study: 6n + 2 layers, with or without shortcuts, with or without batch normalisation.

K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385, section 4.2:
three stages of n blocks of two 3x3 convolutions, of 16, 32 and 64 channels; each stage but the first halves the side.

Changed from the paper: one grey channel and 28 x 28 images instead of three and 32 x 32.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Two convolutions, N x C x S x S to N x `out` x S/stride x S/stride, with or without a shortcut around them.

    The shortcut has no parameters (option A of the paper): every stride-th pixel, and zeros for new channels.
    """

    def __init__(self, channels: int, out: int, shortcut: bool, norm: bool):
        super().__init__()
        self.stride = out // channels
        self.shortcut = shortcut
        # Otherwise the variance doubles with every block, and 27 of them cannot be trained (Zhang et al. 2019: Fixup
        # initialization, arXiv:1901.09321). Batch normalisation bounds it by itself.
        self.starts_as_identity = shortcut and not norm
        self.conv1 = nn.Conv2d(channels, out, kernel_size=3, stride=self.stride, padding=1, bias=not norm)
        self.norm1 = nn.BatchNorm2d(out) if norm else nn.Identity()
        self.conv2 = nn.Conv2d(out, out, kernel_size=3, padding=1, bias=not norm)
        self.norm2 = nn.BatchNorm2d(out) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        y = self.norm2(self.conv2(y))
        if self.shortcut:
            x = x[:, :, :: self.stride, :: self.stride]
            y = y + F.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))
        return F.relu(y)


class DeepNet(nn.Module):
    """Input tensor N x 1 x 28 x 28 to logits N x 10. Raises ValueError for a depth other than 6n + 2."""

    def __init__(self, depth: int, shortcuts: bool, norm: bool):
        super().__init__()
        n, rest = divmod(depth - 2, 6)
        if n < 1 or rest:
            raise ValueError(f"a network of this layout has 6n + 2 layers (8, 14, 20, ...), not {depth}")
        self.conv = nn.Conv2d(1, 16, kernel_size=3, padding=1, bias=not norm)
        self.norm = nn.BatchNorm2d(16) if norm else nn.Identity()
        channels = [16] * (n + 1) + [32] * n + [64] * n
        self.blocks = nn.Sequential(*(Block(*pair, shortcuts, norm) for pair in pairwise(channels)))
        self.output = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        # N x 1 x 28 x 28
        x = F.relu(self.norm(self.conv(x)))
        # N x 16 x 28 x 28
        x = self.blocks(x)
        # N x 64 x 7 x 7
        return self.output(x.mean((2, 3)))


def gradient_norms(model: nn.Module, x: Tensor, labels: Tensor) -> list[float]:
    """The L2 norms of the loss's gradients with respect to each layer's weights, first layer first, on one batch."""
    model.zero_grad()
    F.cross_entropy(model(x), labels).backward()
    weights = [module.weight for module in model.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    norms = torch.stack([weight.grad.norm() for weight in weights if weight.grad is not None]).tolist()
    model.zero_grad()
    return norms
