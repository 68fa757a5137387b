"""Networks by their checkpoint id: from `weights/`, else the Hub's cache, else the Hub; each loaded once, when used."""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from cnn_models.checkpoint import (
    CONFIG,
    FILES,
    HEADER_LIMIT,
    HISTORY,
    SNAPSHOTS,
    SNAPSHOTS_LIMIT,
    CheckpointError,
    load_model,
    memory,
    read_card,
    read_snapshots,
)
from cnn_models.datasets import DATASETS
from cnn_models.fetch import MissingCheckpoint, StillComing, fetch, needed
from cnn_models.runtime import best_device, place
from cnn_models.specs import Card
from cnn_models.testsets import Measured, measure
from cnn_models.zoo import ARCHITECTURES

BUILT_IN = tuple(f"{architecture}.{dataset}" for dataset in DATASETS for architecture in ARCHITECTURES)

WORD = r"[A-Za-z0-9]+(?:[-_.][A-Za-z0-9]+)*"  # no "..", no "--", nothing that could leave a folder
ID = re.compile(rf"(?:(?P<owner>{WORD})/)?(?P<name>{WORD})(?:@(?P<revision>{WORD}(?:/{WORD})*))?")

MAX_MEMORY = 10**9  # bytes of loaded networks; the ten of the line-up have 0.43 GB
PATIENCE = 60  # seconds for which a failed look-up on the Hub is not tried again
ROOM_PATIENCE = 10  # seconds to wait for networks in use to leave the memory

# What a hub grants to strangers.
WAIT = 30  # seconds until who waits for a download is told how far it is
STRANGERS = 60  # new checkpoints of others, an hour
SLOTS = 1000  # ids that are remembered

T = TypeVar("T")

log = logging.getLogger(__name__)


def default_weights_dir() -> Path:
    """`CNN_WEIGHTS_DIR`, else `weights` beside the code."""
    return Path(os.environ.get("CNN_WEIGHTS_DIR") or Path(__file__).parents[1] / "weights")


class Reference(NamedTuple):
    """A checkpoint id taken apart. `owner` is None for the line-up's own; `str` gives the id, without `@main`."""

    owner: str | None
    name: str
    revision: str

    @property
    def architecture(self) -> str:
        return self.name.partition(".")[0]

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
    """A network ready to answer. `source` is `weights/lenet5.mnist`, or `someone/lenet5.mnist@<commit>`."""

    id: str
    model: nn.Module
    card: Card
    device: torch.device
    source: str


@dataclass
class _Slot:
    """What the hub knows of one id; who finds, fetches or loads holds `lock`, who looks at what is loaded the hub's."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    loaded: LoadedModel | None = None
    size: int = 0  # bytes that are set aside for the network, before it is loaded and until it is gone
    download: tuple[tuple[str, ...], Future] | None = None  # the files that are on their way
    progress: tuple[int, int] | None = None
    measuring: threading.Lock = field(default_factory=threading.Lock)
    measured: Measured | None = None
    commit: str = ""  # what the branch was when it was first asked for, so that card and weights are of one version
    failure: str = ""
    failed: float = 0.0


class ModelHub:
    """All checkpoints by id, safe to share among threads.

    `weights_dir` is `CNN_WEIGHTS_DIR`, else `weights` beside the code; `namespace`, the owner on the Hub of what is
    not in it, is `CNN_HUB_NAMESPACE`, else none. The Hub is asked only for what neither folder nor cache holds, and
    once for the commit behind a branch. Networks stay loaded up to `max_memory` bytes; then those used longest ago
    leave, unless somebody still holds them.

    A `public` hub answers strangers: what is of others is fetched without this machine's token, so many an hour, and
    who waits longer than `WAIT` for a download is told how far it is.
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
            raise ValueError(f"CNN_HUB_NAMESPACE={self.namespace!r} is not the name of a user or organisation")
        self.max_memory = max_memory
        self.public = public
        self._device = device
        self._lock = threading.Lock()
        self._slots: dict[Reference, _Slot] = {}  # the last used at the end
        self._strangers: deque[float] = deque(maxlen=STRANGERS)  # when the last new ones were asked for

    @cached_property
    def device(self) -> torch.device:
        return best_device(self._device and str(self._device))

    def folder(self, id: str) -> Path:
        """The folder with the files of a checkpoint, fetched where needed. Raises MissingCheckpoint, ValueError."""
        reference, slot, _ = self._slot(id)
        with self._held(reference, slot):
            return self._find(reference, slot, FILES)[0]

    def card(self, id: str) -> Card:
        """The card of a checkpoint, without its weights. Raises CheckpointError, ValueError."""
        reference, slot, _ = self._slot(id)
        with self._held(reference, slot):
            return _card(self._find(reference, slot, (CONFIG,))[0], reference.name)

    def snapshots(self, id: str) -> dict[str, Tensor] | None:
        """The `read_snapshots` of a checkpoint, not remembered. Raises CheckpointError, ValueError."""
        reference, slot, _ = self._slot(id)
        with self._held(reference, slot):
            if _card(self._find(reference, slot, (CONFIG,))[0], reference.name).snapshots_sha256 is None:
                return None
            return read_snapshots(self._find(reference, slot, (CONFIG, HISTORY, SNAPSHOTS))[0])

    def cards(self) -> dict[str, Card]:
        """The cards in `weights/` by id. What is damaged is left out here; `card` and `get` say why. No network."""
        cards = {}
        for id in BUILT_IN:
            folder = self.weights_dir / id
            if (folder / CONFIG).is_file():
                with suppress(CheckpointError):
                    cards[id] = _card(folder, id)
        return cards

    def progress(self, id: str) -> tuple[int, int] | None:
        """Bytes that came and bytes in all of a checkpoint that is on its way from the Hub, else None."""
        return self._slot(id)[1].progress

    def is_foreign(self, id: str) -> bool:
        """Whether a checkpoint is of somebody else: neither in `weights/` nor of the namespace. Raises ValueError."""
        return parse(id).owner not in (None, self.namespace)

    def get(self, id: str) -> LoadedModel:
        """The network of a checkpoint, loaded and warmed up on first use. Raises CheckpointError, ValueError."""
        return self._get(id, self.device)

    def run(self, id: str, use: Callable[[LoadedModel], T]) -> T:
        """What `use` gives for a network; out of the GPU's memory, others leave it, then the CPU answers."""
        for device in (self.device, self.device):
            try:
                return use(self._get(id, device))
            except torch.OutOfMemoryError as error:
                log.warning(
                    "%s does not fit on %s: %s", id, device, str(error)
                )  # not its frames, which hold the network
            with self._lock:
                self._evict(0)
            if device.type == "cuda":
                torch.cuda.empty_cache()
        loaded, cpu = self._get(id, torch.device("cpu")), torch.device("cpu")
        if loaded.device != cpu:  # others still answer with it on the GPU
            loaded = replace(loaded, model=_load(self.folder(id), cpu)[0], device=cpu)
        return use(loaded)

    def measure(self, id: str, seconds: float = math.inf) -> Measured:
        """The accuracy of a checkpoint on the bundled test set, whatever its card says; measured once.

        After so many seconds on a part of the set. Raises CheckpointError, ValueError.
        """
        slot = self._slot(id)[1]
        with slot.measuring:
            if slot.measured is None:
                slot.measured = self.run(id, lambda net: measure(net.model, net.card, seconds))
            return slot.measured

    def _get(self, id: str, device: torch.device) -> LoadedModel:
        reference, slot, loaded = self._slot(id)
        if loaded is None:
            with self._held(reference, slot):
                with self._lock:
                    loaded = slot.loaded
                if loaded is None:
                    folder, source = self._find(reference, slot, FILES)
                    _card(folder, reference.name)
                    self._make_room(reference, slot)
                    try:
                        loaded = LoadedModel(str(reference), *_load(folder, device), device, source)
                    except BaseException:
                        slot.size = 0
                        raise
                    with self._lock:
                        slot.loaded = loaded
        return loaded

    def _slot(self, id: str) -> tuple[Reference, _Slot, LoadedModel | None]:
        reference = parse(id)
        with self._lock:
            slot = self._slots[reference] = self._slots.pop(reference, None) or _Slot()
            idle = [
                key for key, other in self._slots.items() if not (other.size or other.download or other.lock.locked())
            ]
            for key in idle[: max(0, len(self._slots) - SLOTS)]:
                del self._slots[key]
            return reference, slot, slot.loaded

    @contextmanager
    def _held(self, reference: Reference, slot: _Slot) -> Iterator[None]:
        if not slot.lock.acquire(timeout=WAIT if self.public else -1):
            raise StillComing(self._coming(reference, slot))
        try:
            yield
        finally:
            slot.lock.release()

    def _coming(self, reference: Reference, slot: _Slot) -> str:
        done, total = slot.progress or (0, 0)
        far = f" ({done / 1e6:.1f} of {total / 1e6:.1f} MB)" if total else ""
        return f"{reference} is still on its way{far}; ask again in a moment"

    def _find(self, reference: Reference, slot: _Slot, files: tuple[str, ...]) -> tuple[Path, str]:
        local = self.weights_dir / reference.name
        if reference.owner is None and all((local / name).is_file() for name in needed(files)):
            return local, f"{self.weights_dir.name}/{reference.name}"
        repository = f"{reference.owner or self.namespace}/{reference.name}"
        way_out = f"run `python -m training.train {reference.name}`"
        if not (reference.owner or self.namespace):
            raise MissingCheckpoint(
                f"no weights for {reference.name}; {way_out}, or set CNN_HUB_NAMESPACE to who has them on the Hub"
            )
        if slot.failure and time.monotonic() < slot.failed + PATIENCE:
            raise MissingCheckpoint(slot.failure)
        stranger = self.public and self.is_foreign(str(reference))
        if stranger and not slot.commit:
            self._admit(reference)
        try:
            folder = self._download(reference, slot, repository, files, stranger)
        except StillComing:
            raise
        except MissingCheckpoint as error:
            slot.failure, slot.failed = f"no weights for {reference}: {error}; or {way_out}", time.monotonic()
            raise MissingCheckpoint(slot.failure) from error
        return folder, f"{repository}@{folder.name}"

    def _admit(self, reference: Reference) -> None:
        with self._lock:
            now = time.monotonic()
            if len(self._strangers) == STRANGERS and now < self._strangers[0] + 3600:
                minutes = (self._strangers[0] + 3600 - now) / 60
                raise CheckpointError(
                    f"{reference} is not looked up: {STRANGERS} checkpoints of others were, this hour; ask again in "
                    f"{minutes:.0f} minutes"
                )
            self._strangers.append(now)

    def _download(
        self, reference: Reference, slot: _Slot, repository: str, files: tuple[str, ...], stranger: bool
    ) -> Path:
        """`fetch` in a thread that goes on when nobody waits for it any more."""

        def work(future: Future) -> None:
            def progress(*counts: int) -> None:
                slot.progress = counts

            try:
                tensors = SNAPSHOTS_LIMIT if SNAPSHOTS in files else memory(reference.architecture)
                revision = slot.commit or reference.revision
                future.set_result(fetch(repository, revision, files, tensors + HEADER_LIMIT, stranger, progress))
            except BaseException as error:
                future.set_exception(error)
            finally:
                slot.progress = None

        if slot.download is None:
            slot.download = files, Future()
            threading.Thread(target=work, args=slot.download[1:], daemon=True).start()
        coming, future = slot.download
        if not wait([future], WAIT if self.public else None).done:
            raise StillComing(self._coming(reference, slot))
        slot.download = None
        slot.commit = future.result().name
        # Only the card may have been coming, for somebody else.
        return future.result() if coming == files else self._download(reference, slot, repository, files, stranger)

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
                    f"{reference} needs {size / 1e6:.0f} MB, and there is no room for it in the "
                    f"{self.max_memory / 1e6:.0f} MB of --max-memory beside what is in use; ask again, or raise it"
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
        raise CheckpointError(f"{folder} holds {card.id}, not {name}; put it under its own name")
    return card
