"""The registry: all architectures by name, in the order of their years."""

from torch import nn

from cnn_models.architectures import alexnet, googlenet, lenet, mini_inception, mini_resnet
from cnn_models.specs import registry

ARCHITECTURES = registry(lenet.SPEC, alexnet.SPEC, googlenet.SPEC, mini_inception.SPEC, mini_resnet.SPEC)


def create_model(name: str) -> nn.Module:
    """A freshly initialised network: N x 1 x S x S to logits N x 10. Raises UnknownName."""
    return ARCHITECTURES[name].build()
