"""Networks by their checkpoint id: from `weights/`, else the Hub's cache, else the Hub; each loaded once, when used."""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from cnn_models.checkpoints.folder import (
    CONFIG,
    FILES,
    HISTORY,
    SNAPSHOTS,
    CheckpointError,
    load_model,
    memory,
    read_card,
    read_snapshots,
)
from cnn_models.checkpoints.ids import BUILT_IN, WORD, Reference, parse
from cnn_models.datasets.test_sets import Measured, measure
from cnn_models.hub.client import MissingCheckpoint, needed
from cnn_models.hub.downloads import Puller
from cnn_models.network import Network
from cnn_models.runtime import CLONE, best_device, is_out_of_memory, place
from cnn_models.specs import Card
from cnn_models.visitors import map_in_context

MAX_MEMORY = 10**9  # bytes of loaded networks; the ten of the line-up have 0.43 GB
LOADING = 30  # seconds for which visitors wait while another's question loads a network
ROOM_PATIENCE = 10  # seconds to wait for networks in use to leave the memory
SLOTS = 1000  # folders that are remembered

T = TypeVar("T")

log = logging.getLogger(__name__)


def default_weights_dir() -> Path:
    """`CNN_WEIGHTS_DIR`, else `weights` in the clone or, once installed as a package, in the current folder."""
    return Path(os.environ.get("CNN_WEIGHTS_DIR") or (CLONE or Path()) / "weights")


class _Refused(CheckpointError):
    """A checkpoint whose files are not what they should be."""


@dataclass(frozen=True)
class LoadedModel(Network):
    """A network of a hub. `source` is `weights/lenet5.mnist`, or `someone/lenet5.mnist@<commit>`."""

    id: str
    source: str


@dataclass
class _Slot:
    """The network of one folder; who loads it holds `lock`, who looks at what is loaded the hub's."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: LoadedModel | None = None
    size: int = 0  # bytes that are set aside for the network, before it is loaded and until it is gone
    measuring: threading.Lock = field(default_factory=threading.Lock)
    measured: Measured | None = None


class ModelHub:
    """All checkpoints by id, safe to share among threads.

    `weights_dir` is by default that of `default_weights_dir`; `namespace`, the owner on the Hub of what is
    not in it, is `CNN_HUB_NAMESPACE`, else none. The Hub is asked only for what neither folder nor cache holds, and
    for the commit behind a branch. Networks stay loaded up to `max_memory` bytes; then those used longest ago leave,
    unless somebody still holds them. A `public` hub answers untrusted clients, within limits; see `Puller`.
    """

    def __init__(
        self,
        weights_dir: Path | str | None = None,
        namespace: str | None = None,
        device: torch.device | str | None = None,
        max_memory: int = MAX_MEMORY,
        public: bool = False,
    ):
        self.weights_dir = Path(weights_dir or default_weights_dir())
        self.namespace = namespace or os.environ.get("CNN_HUB_NAMESPACE") or None
        if self.namespace and not re.fullmatch(WORD, self.namespace):
            raise ValueError(
                f"{self.namespace!r} is not the name of a user or organisation on the Hub; correct the namespace, or "
                "CNN_HUB_NAMESPACE"
            )
        self.max_memory = max_memory
        self._device = device
        self._puller = Puller(self.namespace, public)
        self._lock = threading.Lock()
        self._slots: dict[tuple[Path, int], _Slot] = {}  # the last used at the end

    @cached_property
    def device(self) -> torch.device:
        return best_device(self._device and str(self._device))

    def folder(self, id: str) -> Path:
        """The folder with the files of a checkpoint, fetched where needed. Raises MissingCheckpoint, ValueError."""
        return self._find(parse(id), FILES)

    def fetch(self, ids: Collection[str]) -> None:
        """Fetch what is missing of several checkpoints, side by side. Raises MissingCheckpoint, ValueError."""
        if self.namespace or any("/" in id for id in ids):
            with ThreadPoolExecutor() as pool:
                map_in_context(pool, self.folder, ids)

    def card(self, id: str) -> Card:
        """The card of a checkpoint, without its weights. Raises CheckpointError, ValueError."""
        reference = parse(id)
        return self._read(reference, (CONFIG,), lambda folder: self._card(reference, folder))

    def snapshots(self, id: str) -> dict[str, Tensor] | None:
        """The `read_snapshots` of a checkpoint, not remembered. Raises CheckpointError, ValueError."""
        if self.card(id).snapshots_sha256 is None:
            return None
        reference = parse(id)

        def read(folder: Path) -> dict[str, Tensor] | None:
            with self._named(reference, folder):
                return read_snapshots(folder)

        return self._read(reference, (CONFIG, HISTORY, SNAPSHOTS), read)

    def pin(self, id: str) -> str:
        """The id that stands for what a branch is now: `someone/lenet5.mnist@<commit>`, fetched where needed.

        One of `weights/` stays as it is. Raises MissingCheckpoint, ValueError.
        """
        reference, folder = parse(id), self.folder(id)
        return str(reference) if folder.parent == self.weights_dir else self._source(reference, folder)

    def cards(self) -> dict[str, Card]:
        """The cards in `weights/` by id. What is damaged is left out here; `card` and `get` say why. No network."""
        cards = {}
        for id in BUILT_IN:
            folder = self.weights_dir / id
            if (folder / CONFIG).is_file():
                with suppress(CheckpointError):
                    cards[id] = _card(folder, id)
        return cards

    def known(self) -> dict[str, Card]:
        """`cards`, and with a namespace those of the line-up that the Hub or its cache has."""
        cards = self.cards()
        missing = [id for id in BUILT_IN if id not in cards] if self.namespace else []
        with ThreadPoolExecutor(len(missing) or 1) as pool:
            found = dict(zip(missing, map_in_context(pool, self._card_or_none, missing), strict=True))
        return {id: card for id in BUILT_IN if (card := cards.get(id) or found.get(id))}

    def _card_or_none(self, id: str) -> Card | None:
        with suppress(CheckpointError):
            return self.card(id)
        return None

    def progress(self, id: str) -> tuple[int, int] | None:
        """Bytes that came and bytes in all of a checkpoint that is on its way from the Hub, else None."""
        return self._puller.progress(parse(id))

    def is_foreign(self, id: str) -> bool:
        """Whether a checkpoint is of somebody else: neither in `weights/` nor of the namespace. Raises ValueError."""
        return not self._puller.is_own(parse(id))

    def get(self, id: str) -> LoadedModel:
        """The network of a checkpoint, loaded and warmed up on first use. Raises CheckpointError, ValueError."""
        return self._get(id, self.device)

    def run(self, id: str, use: Callable[[LoadedModel], T]) -> T:
        """What `use` gives for a network; out of the GPU's memory, others leave it, then the CPU answers."""
        for device in (self.device, self.device):
            try:
                return use(self._get(id, device))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                # The text alone, as the error's frames hold the network.
                log.warning("%s does not fit on %s: %s", id, device, str(error))
            with self._lock:
                self._evict(0)
            if device.type != "cpu":
                torch.get_device_module(device).empty_cache()
        loaded, cpu = self._get(id, torch.device("cpu")), torch.device("cpu")
        if loaded.device != cpu:  # others still answer with it on the GPU
            loaded = replace(loaded, model=_load(self.folder(id), cpu)[0], device=cpu)
        return use(loaded)

    def measure(
        self, id: str, seconds: float = math.inf, progress: Callable[[int], None] = lambda count: None
    ) -> Measured:
        """The accuracy of a checkpoint on the bundled test set, whatever its card says; measured once.

        After so many seconds on a part of the set, which does for whoever gives it seconds; `progress` is called with
        how many pictures were shown. Raises CheckpointError, ValueError.
        """
        id = self.pin(id)
        slot = self._slot(self.folder(id))
        with slot.measuring:
            if slot.measured is None or not (slot.measured.whole or math.isfinite(seconds)):
                slot.measured = self.run(id, lambda net: measure(net.model, net.card, seconds, progress))
            return slot.measured

    def _get(self, id: str, device: torch.device) -> LoadedModel:
        reference = parse(id)

        def read(folder: Path) -> LoadedModel:
            slot = self._slot(folder)
            with self._lock:
                loaded = slot.loaded
            return loaded or self._first(reference, folder, slot, device)

        loaded = self._read(reference, FILES, read)
        return loaded if loaded.id == str(reference) else replace(loaded, id=str(reference))

    def _read(self, reference: Reference, files: tuple[str, ...], read: Callable[[Path], T]) -> T:
        """What `read` makes of a folder with these files; what came damaged from the Hub is fetched anew, once."""
        folder = self._find(reference, files)
        try:
            return read(folder)
        except _Refused:
            if not self._puller.doubt(reference, folder):
                raise
            return read(self._find(reference, files))

    def _first(self, reference: Reference, folder: Path, slot: _Slot, device: torch.device) -> LoadedModel:
        """Load a network once; those who ask for it meanwhile wait, but visitors not for ever."""
        if not slot.lock.acquire(timeout=LOADING if self._puller.public else -1):
            raise self._puller.still_coming(reference)
        try:
            with self._lock:
                loaded = slot.loaded
            if loaded is None:
                self._card(reference, folder)
                self._make_room(reference, slot)
                try:
                    with self._named(reference, folder):
                        model, card = _load(folder, device)
                except BaseException:
                    slot.size = 0
                    raise
                loaded = LoadedModel(model, card, device, str(reference), self._source(reference, folder))
                with self._lock:
                    slot.loaded = loaded
        finally:
            slot.lock.release()
        return loaded

    def _slot(self, folder: Path) -> _Slot:
        version = folder, 0
        with suppress(OSError):  # a training may replace what is in `weights/`, even now: loading says what is wrong
            version = folder, (folder / CONFIG).stat().st_mtime_ns
        with self._lock:
            slot = self._slots[version] = self._slots.pop(version, None) or _Slot()
            idle = [key for key, other in self._slots.items() if not (other.size or other.lock.locked())]
            for key in idle[: max(0, len(self._slots) - SLOTS)]:
                del self._slots[key]
            return slot

    def _find(self, reference: Reference, files: tuple[str, ...]) -> Path:
        local = self.weights_dir / reference.name
        if reference.owner is None and all((local / name).is_file() for name in needed(files)):
            return local
        if not (reference.owner or self.namespace):
            raise MissingCheckpoint(
                "checkpoint.none",
                id=reference.name,
            )
        return self._puller.pull(reference, files)

    def _card(self, reference: Reference, folder: Path) -> Card:
        with self._named(reference, folder):
            return _card(folder, reference.name)

    @contextmanager
    def _named(self, reference: Reference, folder: Path) -> Iterator[None]:
        """Errors name the checkpoint and not its folder, as untrusted clients must not learn where the cache is."""
        try:
            yield
        except CheckpointError as error:
            source = self._source(reference, folder)
            values = {
                name: value.replace(str(folder), source) if isinstance(value, str) else value
                for name, value in error.values.items()
            }
            raise _Refused(error.code, **values) from error

    def _source(self, reference: Reference, folder: Path) -> str:
        if folder.parent == self.weights_dir:
            return f"{self.weights_dir.name}/{reference.name}"
        return f"{reference.owner or self.namespace}/{reference.name}@{folder.name}"

    def _make_room(self, reference: Reference, slot: _Slot) -> None:
        """Set memory aside for a network; where others that are in use take it, wait for them a little."""
        size, deadline = memory(reference.architecture), time.monotonic() + ROOM_PATIENCE
        while True:
            with self._lock:
                if self._evict(self.max_memory - size):
                    slot.size = size
                    return
            if size > self.max_memory or time.monotonic() > deadline:
                raise CheckpointError(
                    "checkpoint.room",
                    id=reference,
                    size=f"{size / 1e6:.0f}",
                    most=f"{self.max_memory / 1e6:.0f}",
                )
            time.sleep(0.02)

    def _evict(self, limit: int) -> bool:
        """Let go of networks that nobody holds, the one used longest ago first; whether all now fit into the limit."""
        used = sum(slot.size for slot in self._slots.values())
        for slot in self._slots.values():
            if used <= limit:
                break
            if slot.loaded:
                rest = vars(slot.loaded).copy()
                slot.loaded, in_use = None, weakref.ref(rest.pop("model"))
                if model := in_use():  # the references that others have are what says so
                    slot.loaded = LoadedModel(model=model, **rest)
                else:
                    used, slot.size = used - slot.size, 0
        return used <= limit


def _load(folder: Path, device: torch.device) -> tuple[nn.Module, Card]:
    model, card = load_model(folder)
    model = place(model, device)
    with torch.inference_mode():  # the first run pays for set-up that no timing should show
        model(torch.zeros(1, 1, card.input_size, card.input_size, device=device))
    return model, card


def _card(folder: Path, name: str) -> Card:
    card = read_card(folder)
    if card.id != name:
        raise CheckpointError("checkpoint.name", folder=folder, found=card.id, id=name)
    return card
