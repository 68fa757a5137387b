"""The classic CNNs, their checkpoints, and how to run and read them."""

import os

# OpenMP threads that spin while they wait slow two busy processes tenfold; read once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from torch import nn

from cnn_models import alexnet, googlenet, lenet, mini_inception, mini_resnet
from cnn_models.datasets import DATASETS
from cnn_models.specs import Architecture, Card, Dataset, registry

ARCHITECTURES = registry(lenet.SPEC, alexnet.SPEC, googlenet.SPEC, mini_inception.SPEC, mini_resnet.SPEC)


def create_model(name: str) -> nn.Module:
    """A freshly initialised network: N x 1 x S x S to logits N x 10. Raises KeyError with the known names."""
    if name not in ARCHITECTURES:
        raise KeyError(f"unknown architecture {name!r}; known are {', '.join(ARCHITECTURES)}")
    return ARCHITECTURES[name].build()


__all__ = ["ARCHITECTURES", "DATASETS", "Architecture", "Card", "Dataset", "create_model"]
