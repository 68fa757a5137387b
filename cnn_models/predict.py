"""Predictions of one or several networks for an image."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from cachetools import LRUCache
from torch import Tensor

from cnn_models.analysis.doubts import doubt
from cnn_models.analysis.log_linear import LogLinear, factors_of
from cnn_models.analysis.ood import MARGIN, ood_score
from cnn_models.analysis.verdict import Prediction, Reading, Reason, Verdict
from cnn_models.architectures import ARCHITECTURES
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import parse
from cnn_models.datasets import DATASETS
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint
from cnn_models.hub.model_hub import LoadedModel, ModelHub
from cnn_models.images.decode import Decoded, Source, read
from cnn_models.images.preprocess import Preprocessed, preprocess
from cnn_models.images.steps import Step

MAX_NETWORKS = 16  # networks of one comparison
MAX_THIRD_PARTY = 4  # of these, as each may need a download
MEASURING = 5  # seconds for measuring a third-party checkpoint, once, before its first prediction

T = TypeVar("T")
log = logging.getLogger(__name__)
_shared_hub = cache(ModelHub)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The predictions of several networks for one image, with the `steps` of its preprocessing.

    Where the image shows several digits, `digits` are their readings from the left, and the rest is of one of them.
    `log_linear` is None unless the networks are those that its factors were fitted for.
    """

    dataset: str
    steps: tuple[Step, ...]
    verdict: Verdict
    models: tuple[Prediction, ...]
    digits: tuple[Reading, ...] = ()
    log_linear: LogLinear | None = None

    @classmethod
    def of(
        cls,
        dataset: str,
        found: Preprocessed,
        predictions: Sequence[Sequence[Prediction]],
        warning: Reason | None = None,
        chosen: int = 0,
    ) -> Comparison:
        """The comparison of each network's predictions for the `found.images`; `warning` is the `doubt`."""
        models = tuple(each[chosen] for each in predictions)
        digits = tuple(map(Reading.of, zip(*predictions, strict=True))) if len(found.images) > 1 else ()
        if digits:
            warning = Reason("several", {"digits": " ".join(each.label for each in digits)})
        return cls(dataset, found.steps, Verdict.of(models, warning), models, digits)

    @property
    def image(self) -> np.ndarray:
        """The image in the form of its data set, 28 x 28 uint8."""
        return self.steps[-1].image

    def to_dict(self) -> dict:
        """Everything but the image in JSON's types, as the HTTP endpoint returns it."""
        models, digits = ([each.to_dict() for each in part] for part in (self.models, self.digits))
        log_linear = self.log_linear.to_dict() if self.log_linear else None
        found = {"models": models, "digits": digits, "log_linear": log_linear}
        return {"dataset": self.dataset, "verdict": self.verdict.to_dict()} | found


def compare(
    image: Source,
    dataset: str,
    models: Sequence[str] = (),
    hub: ModelHub | None = None,
    off: Collection[str] = (),
) -> Comparison:
    """The predictions of several networks of one data set for an image of any kind that `decode` takes.

    `models` are architectures or checkpoint ids; none means all that the hub can load. Calls without a hub share one.
    `off` are SWITCHES, steps of the preprocessing to omit. Raises CheckpointError (MissingCheckpoint where there are no
    weights), ImageError (BlankImage for a blank one), and ValueError for unknown or unsuitable names.
    """
    ids = ids_of(models, DATASETS[dataset].name)
    return compare_decoded(read(image, off), dataset, ids, hub or _shared_hub(), off)


def compare_decoded(
    image: Decoded, dataset: str, ids: Sequence[str], hub: ModelHub, off: Collection[str] = ()
) -> Comparison:
    """`compare` with a decoded image and checkpoint ids that fit the data set."""
    found = preprocess(image, DATASETS[dataset], off)
    return compare_preprocessed([(image, found)], dataset, ids, hub, off)[0]


def compare_preprocessed(
    images: Sequence[tuple[Decoded, Preprocessed]],
    dataset: str,
    ids: Sequence[str],
    hub: ModelHub,
    off: Collection[str] = (),
) -> list[Comparison]:
    """The comparison of each of several images, all in one batch for each network."""
    grids = [grid for _, found in images for grid in found.images]

    def predict_one(id: str) -> list[list[Prediction]]:  # one after another, so that one network in memory is enough
        each = hub.run(id, lambda network: predict_all(network.without(off), grids))
        if hub.is_third_party(id):
            measured = hub.measure(id, MEASURING)
            each = [replace(one, measured=measured) for one in each]
        answers = iter(each)
        return [list(islice(answers, len(found.images))) for _, found in images]

    hub.fetch(ids)
    models = [predict_one(id) for id in ids] if ids else _all(dataset, hub, predict_one)
    factors = factors_of(hub, dataset, [each[0][0].id for each in models])
    comparisons = []
    for (image, found), predictions in zip(images, zip(*models, strict=True), strict=True):
        warning = doubt(hub, dataset, image, found, off, [each[0] for each in predictions])
        comparison = Comparison.of(dataset, found, predictions, warning)
        log_linear = LogLinear.of(comparison.models, factors) if factors else None
        comparisons.append(replace(comparison, log_linear=log_linear))
    return comparisons


def predict(loaded: LoadedModel, grid: np.ndarray) -> Prediction:
    """The prediction of a network for a 28 x 28 uint8 image in its data set's form. Raises CheckpointError."""
    return predict_all(loaded, [grid])[0]


def predict_all(loaded: LoadedModel, grids: Sequence[np.ndarray]) -> list[Prediction]:
    """The predictions for several images in one batch, which share its time equally. Raises CheckpointError."""
    found = loaded.run(torch.tensor(np.stack(grids)))
    if not found.logits.isfinite().all():
        raise CheckpointError("checkpoint.numbers", id=loaded.id)
    milliseconds = found.milliseconds / len(grids)
    return [_prediction(loaded, *each, milliseconds) for each in zip(found.logits, found.probabilities, strict=True)]


class PredictionCache:
    """`predict_all` that keeps the `size` predictions used last, as switches of the page repeat requests."""

    def __init__(self, size: int = 512):
        self._lock = threading.Lock()
        self._known: LRUCache[tuple, Prediction] = LRUCache(size)

    def __call__(self, loaded: LoadedModel, grids: Sequence[np.ndarray]) -> list[Prediction]:
        card = loaded.card
        constants = card.weights_sha256, card.mean, card.std, card.temperature, card.energy_scale, card.energy_threshold
        keys = [(loaded.id, loaded.source, constants, grid.tobytes()) for grid in grids]
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
        if new := {key: grid for key, grid in zip(keys, grids, strict=True) if key not in found}:
            found |= zip(new, predict_all(loaded, list(new.values())), strict=True)
        with self._lock:
            self._known.update(found)
        return [found[key] for key in keys]


def _prediction(loaded: LoadedModel, logits: Tensor, probabilities: Tensor, milliseconds: float) -> Prediction:
    card = loaded.card
    first, second = logits.topk(2).values.tolist()
    return Prediction(
        id=loaded.id,
        label=card.classes[logits.argmax()],
        probabilities=dict(zip(card.classes, probabilities.tolist(), strict=True)),
        margin=first - second,
        milliseconds=milliseconds,
        unusual=ood_score(logits, card) > MARGIN,
        source=loaded.source,
        temperature=card.temperature,
    )


def ids_of(models: Sequence[str], dataset: str) -> list[str]:
    """The checkpoint ids, of this data set, of architectures or ids. Raises ValueError."""
    if len(models) > MAX_NETWORKS:
        raise ValueError(f"{len(models):,} networks are too many at once; name at most {MAX_NETWORKS}")
    if isinstance(models, str) or not all(isinstance(name, str) for name in models):
        raise ValueError("the networks are a list of names, such as lenet5 or lenet5.mnist")
    references = [parse(f"{name}.{dataset}" if name in ARCHITECTURES else name) for name in models]
    ids = [str(reference) for reference in references]
    for reference in references:
        if reference.dataset != dataset:
            raise ValueError(f"{reference} is not of {dataset}; choose one whose name ends in .{dataset}")
    if twice := [id for id, count in Counter(ids).items() if count > 1]:
        raise ValueError(f"{', '.join(twice)} is named twice; name each network once")
    if (others := sum(reference.owner is not None for reference in references)) > MAX_THIRD_PARTY:
        raise ValueError(f"{others} third-party networks are too many at once; name at most {MAX_THIRD_PARTY}")
    return ids


def loadable(dataset: str, hub: ModelHub) -> list[str]:
    """The ids of all networks that the hub can load for a data set. Raises CheckpointError where there are none."""
    return _all(dataset, hub, lambda id: hub.get(id).id)


def _all(dataset: str, hub: ModelHub, predict_one: Callable[[str], T]) -> list[T]:
    """`predict_one` of all networks that the hub has for a data set; those that are damaged are logged.

    Raises DownloadPending where a download continues, and the first network's error where none can be loaded.
    """
    found, failures = [], []
    for id in ids_of(list(ARCHITECTURES), dataset):
        try:
            found.append(predict_one(id))
        except DownloadPending:
            raise
        except CheckpointError as error:
            failures.append(error)
            if not isinstance(error, MissingCheckpoint):
                log.warning("%s is omitted: %s", id, error)
    if not found:
        raise failures[0]
    return found
