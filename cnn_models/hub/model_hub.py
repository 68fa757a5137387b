"""Networks by checkpoint id: from `weights/`, else the Hub's cache, else the Hub; loaded on first use."""

from __future__ import annotations

import logging
import math
import os
import re
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import torch
from cachetools import LRUCache
from torch import Tensor, nn

from cnn_models.checkpoints.centroids import Centroids, read_centroids
from cnn_models.checkpoints.folder import (
    CENTROIDS,
    CONFIG,
    FILES,
    HISTORY,
    REQUIRED,
    SNAPSHOTS,
    CheckpointError,
    load_model,
    memory,
    read_card,
    read_snapshots,
)
from cnn_models.checkpoints.ids import BUILT_IN, WORD, Reference, parse
from cnn_models.datasets.test_sets import Measured, measure
from cnn_models.folders import default_weights_dir
from cnn_models.hub.downloads import Downloads
from cnn_models.hub.errors import MissingCheckpoint
from cnn_models.hub.network_memory import NetworkMemory, NoRoom
from cnn_models.network import Network
from cnn_models.runtime import best_device, is_out_of_memory, place
from cnn_models.specs import Card
from cnn_models.visitors import map_in_context

MAX_MEMORY = 10**9  # bytes of loaded networks; all ten checkpoints have 0.43 GB
LOADING = 30  # seconds that an untrusted client waits while another request loads a network
MEASURED = 1000  # checkpoints whose accuracy is remembered; beyond that, the least recently used are evicted

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedModel(Network):
    """A network with its id; `source` is `weights/lenet5.mnist` or `someone/lenet5.mnist@<commit>`."""

    id: str
    source: str


@dataclass
class _Measurement:
    lock: threading.Lock = field(default_factory=threading.Lock)
    result: Measured | None = None


class ModelHub:
    """All checkpoints by id, safe to share among threads.

    `weights_dir` is by default `default_weights_dir()`; `namespace`, the owner on the Hub of checkpoints that are not
    there, `CNN_HUB_NAMESPACE`, else none. Networks stay loaded up to `max_memory` bytes, see `NetworkMemory`. A
    `public` hub serves untrusted clients, within limits, see `Downloads`.

    Guarantees: the Hub is requested only for files that are neither in the folder nor in the cache, and for the commit
    of a branch. A checkpoint that is damaged in the Hub's cache is compared with the Hub's hashes and downloaded again,
    once. Errors name the checkpoint, not the folder of the cache. All methods with an id raise ValueError for an
    unknown one, and MissingCheckpoint or another CheckpointError for one that cannot be used.
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
        self._device = device
        self._downloads = Downloads(self.namespace, public)
        self._networks: NetworkMemory[LoadedModel] = NetworkMemory(max_memory)
        self._measurements: LRUCache[tuple[Path, int], _Measurement] = LRUCache(MEASURED)
        self._centroids: LRUCache[tuple[Path, int], Centroids | None] = LRUCache(len(BUILT_IN))
        self._lock = threading.Lock()

    @cached_property
    def device(self) -> torch.device:
        return best_device(self._device and str(self._device))

    def folder(self, id: str) -> Path:
        """The folder with the files of a checkpoint, downloaded if needed."""
        return self._find(parse(id), FILES)

    def fetch(self, ids: Collection[str]) -> None:
        """Download the missing files of several checkpoints, concurrently."""
        if self.namespace or any("/" in id for id in ids):
            with ThreadPoolExecutor() as pool:
                map_in_context(pool, self.folder, ids)

    def card(self, id: str) -> Card:
        """The card of a checkpoint, without its weights."""
        reference = parse(id)
        return self._read(reference, (CONFIG,), lambda folder: _card(folder, reference.name))

    def snapshots(self, id: str) -> dict[str, Tensor] | None:
        """The `read_snapshots` of a checkpoint, not kept in memory."""
        if self.card(id).snapshots_sha256 is None:
            return None
        return self._read(parse(id), (CONFIG, HISTORY, SNAPSHOTS), read_snapshots)

    def centroids(self, id: str) -> Centroids | None:
        """The `read_centroids` of a checkpoint, kept in memory."""

        def read(folder: Path) -> Centroids | None:
            version = _version(folder)
            with self._lock:
                if version not in self._centroids:
                    self._centroids[version] = read_centroids(folder)
                return self._centroids[version]

        return self._read(parse(id), (CONFIG, CENTROIDS), read)

    def pin(self, id: str) -> str:
        """The id of a branch's current commit, `someone/lenet5.mnist@<commit>`; an id in `weights/` unchanged."""
        reference, folder = parse(id), self.folder(id)
        return str(reference) if folder.parent == self.weights_dir else self._source(reference, folder)

    def cards(self) -> dict[str, Card]:
        """The cards in `weights/` by id, without damaged ones, for which `card` and `get` raise; without a request."""
        cards = {}
        for id in BUILT_IN:
            folder = self.weights_dir / id
            if (folder / CONFIG).is_file():
                with suppress(CheckpointError):
                    cards[id] = _card(folder, id)
        return cards

    def known(self) -> dict[str, Card]:
        """`cards`, and those of the namespace, on the Hub or in its cache."""
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
        """Bytes so far and in all of a download in progress, else None."""
        return self._downloads.progress(parse(id))

    def is_third_party(self, id: str) -> bool:
        """Whether it is a third-party checkpoint: neither in `weights/` nor of the namespace."""
        return not self._downloads.is_own(parse(id))

    def get(self, id: str) -> LoadedModel:
        """The network of a checkpoint, loaded on first use."""
        return self._get(id, self.device)

    def run(self, id: str, use: Callable[[LoadedModel], T]) -> T:
        """The result of `use` on a network. On a full GPU the other networks are evicted, then it runs on the CPU."""
        for _ in range(2):
            try:
                return use(self.get(id))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                # Only the message, as the traceback holds the network.
                log.warning("%s does not fit on %s: %s", id, self.device, str(error))
            self._networks.evict()
            if self.device.type != "cpu":
                torch.get_device_module(self.device).empty_cache()
        loaded, cpu = self._get(id, torch.device("cpu")), torch.device("cpu")
        if loaded.device != cpu:  # it is still in use on the GPU
            loaded = replace(loaded, model=_load(self.folder(id), cpu)[0], device=cpu)
        return use(loaded)

    def measure(
        self, id: str, seconds: float = math.inf, progress: Callable[[int], None] = lambda count: None
    ) -> Measured:
        """The accuracy of a checkpoint on the bundled test set, measured once, independent of its card.

        With `seconds`, on the part of the set that is measured in that time, or on more if that is known. `progress`
        is called with the number of images so far.
        """
        id = self.pin(id)
        version = _version(self.folder(id))
        with self._lock:
            measurement = self._measurements.setdefault(version, _Measurement())
        with measurement.lock:
            if measurement.result is None or not (measurement.result.whole or math.isfinite(seconds)):
                measurement.result = self.run(id, lambda net: measure(net.model, net.card, seconds, progress))
            return measurement.result

    def _get(self, id: str, device: torch.device) -> LoadedModel:
        reference = parse(id)
        name = str(reference)

        def read(folder: Path) -> LoadedModel | None:
            def load() -> LoadedModel:
                _card(folder, reference.name)
                return LoadedModel(*_load(folder, device), device, name, self._source(reference, folder))

            size, timeout = memory(reference.architecture), LOADING if self._downloads.public else None
            return self._networks.get(_version(folder), name, size, load, timeout)

        if not (loaded := self._read(reference, FILES, read)):
            raise self._downloads.pending(reference)
        return loaded if loaded.id == name else replace(loaded, id=name)

    def _read(self, reference: Reference, files: tuple[str, ...], read: Callable[[Path], T]) -> T:
        """The result of `read` on the folder with these files; repeated once after the download of damaged files."""
        folder = self._find(reference, files)
        try:
            return read(folder)
        except (MissingCheckpoint, NoRoom):
            raise
        except CheckpointError as error:
            if self._downloads.verify_next(reference, folder):
                return self._read(reference, files, read)
            values, source = error.values.items(), self._source(reference, folder)
            named = {key: each.replace(str(folder), source) if isinstance(each, str) else each for key, each in values}
            raise CheckpointError(error.code, **named) from error

    def _find(self, reference: Reference, files: tuple[str, ...]) -> Path:
        local = self.weights_dir / reference.name
        if reference.owner is None and all((local / name).is_file() for name in files if name in REQUIRED):
            return local
        if not (reference.owner or self.namespace):
            raise MissingCheckpoint("checkpoint.none", id=reference.name)
        return self._downloads.folder(reference, files)

    def _source(self, reference: Reference, folder: Path) -> str:
        if folder.parent == self.weights_dir:
            return f"{self.weights_dir.name}/{reference.name}"
        return f"{reference.owner or self.namespace}/{reference.name}@{folder.name}"


def _version(folder: Path) -> tuple[Path, int]:
    """A folder and its modification time in ns, which changes when a training replaces it in `weights/`."""
    with suppress(OSError):  # it may be replaced at this moment; loading it then raises the error
        return folder, (folder / CONFIG).stat().st_mtime_ns
    return folder, 0


def _load(folder: Path, device: torch.device) -> tuple[nn.Module, Card]:
    model, card = load_model(folder)
    model = place(model, device)
    with torch.inference_mode():  # the first run includes set-up, which would distort timings
        model(torch.zeros(1, 1, card.input_size, card.input_size, device=device))
    return model, card


def _card(folder: Path, name: str) -> Card:
    card = read_card(folder)
    if card.id != name:
        raise CheckpointError("checkpoint.name", folder=folder, found=card.id, id=name)
    return card
