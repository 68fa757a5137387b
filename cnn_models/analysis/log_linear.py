"""The log-linear ensemble of the predictions for an image, with the factors in `averaged.json`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Self

import torch

from cnn_models.analysis.averaged import read_averaged
from cnn_models.analysis.ensemble import logits_of, weighted
from cnn_models.analysis.verdict import Prediction
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.hub.model_hub import ModelHub


@dataclass(frozen=True)
class LogLinear:
    """The prediction of the log-linear ensemble: the likeliest class, and the probabilities by class.

    `factors` are the networks' weighting factors by checkpoint id. See `analysis.ensemble`.
    """

    label: str
    probabilities: dict[str, float]
    factors: dict[str, float]

    @classmethod
    def of(cls, predictions: Sequence[Prediction], factors: Mapping[str, float]) -> Self:
        """The ensemble of predictions for one image, with their factors by id."""
        shares = torch.tensor([[*each.probabilities.values()] for each in predictions], dtype=torch.float64)
        temperatures = torch.tensor([[each.temperature] for each in predictions], dtype=torch.float64)
        own = {each.id: factors[each.id] for each in predictions}
        logits = weighted(logits_of(shares, temperatures), torch.tensor([*own.values()], dtype=torch.float64))
        probabilities = dict(zip(predictions[0].probabilities, logits.softmax(0).tolist(), strict=True))
        return cls(max(probabilities, key=probabilities.__getitem__), probabilities, own)

    def to_dict(self) -> dict:
        return asdict(self)


def factors_of(hub: ModelHub, dataset: str, ids: Collection[str]) -> dict[str, float]:
    """The factors of networks by checkpoint id; empty unless they were fitted for exactly these networks.

    They are for the weights in `averaged.json`, so there are none with third-party checkpoints or after a training.
    """
    with suppress(CheckpointError):  # a damaged file or checkpoint, which is reported where it is used
        found = read_averaged(hub.weights_dir).get(dataset, {})
        if "log_linear" in found and found["weights"].keys() == {*ids}:
            hashes = {id: hub.card(id).weights_sha256 for id in ids}
            return found["log_linear"]["factors"] if hashes == found["weights"] else {}
    return {}
