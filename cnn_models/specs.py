"""Frozen records of networks, data sets and checkpoints."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from cnn_models.errors import TranslatableError, UnknownName

if TYPE_CHECKING:
    from torch import nn

LONGEST = 1000  # characters of a text of a card
DEEPEST = 50  # levels of a card's JSON; fine-tuning a checkpoint adds one
MOST = 2**63 - 1  # a whole number that all JSON libraries read and write
IMAGENET_SIZE = 224  # pixels along a side of the images that AlexNet, GoogLeNet and ResNet were published for


@dataclass(frozen=True)
class Architecture:
    """An architecture of the registry.

    `build` returns a freshly initialised network for one grey channel and ten classes; `input_size` is the side of its
    square input in pixels, unless a checkpoint has another one; `sizes` are the possible ones.
    """

    name: str
    title: str
    year: int
    paper: str
    url: str
    summary: str
    build: Callable[[], nn.Module]
    input_size: int
    sizes: range


@dataclass(frozen=True)
class Dataset:
    """Facts of a data set. `mean` and `std` are those of the training images, from 0 (black) to 1 (white)."""

    name: str
    title: str
    kind: str
    classes: tuple[str, ...]
    size: int
    mean: float
    std: float
    paper: str
    url: str
    licence: str
    hub_id: str


@dataclass(frozen=True)
class Split:
    """Counts of images: `train` of the training set, the `validation` images after them, and `extra` training images.

    Without validation images, validation was on the test set. All counts are 0 where a card lacks them.
    """

    train: int = 0
    validation: int = 0
    extra: int = 0

    @classmethod
    def from_json(cls, value: Any) -> Split:
        """The split of a card's JSON: an object with these counts or, in older cards, a sentence with them.

        Raises TranslatableError.
        """
        if isinstance(value, str):
            _text("split", value)
            found = {name: re.search(pattern, value) for name, pattern in OLD_SPLIT.items()}
            return cls(**{name: int(match[1].replace(",", "")) for name, match in found.items() if match})
        _object_of(_count)("split", value)
        if wrong := value.keys() ^ OLD_SPLIT.keys():
            raise TranslatableError("checkpoint.fields", names=f"{', '.join(sorted(wrong)):.200}")
        return cls(**value)


OLD_SPLIT = {  # the counts in the sentences of older cards
    "train": r"^trained on (?:all|the first) ([0-9][0-9,]{0,12})",
    "validation": r", validated on the last ([0-9][0-9,]{0,12})",
    "extra": r", with ([0-9][0-9,]{0,12}) images of one's own",
}


@dataclass(frozen=True)
class Card:
    """The card of a checkpoint: JSON in `config.json` and in the header of the weights.

    `recipe` holds the hyper-parameters, `split` the counts of images, `metrics` the measured figures (accuracies and
    calibration errors in percent, AUROC from 0 to 1). The softmax of the logits divided by `temperature` gives
    probabilities: `fitted_temperature`, which fits the validation images best, or 1 where the gain is within chance. In
    older cards the fitted one is None, and the same. The `ood.ood_score` is relative to `energy_threshold`, if there is
    one. `weights_sha256` and `snapshots_sha256` are the `folder.weights_hash` of the tensors; the latter is None where
    there are no snapshots.
    """

    architecture: str
    dataset: str
    input_size: int
    mean: float
    std: float
    classes: tuple[str, ...]
    recipe: dict
    seed: int
    split: Split
    weights_dtype: str
    weights_sha256: str
    versions: dict[str, str]
    commit: str
    date: str
    metrics: dict = field(default_factory=dict)
    temperature: float = 1.0
    fitted_temperature: float | None = None
    energy_threshold: float | None = None
    snapshots_sha256: str | None = None

    @property
    def id(self) -> str:
        return f"{self.architecture}.{self.dataset}"

    @property
    def energy_scale(self) -> float:
        """The divisor of the logits that gives the energies of all networks one scale."""
        return self.fitted_temperature or self.temperature

    @property
    def command(self) -> str:
        """The command that repeats this training."""
        options = {"recipe": self.recipe.get("name"), "seed": self.seed} | self.recipe.get("changed", {})
        texts = [
            f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}") for name, value in options.items()
        ]
        return " ".join(["python -m training.train", self.id, *texts])

    def on_test_set(self, figure: str) -> float | None:
        """The test `accuracy`, in percent, or `loss`, which is the last of a run that validated on the test set."""
        if self.recipe.get("held_out") == 0:
            return self.metrics.get(f"test_{figure}", self.metrics.get(f"val_{figure}"))
        return self.metrics.get(f"test_{figure}")

    def to_json(self, **layout) -> str:
        """The card as JSON with sorted keys; `layout` goes to `json.dumps`."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False, **layout)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """The card of a JSON text. Raises ValueError unless it has exactly a card's fields, with values of their types.

        `folder.check_card` checks the values.
        """
        values = json.loads(text)
        if not isinstance(values, dict):
            raise TranslatableError("checkpoint.object")
        _check_writable(values)
        names = {f.name for f in dataclasses.fields(cls)}
        required = {f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING}
        if wrong := (required - values.keys()) | (values.keys() - names):
            raise TranslatableError("checkpoint.fields", names=f"{', '.join(sorted(wrong)):.200}")
        for name, value in values.items():
            TYPES[name](name, value)
        values["classes"] = tuple(values["classes"])
        values["split"] = Split.from_json(values["split"])
        return cls(**values)


def _check_writable(value: object, depth: int = 0) -> None:
    """Raise ValueError unless a parsed JSON value can be written by `json`, by orjson and as UTF-8."""
    if depth > DEEPEST:
        raise TranslatableError("checkpoint.levels", most=DEEPEST)
    if isinstance(value, str):
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise TranslatableError("checkpoint.surrogate")
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_writable(name, depth + 1)
            _check_writable(each, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check_writable(each, depth + 1)
    elif isinstance(value, int | float) and not abs(value) <= MOST:  # true for NaN
        raise TranslatableError("checkpoint.range")


Check = Callable[[str, object], object]  # raises TranslatableError for a field, given its name and its value


def _check(code: str, is_valid: Callable[[Any], object], **values: object) -> Check:
    def check(name: str, value: object) -> None:
        if not is_valid(value):
            raise TranslatableError(code, name=name, **values)

    return check


_text = _check("checkpoint.text", lambda value: isinstance(value, str) and len(value) <= LONGEST, most=f"{LONGEST:,}")
_number = _check("checkpoint.number", lambda value: type(value) in (int, float))  # bool is a subclass of int
_whole = _check("checkpoint.whole", lambda value: type(value) is int)
_count = _check("checkpoint.count", lambda value: type(value) is int and value >= 0)
_hash = _check("checkpoint.hex", lambda value: isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value))
_list = _check("checkpoint.list", lambda value: isinstance(value, list))
_object = _check("checkpoint.json", lambda value: isinstance(value, dict))


def _texts(name: str, value: Any) -> None:
    _list(name, value)
    for each in value:
        _text(name, each)


def _object_of(check: Check) -> Check:
    def each(name: str, value: Any) -> None:
        _object(name, value)
        for key, item in value.items():
            check(f"{name}.{key:.100}", item)

    return each


def _optional(check: Check) -> Check:
    return lambda name, value: None if value is None else check(name, value)


def _recipe(name: str, value: Any) -> None:
    """Check the fields of a recipe that the page shows; the others may be any JSON."""
    _object(name, value)
    for key in value.keys() & RECIPE_TYPES.keys():
        RECIPE_TYPES[key](f"{name}.{key}", value[key])


RECIPE_TYPES: dict[str, Check] = {
    "name": _text,
    "epochs": _whole,
    "changed": _object,
    "teachers": _object,
    "started_from": _object,
    "interpolated": _object,
}
TYPES: dict[str, Check] = {
    "architecture": _text,
    "dataset": _text,
    "input_size": _whole,
    "mean": _number,
    "std": _number,
    "classes": _texts,
    "recipe": _recipe,
    "seed": _whole,
    "split": lambda name, value: Split.from_json(value),
    "weights_dtype": _text,
    "weights_sha256": _hash,
    "versions": _object_of(_text),
    "commit": _text,
    "date": _text,
    "metrics": _object_of(_number),
    "temperature": _number,
    "fitted_temperature": _optional(_number),
    "energy_threshold": _optional(_number),
    "snapshots_sha256": _optional(_hash),
}

T = TypeVar("T", Architecture, Dataset)


class Registry(dict[str, T]):
    """Specs by name. An unknown name raises UnknownName, which lists the known ones."""

    def __missing__(self, name: str) -> T:
        raise UnknownName(name, self)


def registry(*specs: T) -> Registry[T]:
    """The specs by name, in the order given. Raises ValueError when a name is used twice."""
    by_name = Registry({spec.name: spec for spec in specs})
    if len(by_name) < len(specs):
        raise ValueError(f"a name is used twice in {[spec.name for spec in specs]}")
    return by_name
