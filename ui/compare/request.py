"""Requests of the Compare tab, read from untrusted JSON."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.analysis.adversarial import NORMS
from cnn_models.checkpoints.ids import parse
from cnn_models.errors import UnknownName
from cnn_models.images.preprocess import SWITCHES
from cnn_models.predict import MAX_THIRD_PARTY
from ui.common.reading import all_known, fields, flag, items, known, refused, text, whole
from ui.common.texts import LANGUAGES

PARTS = ("heat", "break", "attack", "looks", "alike")
MOST_DIGITS = 100
SORTS = ("year", "size", "confidence", "margin", "entropy", "time")


@dataclass(frozen=True)
class Request:
    """An image in the form that the sketchpad sends, and the options of the tab.

    `models` are in the order of the columns: architectures and third-party ids pinned to a commit. `log_linear` adds
    the column of that ensemble. `off` are the preprocessing steps to skip. A `quick` request is answered by the
    networks with small inputs only, while another request waits for all. `drawing` is true while the pen is down.
    `part` is the explanation to compute, of PARTS, and `label` the class to explain, by default that of the soft vote.
    `attacked` is the one of `models` to attack, by default the first, by a change that is minimal in the `norm`, of
    NORMS, so that it predicts `target`, by default any other class.
    `digit` is the index of the one shown, of several, and `turn` is the number of quarters by which the image is turned
    clockwise.
    """

    image: object = ""
    dataset: str = next(iter(DATASETS))
    models: tuple[str, ...] = tuple(ARCHITECTURES)
    language: str = "en"
    calibrated: bool = True
    log_linear: bool = False
    sort: str = "year"
    off: tuple[str, ...] = ()
    quick: bool = False
    drawing: bool = False
    label: str = ""
    part: str = ""
    attacked: str = ""
    norm: str = next(iter(NORMS))
    target: str = ""
    digit: int = 0
    turn: int = 0

    @classmethod
    def read(cls, sent: object) -> Request:
        """The request in a JSON value; a field that is missing gets its default. Raises Refused."""
        given = fields("request", sent)
        dataset = _one(given, "dataset", DATASETS)
        models = _models(items("models", given.get("models"), list(ARCHITECTURES)), dataset)
        classes = DATASETS[dataset].classes
        return cls(
            image=given.get("image", ""),
            dataset=dataset,
            models=models,
            language=_one(given, "language", LANGUAGES),
            calibrated=flag("calibrated", given.get("calibrated"), True),
            log_linear=flag("log_linear", given.get("log_linear"), False),
            sort=_one(given, "sort", SORTS),
            off=tuple(all_known("off", given.get("off"), SWITCHES, [])),
            quick=flag("quick", given.get("quick"), False),
            drawing=flag("drawing", given.get("drawing"), False),
            digit=whole("digit", given.get("digit"), 0, MOST_DIGITS, 0),
            turn=whole("turn", given.get("turn"), 0, 3, 0),
            part=known("part", given.get("part"), PARTS, ""),
            label=known("label", given.get("label"), classes, ""),
            attacked=known("attacked", given.get("attacked"), models, ""),
            norm=_one(given, "norm", NORMS),
            target=known("target", given.get("target"), classes, ""),
        )

    def id(self, model: str) -> str:
        """The checkpoint id of one of `models`."""
        return model if "/" in model else f"{model}.{self.dataset}"


def _models(values: list, dataset: str) -> tuple[str, ...]:
    """The architectures and the third-party ids in a list, each once, in its order. Raises Refused."""
    models = list(dict.fromkeys(text("models", value) for value in values))
    third_party = [model for model in models if model not in ARCHITECTURES]
    if wrong := [id for id in third_party if not _is_third_party(id, dataset)]:
        raise refused("models", UnknownName(wrong[0], ARCHITECTURES))
    items("models", third_party, most=MAX_THIRD_PARTY)
    return tuple(models)


def _is_third_party(model: str, dataset: str) -> bool:
    """Whether this is the id of a third-party checkpoint of a data set, pinned to a commit."""
    try:
        reference = parse(model)
    except ValueError:
        return False
    return bool(reference.owner) and reference.pinned and reference.dataset == dataset


def _one(given: dict, field: str, names: Collection[str]) -> str:
    """The value of a field, one of the names; the first name if it is missing. Raises Refused."""
    return known(field, given.get(field), names, next(iter(names)))
