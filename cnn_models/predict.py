"""One image through many networks."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnn_models.analysis.ood import MARGIN, is_dot, lookalike, ood_score
from cnn_models.analysis.verdict import Prediction, Verdict
from cnn_models.architectures import ARCHITECTURES
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import parse
from cnn_models.datasets import DATASETS
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint
from cnn_models.hub.model_hub import LoadedModel, ModelHub
from cnn_models.images.decode import decode
from cnn_models.images.preprocess import Step, steps

MAX_NETWORKS = 16  # networks that one question may name
MAX_THIRD_PARTY = 4  # of these, how many from elsewhere on the Hub, as each may have to come first
MEASURING = 5  # seconds for measuring a network of others, once, before its first answer

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answers of several networks to one image, and the `steps` of its preprocessing."""

    dataset: str
    steps: tuple[Step, ...]
    verdict: Verdict
    models: tuple[Prediction, ...]

    @classmethod
    def of(cls, dataset: str, steps: tuple[Step, ...], answers: Sequence[Prediction], like: str = "") -> Comparison:
        """The comparison of answers to one image, with their verdict; `like` is its `lookalike`."""
        return cls(dataset, steps, Verdict.of(answers, is_dot(steps[-1].image, dataset), like), tuple(answers))

    @property
    def image(self) -> np.ndarray:
        """What the networks see, 28 x 28 uint8."""
        return self.steps[-1].image

    def to_dict(self) -> dict:
        """Everything but the image in JSON's types, as the HTTP endpoint answers it."""
        models = [answer.to_dict() for answer in self.models]
        return {"dataset": self.dataset, "verdict": self.verdict.to_dict(), "models": models}


def compare(
    image: bytes | str | Path | Image.Image | np.ndarray,
    dataset: str,
    models: Sequence[str] = (),
    hub: ModelHub | None = None,
    off: Collection[str] = (),
) -> Comparison:
    """Show an image, whatever `decode` takes, to several networks of one data set.

    `models` are architectures or checkpoint ids; none means all the hub knows that can be loaded, and no hub means
    one that is shared by all such calls; `off` are steps of the preprocessing to leave out. Raises CheckpointError
    (MissingCheckpoint where there are no weights), ImageError (BlankImage where nothing is drawn), and
    ValueError for names that do not fit.
    """
    ids = ids_of(models, DATASETS[dataset].name)
    return compare_decoded(decode(image, off), dataset, ids, hub or _shared_hub(), off)


def compare_decoded(
    grey: np.ndarray, dataset: str, ids: Sequence[str], hub: ModelHub, off: Collection[str] = ()
) -> Comparison:
    """`compare` with a decoded image, H x W uint8, and checkpoint ids that fit the data set."""
    seen = steps(grey, DATASETS[dataset], off)
    grid = seen[-1].image

    def answer(id: str) -> Prediction:  # one at a time, so that no more than one has to be in memory
        found = hub.run(id, lambda network: predict(network.without(off), grid))
        return replace(found, measured=hub.measure(id, MEASURING)) if hub.is_third_party(id) else found

    hub.fetch(ids)
    answers = tuple(map(answer, ids)) if ids else _all(dataset, hub, answer)
    return Comparison.of(dataset, seen, answers, lookalike(hub, dataset, grey, grid, off, answers))


def predict(loaded: LoadedModel, grid: np.ndarray) -> Prediction:
    """Show a 28 x 28 uint8 image, in its data set's form, to one network. Raises CheckpointError."""
    return predict_all(loaded, [grid])[0]


def predict_all(loaded: LoadedModel, grids: Sequence[np.ndarray]) -> list[Prediction]:
    """The same for several images at once, which share the time of the forward pass. Raises CheckpointError."""
    found = loaded.run(torch.tensor(np.stack(grids)))
    if not found.logits.isfinite().all():
        raise CheckpointError("checkpoint.numbers", id=loaded.id)
    milliseconds = found.milliseconds / len(grids)
    return [_answer(loaded, *each, milliseconds) for each in zip(found.logits, found.probabilities, strict=True)]


class PredictionCache:
    """`predict_all`, which keeps the last `size` answers: switches of a page ask for the same image again and again."""

    def __init__(self, size: int = 512):
        self._size, self._lock = size, threading.Lock()
        self._answers: dict[tuple, Prediction] = {}  # the last used at the end

    def __call__(self, loaded: LoadedModel, grids: Sequence[np.ndarray]) -> list[Prediction]:
        card = loaded.card
        constants = card.weights_sha256, card.mean, card.std, card.temperature, card.energy_threshold
        keys = [(loaded.id, loaded.source, constants, grid.tobytes()) for grid in grids]
        with self._lock:
            answers = {key: self._answers.pop(key) for key in keys if key in self._answers}
        new = {key: grid for key, grid in zip(keys, grids, strict=True) if key not in answers}
        if new:
            answers |= zip(new, predict_all(loaded, list(new.values())), strict=True)
        with self._lock:
            self._answers |= answers
            while len(self._answers) > self._size:
                del self._answers[next(iter(self._answers))]
        return [answers[key] for key in keys]


def _answer(loaded: LoadedModel, logits: Tensor, probabilities: Tensor, milliseconds: float) -> Prediction:
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
    """The names as checkpoint ids of the data set."""
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
        raise ValueError(f"{others} networks of others are too many at once; name at most {MAX_THIRD_PARTY}")
    return ids


def _all(dataset: str, hub: ModelHub, answer: Callable[[str], Prediction]) -> tuple[Prediction, ...]:
    """The answers of all networks that the hub has for a data set, less those that are damaged, which the log names.

    Raises DownloadPending where one is on its way, and what is wrong with the first where there is none.
    """
    answers, wrong = [], []
    for id in ids_of(list(ARCHITECTURES), dataset):
        try:
            answers.append(answer(id))
        except DownloadPending:
            raise
        except CheckpointError as error:
            wrong.append(error)
            if not isinstance(error, MissingCheckpoint):
                log.warning("%s is left out: %s", id, error)
    if not answers:
        raise wrong[0]
    return tuple(answers)


@cache
def _shared_hub() -> ModelHub:
    return ModelHub()
