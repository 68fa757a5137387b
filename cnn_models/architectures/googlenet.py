"""GoogLeNet (Inception v1), 22 layers.

C. Szegedy et al.: Going deeper with convolutions, CVPR 2015, arXiv:1409.4842, table 1.

Changed from the paper: 1 channel and 10 classes instead of 3 and 1000; no auxiliary classifiers, no local response
normalisation, no dropout before the last layer. The global average pool allows any size from 32 up.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_models.specs import Architecture

# Table 1 of the paper: channels into the block, of the 1x1, of the 3x3 (reduced, out), of the 5x5 (reduced, out) and
# of the pooled branch.
BLOCKS = {
    "3a": (192, 64, (96, 128), (16, 32), 32),
    "3b": (256, 128, (128, 192), (32, 96), 64),
    "4a": (480, 192, (96, 208), (16, 48), 64),
    "4b": (512, 160, (112, 224), (24, 64), 64),
    "4c": (512, 128, (128, 256), (24, 64), 64),
    "4d": (512, 112, (144, 288), (32, 64), 64),
    "4e": (528, 256, (160, 320), (32, 128), 128),
    "5a": (832, 256, (160, 320), (32, 128), 128),
    "5b": (832, 384, (192, 384), (48, 128), 128),
}


class Inception(nn.Module):
    """Four branches side by side, joined on channels: N x C x H x W to N x (sum of the branches) x H x W."""

    def __init__(self, channels: int, one: int, three: tuple[int, int], five: tuple[int, int], pooled: int):
        super().__init__()
        self.one = nn.Conv2d(channels, one, kernel_size=1)
        self.three_reduce = nn.Conv2d(channels, three[0], kernel_size=1)
        self.three = nn.Conv2d(*three, kernel_size=3, padding=1)
        self.five_reduce = nn.Conv2d(channels, five[0], kernel_size=1)
        self.five = nn.Conv2d(*five, kernel_size=5, padding=2)
        self.pool = nn.MaxPool2d(3, stride=1, padding=1)
        self.pooled = nn.Conv2d(channels, pooled, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        one = F.relu(self.one(x))
        three = F.relu(self.three(F.relu(self.three_reduce(x))))
        five = F.relu(self.five(F.relu(self.five_reduce(x))))
        pooled = F.relu(self.pooled(self.pool(x)))
        return torch.cat([one, three, five, pooled], dim=1)


class GoogLeNet(nn.Module):
    """Tensor N x 1 x S x S, S from 32 up (shapes below for 96), to logits N x 10."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3)
        self.conv2_reduce = nn.Conv2d(64, 64, kernel_size=1)
        self.conv2 = nn.Conv2d(64, 192, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        self.inception3a = Inception(*BLOCKS["3a"])
        self.inception3b = Inception(*BLOCKS["3b"])
        self.inception4a = Inception(*BLOCKS["4a"])
        self.inception4b = Inception(*BLOCKS["4b"])
        self.inception4c = Inception(*BLOCKS["4c"])
        self.inception4d = Inception(*BLOCKS["4d"])
        self.inception4e = Inception(*BLOCKS["4e"])
        self.inception5a = Inception(*BLOCKS["5a"])
        self.inception5b = Inception(*BLOCKS["5b"])
        self.average = nn.AdaptiveAvgPool2d(1)
        self.output = nn.Linear(1024, 10)

    def forward(self, x: Tensor) -> Tensor:
        # N x 1 x 96 x 96
        x = F.relu(self.conv1(x))
        # N x 64 x 48 x 48
        x = self.pool(x)
        # N x 64 x 24 x 24
        x = F.relu(self.conv2_reduce(x))
        # N x 64 x 24 x 24
        x = F.relu(self.conv2(x))
        # N x 192 x 24 x 24
        x = self.pool(x)
        # N x 192 x 12 x 12
        x = self.inception3b(self.inception3a(x))
        # N x 480 x 12 x 12
        x = self.pool(x)
        # N x 480 x 6 x 6
        x = self.inception4c(self.inception4b(self.inception4a(x)))
        # N x 512 x 6 x 6
        x = self.inception4e(self.inception4d(x))
        # N x 832 x 6 x 6
        x = self.pool(x)
        # N x 832 x 3 x 3
        x = self.inception5b(self.inception5a(x))
        # N x 1024 x 3 x 3
        x = self.average(x)
        # N x 1024 x 1 x 1
        return self.output(x.flatten(1))


SPEC = Architecture(
    name="googlenet",
    title="GoogLeNet",
    year=2014,
    paper="Szegedy et al.: Going deeper with convolutions, CVPR 2015",
    url="https://arxiv.org/abs/1409.4842",
    summary="Several kernel sizes side by side, 1×1 convolutions to pay for them, an average in place of dense layers.",
    build=GoogLeNet,
    input_size=96,
    sizes=range(32, 513),
)
