"""A small Inception network for 28x28 images.

The block is that of C. Szegedy et al.: Going deeper with convolutions, CVPR 2015, arXiv:1409.4842, in the variant with
two 3x3 convolutions of C. Szegedy et al.: Rethinking the Inception architecture, CVPR 2016, arXiv:1512.00567, figure 5.

Changed from the papers: average- instead of max-pooling in the fourth branch; no activation inside the branches, so
that a block is linear; two blocks.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_models.specs import Architecture


class InceptionA(nn.Module):
    """Four linear branches side by side: N x C x H x W to N x 88 x H x W (16 + 24 + 24 + 24 channels)."""

    def __init__(self, channels: int):
        super().__init__()
        self.one = nn.Conv2d(channels, 16, kernel_size=1)
        self.five_reduce = nn.Conv2d(channels, 16, kernel_size=1)
        self.five = nn.Conv2d(16, 24, kernel_size=5, padding=2)
        self.three_reduce = nn.Conv2d(channels, 16, kernel_size=1)
        self.three_1 = nn.Conv2d(16, 24, kernel_size=3, padding=1)
        self.three_2 = nn.Conv2d(24, 24, kernel_size=3, padding=1)
        self.pool = nn.AvgPool2d(3, stride=1, padding=1)
        self.pooled = nn.Conv2d(channels, 24, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        one = self.one(x)
        five = self.five(self.five_reduce(x))
        three = self.three_2(self.three_1(self.three_reduce(x)))
        pooled = self.pooled(self.pool(x))
        return torch.cat([one, five, three, pooled], dim=1)


class MiniInception(nn.Module):
    """Tensor N x 1 x 28 x 28 to logits N x 10."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=5)
        self.inception1 = InceptionA(10)
        self.conv2 = nn.Conv2d(88, 20, kernel_size=5)
        self.inception2 = InceptionA(20)
        self.pool = nn.MaxPool2d(2)
        self.output = nn.Linear(1408, 10)

    def forward(self, x: Tensor) -> Tensor:
        # N x 1 x 28 x 28
        x = self.conv1(x)
        # N x 10 x 24 x 24
        x = F.relu(self.pool(x))
        # N x 10 x 12 x 12
        x = self.inception1(x)
        # N x 88 x 12 x 12
        x = self.conv2(x)
        # N x 20 x 8 x 8
        x = F.relu(self.pool(x))
        # N x 20 x 4 x 4
        x = self.inception2(x)
        # N x 88 x 4 x 4
        return self.output(x.flatten(1))


SPEC = Architecture(
    name="mini_inception",
    title="Mini Inception",
    year=2015,
    paper="Szegedy et al.: Going deeper with convolutions, CVPR 2015",
    url="https://arxiv.org/abs/1409.4842",
    summary="Two linear Inception blocks: what running kernels side by side gains at 28×28.",
    build=MiniInception,
    input_size=28,
    sizes=range(28, 29),
)
