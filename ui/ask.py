"""What the page asks for, read with care: anyone can send anything."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.ids import parse
from cnn_models.predict import OTHERS
from cnn_models.preprocess import SWITCHES
from ui.texts import LANGUAGES

PARTS = ("heat", "break", "looks", "alike")
SORTS = ("year", "size", "confidence")


@dataclass(frozen=True)
class Ask:
    """A picture as the sketchpad sends it, and what to show of it.

    `models` are in the order in which they are shown: architectures, and what was brought, ids pinned to a commit.
    `off` are the steps of preprocessing to leave out; a `quick` ask is for the small networks alone, so that the others
    do not hold them up; `drawing` says that the pen is down. `part` is of PARTS, what to explain, and `label` the
    class to explain; "" is the one of the soft vote.
    """

    picture: object = ""
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
        sent = sent if isinstance(sent, dict) else {}
        dataset = _one(sent.get("dataset"), DATASETS)
        return cls(
            picture=sent.get("picture", ""),
            dataset=dataset,
            models=_models(sent.get("models", list(ARCHITECTURES)), dataset),
            language=_one(sent.get("language"), LANGUAGES),
            calibrated=sent.get("calibrated") is not False,
            sort=_one(sent.get("sort"), SORTS),
            off=_some(sent.get("off", []), SWITCHES),
            quick=sent.get("quick") is True,
            drawing=sent.get("drawing") is True,
            part=_one(sent.get("part"), ("", *PARTS)),
            label=_one(sent.get("label"), ("", *DATASETS[dataset].classes)),
        )

    def id(self, model: str) -> str:
        """The checkpoint's id of one of `models`."""
        return model if "/" in model else f"{model}.{self.dataset}"


def _models(values: object, dataset: str) -> tuple[str, ...]:
    values = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    brought = [value for value in dict.fromkeys(values) if _is_brought(value, dataset)][:OTHERS]
    return _some(values, {*ARCHITECTURES, *brought})


def _is_brought(model: str, dataset: str) -> bool:
    with suppress(ValueError):
        reference = parse(model)
        return bool(reference.owner) and reference.pinned and reference.dataset == dataset
    return False


def _one(value: object, known) -> str:
    return value if isinstance(value, str) and value in known else next(iter(known))


def _some(values: object, known) -> tuple[str, ...]:
    """The known ones, each once, in the order sent."""
    values = values if isinstance(values, list) else []
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value in known))
