"""What the rest of the code says about networks, data sets and checkpoints: three frozen records."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from torch import nn

from cnn_models.errors import TranslatableError, UnknownName


@dataclass(frozen=True)
class Architecture:
    """One network of the line-up.

    `build` makes a freshly initialised network for one grey channel and ten classes; `input_size` is the
    side in pixels of the square it sees unless a checkpoint says otherwise, `sizes` are those it can take.
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
    """Facts of a data set. `mean` and `std` are of the training pictures, in units of 0 (black) to 1 (white)."""

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
class Card:
    """What a checkpoint says of itself; stored as JSON in `config.json` and in the header of the weights.

    `recipe` holds every hyper-parameter, `split` says which pictures trained and which validated, `metrics`
    holds measured figures (accuracies and calibration errors in percent, AUROC from 0 to 1), `weights_sha256` is
    `checkpoint.weights_hash` of the tensors. Logits divided by `temperature` give probabilities; where their
    `unusual.energy` is above `energy_threshold`, if there is one, a picture is unusual (to the app, from `unusual.EDGE`
    above it). `snapshots_sha256` is the `checkpoint.weights_hash` of the snapshots, None for a network that kept none.
    """

    architecture: str
    dataset: str
    input_size: int
    mean: float
    std: float
    classes: tuple[str, ...]
    recipe: dict
    seed: int
    split: str
    weights_dtype: str
    weights_sha256: str
    versions: dict[str, str]
    commit: str
    date: str
    metrics: dict = field(default_factory=dict)
    temperature: float = 1.0
    energy_threshold: float | None = None
    snapshots_sha256: str | None = None

    @property
    def id(self) -> str:
        return f"{self.architecture}.{self.dataset}"

    @property
    def command(self) -> str:
        """The command that repeats this training."""
        options = {"recipe": self.recipe.get("name"), "seed": self.seed} | self.recipe.get("changed", {})
        texts = [
            f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}") for name, value in options.items()
        ]
        return " ".join(["python -m training.train", self.id, *texts])

    def on_test_set(self, figure: str) -> float | None:
        """Its `accuracy`, in percent, or `loss`; that of a run that validated on the test pictures is its last."""
        if self.recipe.get("held_out") == 0:
            return self.metrics.get(f"test_{figure}", self.metrics.get(f"val_{figure}"))
        return self.metrics.get(f"test_{figure}")

    def to_json(self, **layout) -> str:
        """The card as JSON with sorted keys; `layout` goes to `json.dumps`."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True, ensure_ascii=False, **layout)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Read `to_json`'s text. Raises ValueError when it is not JSON or not exactly a card's fields."""
        values = json.loads(text)
        if not isinstance(values, dict):
            raise TranslatableError("a card is a JSON object")
        names = {f.name for f in dataclasses.fields(cls)}
        required = {f.name for f in dataclasses.fields(cls) if f.default is f.default_factory is dataclasses.MISSING}
        if wrong := (required - values.keys()) | (values.keys() - names):
            raise TranslatableError("missing or unknown fields: {names}", names=", ".join(sorted(wrong)))
        return cls(**values | {"classes": tuple(values["classes"])})


T = TypeVar("T", Architecture, Dataset)


class Registry(dict[str, T]):
    """Specs by name. Looking up a name that is not there raises UnknownName, with the known ones."""

    def __missing__(self, name: str) -> T:
        raise UnknownName(name, self)


def registry(*specs: T) -> Registry[T]:
    """The specs by name, in the order given. Raises ValueError when a name is used twice."""
    by_name = Registry({spec.name: spec for spec in specs})
    if len(by_name) < len(specs):
        raise ValueError(f"a name is used twice in {[spec.name for spec in specs]}")
    return by_name
