"""A small residual network for 28x28 images.

K. He, X. Zhang, S. Ren, J. Sun: Deep residual learning for image recognition, CVPR 2016, arXiv:1512.03385, figure 2.

Changed from the paper: no batch normalisation; two residual blocks, each after a plain 5x5 convolution and a max-pool;
a dense layer on the flattened maps instead of a global average.
"""

from torch import Tensor, nn
from torch.nn import functional as F

from cnn_models.specs import Architecture


class ResidualBlock(nn.Module):
    """relu(x + conv(relu(conv(x)))) with 3x3 convolutions: N x C x H x W to the same shape."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, kernel_size=3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.conv2(F.relu(self.conv1(x))))


class MiniResNet(nn.Module):
    """Tensor N x 1 x 28 x 28 to logits N x 10."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, kernel_size=5)
        self.block1 = ResidualBlock(16)
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5)
        self.block2 = ResidualBlock(32)
        self.pool = nn.MaxPool2d(2)
        self.output = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        # N x 1 x 28 x 28
        x = self.conv1(x)
        # N x 16 x 24 x 24
        x = F.relu(self.pool(x))
        # N x 16 x 12 x 12
        x = self.block1(x)
        # N x 16 x 12 x 12
        x = self.conv2(x)
        # N x 32 x 8 x 8
        x = F.relu(self.pool(x))
        # N x 32 x 4 x 4
        x = self.block2(x)
        # N x 32 x 4 x 4
        x = x.flatten(1)
        # N x 512
        return self.output(x)


SPEC = Architecture(
    name="mini_resnet",
    title="Mini ResNet",
    year=2016,
    paper="He, Zhang, Ren, Sun: Deep residual learning for image recognition, CVPR 2016",
    url="https://arxiv.org/abs/1512.03385",
    summary="Two residual blocks: the layers learn what to add to their input, which the shortcut carries on.",
    build=MiniResNet,
    input_size=28,
    sizes=range(28, 29),
)
