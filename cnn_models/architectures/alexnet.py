"""AlexNet, on one tower and one grey channel.

A. Krizhevsky, I. Sutskever, G. Hinton: ImageNet classification with deep convolutional neural networks, NIPS 2012.

Changed from the paper: one tower instead of two halves on two GPUs, so no grouped convolutions; 1 channel and 10
classes instead of 3 and 1000; padding 1 in the first convolution (224 -> 54); no local response normalisation.
Added: an adaptive pool before the dense layers, which is the identity at 224 and allows smaller images.
"""

from torch import Tensor, nn

from cnn_models.specs import Architecture


class AlexNet(nn.Module):
    """Tensor N x 1 x 224 x 224 (or any size from 65 up) to logits N x 10."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            # N x 1 x 224 x 224
            nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1), nn.ReLU(inplace=True),
            # N x 96 x 54 x 54
            nn.MaxPool2d(3, stride=2),
            # N x 96 x 26 x 26
            nn.Conv2d(96, 256, kernel_size=5, padding=2), nn.ReLU(inplace=True),
            # N x 256 x 26 x 26
            nn.MaxPool2d(3, stride=2),
            # N x 256 x 12 x 12
            nn.Conv2d(256, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            # N x 384 x 12 x 12
            nn.Conv2d(384, 384, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            # N x 384 x 12 x 12
            nn.Conv2d(384, 256, kernel_size=3, padding=1), nn.ReLU(inplace=True),
            # N x 256 x 12 x 12
            nn.MaxPool2d(3, stride=2),
            # N x 256 x 5 x 5
        )  # fmt: skip
        self.fit = nn.AdaptiveAvgPool2d(5)
        self.classifier = nn.Sequential(
            # N x 6400
            nn.Linear(6400, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
            # N x 4096
            nn.Linear(4096, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5),
            # N x 4096
            nn.Linear(4096, 10),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        # MPS cannot average 2 x 2 into 5 x 5.
        x = self.fit(x.cpu()).to(x.device) if x.device.type == "mps" and x.shape[-1] % 5 else self.fit(x)
        # N x 256 x 5 x 5
        return self.classifier(x.flatten(1))


SPEC = Architecture(
    name="alexnet",
    title="AlexNet",
    year=2012,
    paper="Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional neural networks, 2012",
    url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
    summary="LeNet made deeper and much wider, with ReLU, max-pooling and dropout.",
    build=AlexNet,
    input_size=224,
    sizes=range(65, 513),
)
