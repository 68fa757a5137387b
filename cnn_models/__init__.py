"""Classic CNNs: architectures, data sets, checkpoints, predictions and analyses."""

import os
from importlib import import_module
from typing import TYPE_CHECKING

# OpenMP threads that spin while they wait slow two busy processes tenfold; those that sleep at once wake slowly. Hence
# they spin for some 30 microseconds, then sleep. Read when torch is first imported.
if os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE").upper() == "PASSIVE":
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")

if TYPE_CHECKING:
    from cnn_models.architectures import ARCHITECTURES, create_model
    from cnn_models.datasets import DATASETS
    from cnn_models.hub.model_hub import ModelHub
    from cnn_models.predict import compare
    from cnn_models.specs import Architecture, Card, Dataset

__all__ = ["ARCHITECTURES", "DATASETS", "Architecture", "Card", "Dataset", "ModelHub", "compare", "create_model"]

_MODULES = {
    "ARCHITECTURES": "architectures", "DATASETS": "datasets", "Architecture": "specs", "Card": "specs",
    "Dataset": "specs", "ModelHub": "hub.model_hub", "compare": "predict", "create_model": "architectures",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """A public name, imported on first use: the worker that decodes images starts without torch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
