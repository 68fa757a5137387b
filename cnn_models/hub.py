"""Networks by their checkpoint id: from `weights/`, else the Hub's cache, else the Hub; each loaded once, when used."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from cnn_models.checkpoint import CONFIG, FILES, CheckpointError, load_model, read_card
from cnn_models.datasets import DATASETS
from cnn_models.fetch import MissingCheckpoint, fetch, needed
from cnn_models.runtime import best_device, place
from cnn_models.specs import Card
from cnn_models.zoo import ARCHITECTURES

BUILT_IN = tuple(f"{architecture}.{dataset}" for dataset in DATASETS for architecture in ARCHITECTURES)

WORD = r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*"  # no "..", no "--", nothing that could leave a folder
ID = re.compile(rf"(?:(?P<owner>{WORD})/)?(?P<name>{WORD})(?:@(?P<revision>{WORD}(?:/{WORD})*))?")

KEPT = 16  # networks in memory: the ten of the line-up and a few from elsewhere
PATIENCE = 60  # seconds for which a failed look-up on the Hub is not tried again


def default_weights_dir() -> Path:
    """`CNN_WEIGHTS_DIR`, else `weights` beside the code."""
    return Path(os.environ.get("CNN_WEIGHTS_DIR") or Path(__file__).parents[1] / "weights")


class Reference(NamedTuple):
    """A checkpoint id taken apart. `owner` is None for the line-up's own; `str` gives the id, without `@main`."""

    owner: str | None
    name: str
    revision: str

    @property
    def dataset(self) -> str:
        return self.name.partition(".")[2]

    def __str__(self) -> str:
        owner = f"{self.owner}/" if self.owner else ""
        return f"{owner}{self.name}" + ("" if self.revision == "main" else f"@{self.revision}")


def parse(id: str) -> Reference:
    """Take `lenet5.mnist` or `someone/lenet5.mnist@revision` apart. Raises ValueError with the known names."""
    match = ID.fullmatch(id) if len(id) <= 200 else None
    if not match or match["name"] not in BUILT_IN or (match["revision"] and not match["owner"]):
        known = ", ".join(BUILT_IN)
        raise ValueError(f"{id!r:.80} is not a checkpoint; known are {known}, each also as owner/name@revision")
    return Reference(match["owner"], match["name"], match["revision"] or "main")


@dataclass(frozen=True)
class LoadedModel:
    """A network ready to answer. `source` is its folder in `weights/`, or `someone/lenet5.mnist@<commit>`."""

    id: str
    model: nn.Module
    card: Card
    device: torch.device
    source: str


@dataclass
class _Slot:
    """What the hub knows of one id; whoever holds `lock` may change it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: LoadedModel | None = None
    commit: str = ""  # what the branch was when it was first asked for, so that card and weights are of one version
    failure: str = ""
    failed: float = 0.0


class ModelHub:
    """All checkpoints by id, safe to share among threads.

    `weights_dir` is `CNN_WEIGHTS_DIR`, else `weights` beside the code; `namespace`, the owner on the Hub of what is
    not in it, is `CNN_HUB_NAMESPACE`, else none. The Hub is asked only for what neither folder nor cache holds, and
    once for the commit behind a branch.
    """

    def __init__(
        self,
        weights_dir: Path | str | None = None,
        namespace: str | None = None,
        device: torch.device | str | None = None,
    ):
        self.weights_dir = Path(weights_dir or default_weights_dir())
        self.namespace = namespace or os.environ.get("CNN_HUB_NAMESPACE") or None
        if self.namespace and not re.fullmatch(WORD, self.namespace):
            raise ValueError(f"CNN_HUB_NAMESPACE={self.namespace!r} is not the name of a user or organisation")
        self._device = device
        self._lock = threading.Lock()
        self._slots: dict[Reference, _Slot] = {}  # the last used at the end

    @cached_property
    def device(self) -> torch.device:
        return best_device(self._device and str(self._device))

    def folder(self, id: str) -> Path:
        """The folder with the files of a checkpoint, fetched where needed. Raises MissingCheckpoint, ValueError."""
        reference, slot = self._slot(id)
        with slot.lock:
            return self._find(reference, slot, FILES)[0]

    def card(self, id: str) -> Card:
        """The card of a checkpoint, without its weights. Raises CheckpointError, ValueError."""
        reference, slot = self._slot(id)
        with slot.lock:
            return _card(self._find(reference, slot, (CONFIG,))[0], reference.name)

    def cards(self) -> dict[str, Card]:
        """The cards in `weights/` by id. What is damaged is left out here; `card` and `get` say why. No network."""
        cards = {}
        for id in BUILT_IN:
            folder = self.weights_dir / id
            if (folder / CONFIG).is_file():
                with suppress(CheckpointError):
                    cards[id] = _card(folder, id)
        return cards

    def get(self, id: str) -> LoadedModel:
        """The network of a checkpoint, loaded and warmed up on first use. Raises CheckpointError, ValueError."""
        reference, slot = self._slot(id)
        with slot.lock:
            if slot.loaded is None:
                folder, source = self._find(reference, slot, FILES)
                _card(folder, reference.name)
                model, card = load_model(folder)
                model = place(model, self.device)
                with torch.inference_mode():  # the first run pays for set-up that no timing should show
                    model(torch.zeros(1, 1, card.input_size, card.input_size, device=self.device))
                slot.loaded = LoadedModel(str(reference), model, card, self.device, source)
            return slot.loaded

    def _slot(self, id: str) -> tuple[Reference, _Slot]:
        reference = parse(id)
        with self._lock:
            slot = self._slots[reference] = self._slots.pop(reference, None) or _Slot()
            while len(self._slots) > KEPT:
                del self._slots[next(iter(self._slots))]
        return reference, slot

    def _find(self, reference: Reference, slot: _Slot, files: tuple[str, ...]) -> tuple[Path, str]:
        local = self.weights_dir / reference.name
        if reference.owner is None and all((local / name).is_file() for name in needed(files)):
            return local, str(local)
        repository = f"{reference.owner or self.namespace}/{reference.name}"
        way_out = f"run `python -m training.train {reference.name}`"
        if not (reference.owner or self.namespace):
            raise MissingCheckpoint(
                f"no weights for {reference.name}; {way_out}, or set CNN_HUB_NAMESPACE to who has them on the Hub"
            )
        if slot.failure and time.monotonic() < slot.failed + PATIENCE:
            raise MissingCheckpoint(slot.failure)
        try:
            folder = fetch(repository, slot.commit or reference.revision, files)
        except MissingCheckpoint as error:
            slot.failure, slot.failed = f"no weights for {reference}: {error}; or {way_out}", time.monotonic()
            raise MissingCheckpoint(slot.failure) from error
        slot.commit = folder.name
        return folder, f"{repository}@{folder.name}"


def _card(folder: Path, name: str) -> Card:
    card = read_card(folder)
    if card.id != name:
        raise CheckpointError(f"{folder} holds {card.id}, not {name}; put it under its own name")
    return card
