"""What networks answer to many pictures, and how much of it is right."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnn_models.images.preprocess import to_input
from training.data import Pictures


@torch.no_grad()
def predict_logits(model: nn.Module, images: Tensor, size: int, mean: float, std: float, batch: int = 500) -> Tensor:
    """The logits, N x 10, of a network in evaluation mode for pictures N x 28 x 28 (uint8) on its device."""
    was_training = model.training
    model.eval()
    logits = torch.cat([model(to_input(part, size, mean, std)) for part in images.split(batch)])
    model.train(was_training)
    return logits


def score(logits: Tensor, labels: Tensor) -> dict[str, float]:
    """`loss` (mean cross-entropy in nats) and `accuracy` (percent)."""
    right = (logits.argmax(1) == labels).sum().item()
    return {"loss": F.cross_entropy(logits, labels).item(), "accuracy": 100 * right / len(labels)}


def measure(model: nn.Module, pictures: Pictures, size: int, mean: float, std: float) -> dict[str, float]:
    """The `score` of a network in evaluation mode."""
    return score(predict_logits(model, pictures.images, size, mean, std), pictures.labels)
