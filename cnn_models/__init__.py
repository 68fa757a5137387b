"""The classic CNNs, their checkpoints, and how to run and read them."""

import os

# OpenMP threads that spin while they wait slow two busy processes tenfold; read once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from cnn_models.datasets import DATASETS
from cnn_models.hub import ModelHub
from cnn_models.predict import compare
from cnn_models.specs import Architecture, Card, Dataset
from cnn_models.zoo import ARCHITECTURES, create_model

__all__ = ["ARCHITECTURES", "DATASETS", "Architecture", "Card", "Dataset", "ModelHub", "compare", "create_model"]
