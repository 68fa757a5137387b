"""The classic CNNs, their checkpoints, and how to run and read them."""

import os

# OpenMP threads that spin while they wait slow two busy processes tenfold, those that sleep at once are slow to wake:
# they spin for some 30 microseconds, then sleep. Read once, when torch is first imported.
if os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE").upper() == "PASSIVE":
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

from cnn_models.datasets import DATASETS
from cnn_models.hub import ModelHub
from cnn_models.predict import compare
from cnn_models.specs import Architecture, Card, Dataset
from cnn_models.zoo import ARCHITECTURES, create_model

__all__ = ["ARCHITECTURES", "DATASETS", "Architecture", "Card", "Dataset", "ModelHub", "compare", "create_model"]
