"""What the Compare tab asks for; what is unknown in it is as if it were not there."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.ids import parse
from cnn_models.images.preprocess import SWITCHES
from cnn_models.predict import MAX_THIRD_PARTY
from ui.common.reading import fields, flag, items, known, those_known
from ui.common.texts import LANGUAGES

PARTS = ("heat", "break", "looks", "alike")
SORTS = ("year", "size", "confidence")


@dataclass(frozen=True)
class Ask:
    """An image as the sketchpad sends it, and what to show of it.

    `models` are in the order in which they are shown: architectures, and what was brought, ids pinned to a commit.
    `off` are the steps of preprocessing to leave out; a `quick` ask is for the small networks alone, so that the others
    do not hold them up; `drawing` says that the pen is down. `part` is of PARTS, what to explain, and `label` the
    class to explain; "" is the one of the soft vote.
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

    @classmethod
    def read(cls, sent: object) -> Ask:
        """The ask in JSON's types; what is unknown in it is as if it were not there."""
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
            part=_one(sent.get("part"), ("", *PARTS)),
            label=_one(sent.get("label"), ("", *DATASETS[dataset].classes)),
        )

    def id(self, model: str) -> str:
        """The checkpoint's id of one of `models`."""
        return model if "/" in model else f"{model}.{self.dataset}"


def _models(values: object, dataset: str) -> tuple[str, ...]:
    sent = [value for value in items(values, ()) if isinstance(value, str)]
    brought = [value for value in dict.fromkeys(sent) if _is_brought(value, dataset)][:MAX_THIRD_PARTY]
    return those_known(sent, {*ARCHITECTURES, *brought})


def _is_brought(model: str, dataset: str) -> bool:
    with suppress(ValueError):
        reference = parse(model)
        return bool(reference.owner) and reference.pinned and reference.dataset == dataset
    return False


def _one(value: object, names: Collection[str]) -> str:
    """One of the names, the first for any other value."""
    return known(value, names, next(iter(names)))
