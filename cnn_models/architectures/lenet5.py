"""LeNet-5.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition,
Proceedings of the IEEE 86(11), 1998, section II.B.

Changed from the paper: the input is 28x28 padded by 2 rather than 32x32; C3 is connected to all six maps of S2, not to
the subsets of table I; S2 and S4 average without trained coefficient, bias and squashing; tanh is not scaled by
1.7159; the output is linear (for softmax) rather than ten Gaussian radial-basis units.
"""

from torch import Tensor, nn

from cnn_models.specs import Architecture


class LeNet5(nn.Module):
    """Tensor N x 1 x 28 x 28 to logits N x 10."""

    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)
        self.pool = nn.AvgPool2d(2)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        # N x 1 x 28 x 28
        x = self.c1(x).tanh()
        # N x 6 x 28 x 28
        x = self.pool(x)
        # N x 6 x 14 x 14
        x = self.c3(x).tanh()
        # N x 16 x 10 x 10
        x = self.pool(x)
        # N x 16 x 5 x 5
        x = self.c5(x).tanh()
        # N x 120 x 1 x 1
        x = x.flatten(1)
        # N x 120
        x = self.f6(x).tanh()
        # N x 84
        return self.output(x)


SPEC = Architecture(
    name="lenet5",
    title="LeNet-5",
    year=1998,
    paper="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998",
    url="https://doi.org/10.1109/5.726791",
    summary="Convolution, pooling, convolution, pooling, dense: the pattern every later network follows.",
    build=LeNet5,
    input_size=28,
    sizes=range(28, 29),
)
