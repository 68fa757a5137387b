"""One picture through many networks."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cnn_models.analysis.ensemble import entropy, soft_vote, uncalibrated
from cnn_models.analysis.ood import EDGE, is_dot, lookalike, surprise
from cnn_models.architectures import ARCHITECTURES
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import parse
from cnn_models.datasets import DATASETS
from cnn_models.datasets.test_sets import Measured
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint
from cnn_models.hub.model_hub import LoadedModel, ModelHub
from cnn_models.images.decode import decode
from cnn_models.images.preprocess import to_dataset_form, to_input

AT_ONCE = 16  # networks that one question may name
OTHERS = 4  # of these, how many from elsewhere on the Hub, as each may have to come first
MEASURING = 5  # seconds for measuring a network of others, once, before its first answer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What one network says of a picture.

    `probabilities` are by class, in the data set's order; `margin` is the winner's logit less that of the runner-up;
    `milliseconds` are those of the forward pass alone, which the device has finished, or a picture's share of them;
    `unusual` says that the picture is unlike those it was trained on (never where its card has no threshold for that);
    `source` is where the network came from and, from the Hub, its commit; `measured`, of a network of others, is how
    many of the bundled test pictures it gets right, of as many as could be shown in `MEASURING` seconds; `temperature`
    is what the logits were divided by.
    """

    id: str
    label: str
    probabilities: dict[str, float]
    margin: float
    milliseconds: float
    unusual: bool = False
    source: str = ""
    measured: Measured | None = None
    temperature: float = 1.0

    def to_dict(self) -> dict:
        """The fields in JSON's types, with the entropy in bits and the probabilities without the temperature."""
        raw = uncalibrated(self.probabilities, self.temperature)
        return asdict(self) | {"entropy": entropy(self.probabilities.values()), "uncalibrated": raw}


@dataclass(frozen=True)
class Verdict:
    """What the networks say together: `votes` are by class, the winner first; `why` says what is unusual.

    `probabilities` by class are the means of theirs (soft vote).
    """

    label: str
    votes: dict[str, int]
    unusual: bool
    why: str
    probabilities: dict[str, float]


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answers of several networks to one picture; `picture` is 28 x 28 uint8, what the networks see.

    `like` is the `lookalike` of the picture, `dot` says that it is one.
    """

    dataset: str
    picture: np.ndarray
    verdict: Verdict
    models: tuple[Answer, ...]
    like: str = ""
    dot: bool = False

    @classmethod
    def of(cls, dataset: str, picture: np.ndarray, answers: Sequence[Answer], like: str = "") -> Comparison:
        """The comparison of answers to one picture, with their verdict."""
        dot = is_dot(picture, dataset)
        return cls(dataset, picture, _verdict(tuple(answers), like, dot), tuple(answers), like, dot)

    @classmethod
    def with_likeness(cls, hub: ModelHub, dataset: str, grey: np.ndarray, picture: np.ndarray, answers) -> Comparison:
        """The same, and whether the picture, as it was decoded (H x W uint8), looks like one of another data set."""
        return cls.of(dataset, picture, answers, lookalike(hub, dataset, grey, is_strange(answers)))

    def to_dict(self) -> dict:
        """Everything but the picture in JSON's types, as the HTTP endpoint answers it."""
        models = [answer.to_dict() for answer in self.models]
        return {"dataset": self.dataset, "verdict": asdict(self.verdict), "models": models}


def compare(
    picture: bytes | str | Path | Image.Image | np.ndarray,
    dataset: str,
    models: Sequence[str] = (),
    hub: ModelHub | None = None,
    off: Collection[str] = (),
) -> Comparison:
    """Show a picture, whatever `decode` takes, to several networks of one data set.

    `models` are architectures or checkpoint ids; none means all the hub knows that can be loaded, and no hub means
    one that is shared by all such calls; `off` are steps of the preprocessing to leave out. Raises CheckpointError
    (MissingCheckpoint where there are no weights), PictureError (BlankPicture where nothing is drawn), and
    ValueError for names that do not fit.
    """
    form, hub = DATASETS[dataset], hub or _shared_hub()
    ids = ids_of(models, dataset)
    grey = decode(picture, off)
    grid = to_dataset_form(grey, form, off)

    def answer(id: str) -> Answer:  # one at a time, so that no more than one has to be in memory
        found = hub.run(id, lambda network: predict(without(network, off), grid))
        return replace(found, measured=hub.measure(id, MEASURING)) if hub.is_foreign(id) else found

    hub.fetch(ids)
    answers = tuple(map(answer, ids)) if ids else _all(dataset, hub, answer)
    return Comparison.with_likeness(hub, dataset, grey, grid, answers)


def without(loaded: LoadedModel, off: Collection[str]) -> LoadedModel:
    """The network, which gets pixels from 0 to 1 as they are where "normalisation" is in `off`."""
    return replace(loaded, card=replace(loaded.card, mean=0.0, std=1.0)) if "normalisation" in off else loaded


def predict(loaded: LoadedModel, grid: np.ndarray) -> Answer:
    """Show a 28 x 28 uint8 picture, in its data set's form, to one network. Raises CheckpointError."""
    return predict_all(loaded, [grid])[0]


def predict_all(loaded: LoadedModel, grids: Sequence[np.ndarray]) -> list[Answer]:
    """The same for several pictures at once, which share the time of the forward pass. Raises CheckpointError."""
    card, clock = loaded.card, torch.get_device_module(loaded.device)
    with torch.inference_mode():
        pictures = torch.tensor(np.stack(grids), device=loaded.device)
        x = to_input(pictures, card.input_size, card.mean, card.std)
        clock.synchronize()
        start = time.perf_counter()
        logits = loaded.model(x)
        clock.synchronize()
        milliseconds = (time.perf_counter() - start) * 1000 / len(grids)
        logits = logits.cpu().double()  # in float32, 0.99999999 would be 1
    if not logits.isfinite().all():
        raise CheckpointError("checkpoint.numbers", id=loaded.id)
    return [_answer(loaded, each, milliseconds) for each in logits]


def _answer(loaded: LoadedModel, logits: Tensor, milliseconds: float) -> Answer:
    card = loaded.card
    probabilities = (logits / card.temperature).softmax(0).tolist()
    unusual = surprise(logits, card) > EDGE
    first, second = logits.topk(2).values.tolist()
    label = card.classes[logits.argmax()]
    by_class = dict(zip(card.classes, probabilities, strict=True))
    margin, temperature = first - second, card.temperature
    return Answer(loaded.id, label, by_class, margin, milliseconds, unusual, loaded.source, temperature=temperature)


def is_strange(answers: Sequence[Answer]) -> bool:
    """Whether most networks find the picture unlike those they were trained on."""
    return 2 * sum(answer.unusual for answer in answers) > len(answers)


def ids_of(models: Sequence[str], dataset: str) -> list[str]:
    """The names as checkpoint ids of the data set."""
    if len(models) > AT_ONCE:
        raise ValueError(f"{len(models):,} networks are too many at once; name at most {AT_ONCE}")
    if isinstance(models, str) or not all(isinstance(name, str) for name in models):
        raise ValueError("the networks are a list of names, such as lenet5 or lenet5.mnist")
    references = [parse(f"{name}.{dataset}" if name in ARCHITECTURES else name) for name in models]
    ids = [str(reference) for reference in references]
    for reference in references:
        if reference.dataset != dataset:
            raise ValueError(f"{reference} is not of {dataset}; choose one whose name ends in .{dataset}")
    if twice := [id for id, count in Counter(ids).items() if count > 1]:
        raise ValueError(f"{', '.join(twice)} is named twice; name each network once")
    if (others := sum(reference.owner is not None for reference in references)) > OTHERS:
        raise ValueError(f"{others} networks of others are too many at once; name at most {OTHERS}")
    return ids


def _all(dataset: str, hub: ModelHub, answer: Callable[[str], Answer]) -> tuple[Answer, ...]:
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


def _verdict(answers: tuple[Answer, ...], like: str, dot: bool) -> Verdict:
    shares = soft_vote([answer.probabilities for answer in answers])
    counts = Counter(answer.label for answer in answers)
    votes = dict(sorted(counts.items(), key=lambda vote: (-vote[1], -shares[vote[0]])))
    likeliest = max(shares, key=shares.__getitem__)
    why, strange = "", sum(answer.unusual for answer in answers)
    if dot:
        why = "The picture may show none of the ten classes: it is a dot, not a stroke."
    elif like:
        why = f"The picture may show none of the ten classes: it looks more like one of {DATASETS[like].title}."
    elif is_strange(answers):
        who = "the network finds" if len(answers) == 1 else f"{strange} of {len(answers)} networks find"
        why = f"The picture may show none of the ten classes: {who} it unlike anything seen in training."
    elif shares[likeliest] < 0.5:
        why = (
            f"No class has half of the probability: the likeliest, {likeliest}, has {shares[likeliest]:.1%} on average."
        )
    return Verdict(next(iter(votes)), votes, bool(why), why, shares)


@cache
def _shared_hub() -> ModelHub:
    return ModelHub()
