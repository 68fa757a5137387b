"""Requests of the Compare tab, read from untrusted JSON."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.ids import parse
from cnn_models.images.preprocess import SWITCHES
from cnn_models.predict import MAX_THIRD_PARTY
from ui.common.reading import fields, flag, items, known, those_known, whole
from ui.common.texts import LANGUAGES

PARTS = ("heat", "break", "looks", "alike")
MOST_DIGITS = 100
SORTS = ("year", "size", "confidence")


@dataclass(frozen=True)
class Request:
    """An image in the form that the sketchpad sends, and the options of the tab.

    `models` are in the order of the columns: architectures and third-party ids pinned to a commit. `off` are the
    preprocessing steps to skip. A `quick` request is answered by the networks with small inputs only, while another
    request waits for all. `drawing` is true while the pen is down. `part` is the explanation to compute, of PARTS, and
    `label` the class to explain, by default that of the soft vote. `digit` is the index of the one shown, of several,
    and `turn` is the number of quarters by which the image is turned clockwise.
    """

    image: object = ""
    dataset: str = next(iter(DATASETS))
    models: tuple[str, ...] = tuple(ARCHITECTURES)
    language: str = "en"
    calibrated: bool = True
    sort: str = "year"
    off: tuple[str, ...] = ()
    quick: bool = False
    drawing: bool = False
    label: str = ""
    part: str = ""
    digit: int = 0
    turn: int = 0

    @classmethod
    def read(cls, sent: object) -> Request:
        """The request in a JSON value; a field that is missing or invalid gets its default."""
        sent = fields(sent, {})
        dataset = _one(sent.get("dataset"), DATASETS)
        return cls(
            image=sent.get("image", ""),
            dataset=dataset,
            models=_models(sent.get("models", list(ARCHITECTURES)), dataset),
            language=_one(sent.get("language"), LANGUAGES),
            calibrated=flag(sent.get("calibrated"), True),
            sort=_one(sent.get("sort"), SORTS),
            off=those_known(sent.get("off"), SWITCHES),
            quick=flag(sent.get("quick"), False),
            drawing=flag(sent.get("drawing"), False),
            digit=whole(sent.get("digit"), 0, MOST_DIGITS, 0),
            turn=whole(sent.get("turn"), 0, 3, 0),
            part=_one(sent.get("part"), ("", *PARTS)),
            label=_one(sent.get("label"), ("", *DATASETS[dataset].classes)),
        )

    def id(self, model: str) -> str:
        """The checkpoint id of one of `models`."""
        return model if "/" in model else f"{model}.{self.dataset}"


def _models(values: object, dataset: str) -> tuple[str, ...]:
    sent = [value for value in items(values, ()) if isinstance(value, str)]
    third_party = [value for value in dict.fromkeys(sent) if _is_third_party(value, dataset)][:MAX_THIRD_PARTY]
    return those_known(sent, {*ARCHITECTURES, *third_party})


def _is_third_party(model: str, dataset: str) -> bool:
    with suppress(ValueError):
        reference = parse(model)
        return bool(reference.owner) and reference.pinned and reference.dataset == dataset
    return False


def _one(value: object, names: Collection[str]) -> str:
    """The value if it is one of the names, else the first name."""
    return known(value, names, next(iter(names)))
