"""A cache of loaded networks within a limit of bytes."""

from __future__ import annotations

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cnn_models.checkpoints.folder import CheckpointError

PATIENCE = 10  # seconds to wait until callers release networks

T = TypeVar("T")  # a dataclass with a field `model`


class NoRoom(CheckpointError):
    """A network that does not fit into memory beside those in use."""


@dataclass
class _Slot(Generic[T]):
    size: int = 0  # bytes reserved for the network, from before it is loaded
    loaded: T | None = None
    ready: threading.Event = field(default_factory=threading.Event)  # set when it is loaded, or could not be


class NetworkMemory(Generic[T]):
    """Networks of at most `limit` bytes, safe to share among threads.

    Beyond the limit, the least recently used are evicted, except those whose model a caller still holds.
    """

    def __init__(self, limit: int):
        self.limit = limit
        self._slots: OrderedDict[Hashable, _Slot[T]] = OrderedDict()  # the most recently used last
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all networks, including those being loaded."""
        return sum(slot.size for slot in list(self._slots.values()))

    def get(self, key: Hashable, id: str, size: int, load: Callable[[], T], timeout: float | None = None) -> T | None:
        """The network of a key, loaded by the first caller; `id` names it in errors, `size` is in bytes.

        None where another thread loads it for longer than `timeout` seconds. Raises NoRoom and the errors of `load`.
        """
        while True:
            with self._lock:
                is_first = key not in self._slots
                slot = self._slots.setdefault(key, _Slot())
                self._slots.move_to_end(key)
                loaded = slot.loaded
            if loaded:
                return loaded
            if is_first:
                return self._load(key, slot, id, size, load)
            if not slot.ready.wait(timeout):
                return None

    def evict(self, limit: int = 0) -> bool:
        """Evict networks down to `limit` bytes; whether that succeeded."""
        with self._lock:
            return self._evict(limit)

    def _load(self, key: Hashable, slot: _Slot[T], id: str, size: int, load: Callable[[], T]) -> T:
        try:
            self._reserve(slot, id, size)
            loaded = load()
            with self._lock:
                slot.loaded = loaded
            return loaded
        except BaseException:
            with self._lock:
                del self._slots[key]
            raise
        finally:
            slot.ready.set()

    def _reserve(self, slot: _Slot[T], id: str, size: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            with self._lock:
                if self._evict(self.limit - size):
                    slot.size = size
                    return
            if size > self.limit or time.monotonic() > deadline:
                raise NoRoom("checkpoint.room", id=id, size=f"{size / 1e6:.0f}", most=f"{self.limit / 1e6:.0f}")
            time.sleep(0.02)

    def _evict(self, limit: int) -> bool:
        used = self.size
        for key, slot in list(self._slots.items()):
            if used <= limit:
                break
            if slot.loaded and not _is_held(slot):
                used -= self._slots.pop(key).size
        return used <= limit


def _is_held(slot: _Slot) -> bool:
    """Whether a caller holds the model, which then survives the removal of the slot's own reference."""
    kind, fields = type(slot.loaded), vars(slot.loaded).copy()
    slot.loaded, held = None, weakref.ref(fields.pop("model"))
    if model := held():
        fields["model"] = model
        slot.loaded = kind(**fields)
    return model is not None
