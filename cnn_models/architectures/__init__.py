"""The registry: all architectures by name, in the order of their years.

`NAMES` can be read without torch; `ARCHITECTURES` imports the files of these names on first use.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from cnn_models.specs import Architecture, Registry, registry

if TYPE_CHECKING:
    from torch import nn

    ARCHITECTURES: Registry[Architecture]

NAMES = ("lenet5", "alexnet", "googlenet", "mini_inception", "mini_resnet")


@cache
def _specs() -> Registry[Architecture]:
    return registry(*(import_module(f"{__name__}.{name}").SPEC for name in NAMES))


def __getattr__(name: str) -> Registry[Architecture]:
    if name != "ARCHITECTURES":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _specs()


def create_model(name: str) -> nn.Module:
    """A freshly initialised network: N x 1 x S x S to logits N x 10. Raises UnknownName."""
    return _specs()[name].build()
