"""The comparison of an attack: one image changed to fool one network, and the predictions of all for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar

import numpy as np
import torch

from cnn_models.analysis.adversarial import NORMS, deepfool_in_grey_levels
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.predict import Prediction, predict_all

T = TypeVar("T")


class Run(Protocol):
    """A function such as `ModelHub.run`."""

    def __call__(self, id: str, use: Callable[[LoadedModel], T]) -> T: ...


@dataclass(frozen=True, eq=False)
class Attack:
    """A minimal perturbation in a norm of NORMS, and the predictions `before` and `after` it by checkpoint id.

    `change` is 28 x 28 floats from -1 to 1, in whole grey levels of 1/255, and `size` its norm: infinite, with a change
    of 0, where none was found.
    """

    attacked: str
    norm: str
    change: np.ndarray
    size: float
    before: Mapping[str, Prediction]
    after: Mapping[str, Prediction]

    @property
    def found(self) -> bool:
        return self.size < float("inf")

    @property
    def transfers_to(self) -> list[str]:
        """The other networks whose predictions change."""
        changed = [id for id, before in self.before.items() if before.label != self.after[id].label]
        return [id for id in changed if id != self.attacked]


def attack(run: Run, ids: Sequence[str], attacked: str, grid: np.ndarray, norm: str, target: int | None) -> Attack:
    """The attack on a network of `ids` for a 28 x 28 uint8 image, see `deepfool_in_grey_levels`.

    `run` runs a network by its id. Raises CheckpointError.
    """
    image = torch.tensor(grid)
    found = run(attacked, partial(deepfool_in_grey_levels, image=image, norm=norm, target=target))
    both = [grid, grid if found is None else found.numpy()]
    change = (both[1].astype(np.float32) - grid) / 255
    size = float("inf") if found is None else NORMS[norm].measure(torch.from_numpy(change).flatten()[None]).item()
    answers = {id: run(id, lambda loaded: predict_all(loaded, both)) for id in ids}
    before, after = ({id: pair[index] for id, pair in answers.items()} for index in range(2))
    return Attack(attacked, norm, change, size, before, after)
