"""Initialisations that a recipe can name, beside PyTorch's own."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from cnn_models.architectures.mini_resnet import ResidualBlock
from cnn_models.checkpoints.folder import read_weights
from training.recipes import INITS


def origin(name: str) -> Path | None:
    """The checkpoint folder that an initialisation names; None for one of `INITS`."""
    return Path(name) if name not in INITS and Path(name).is_dir() else None


def initialise(model: nn.Module, name: str) -> None:
    """Initialise weights in place.

    `default`: PyTorch's own. `xavier_uniform`: Glorot & Bengio 2010, biases as they are. `he`: He et al. 2015
    (arXiv:1502.01852), zero biases; the last convolution of a residual block starts at zero, so that every block starts
    as the identity (Goyal et al. 2017, arXiv:1706.02677). `lecun`: unit gain, zero biases (LeCun et al. 1998, Efficient
    BackProp). A checkpoint folder of the same architecture: its weights. Raises ValueError for another name,
    CheckpointError for a folder without a checkpoint.
    """
    if folder := origin(name):
        _copy_weights(folder, model)
    elif name not in INITS:
        raise ValueError(f"unknown initialisation {name!r}; known are {', '.join(INITS)} and folders of checkpoints")
    elif name != "default":
        _draw_weights(model, name)


def _draw_weights(model: nn.Module, name: str) -> None:
    for module in model.modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            continue
        if name == "xavier_uniform":
            nn.init.xavier_uniform_(module.weight)
        else:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu" if name == "he" else "linear")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    if name == "he":
        for block in model.modules():
            if isinstance(block, ResidualBlock) or getattr(block, "starts_as_identity", False):
                nn.init.zeros_(block.get_parameter("conv2.weight"))


def _copy_weights(folder: Path, model: nn.Module) -> None:
    weights, card = read_weights(folder)
    if {key: t.shape for key, t in weights.items()} != {key: t.shape for key, t in model.state_dict().items()}:
        raise ValueError(f"{folder} holds {card.id}, which is another network; start from one of the same")
    model.load_state_dict(weights)
