"""Limits on what untrusted clients cause through the hub: look-ups and downloads an hour and at once, and disk."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from cachetools import LRUCache

from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import BUILT_IN, Reference
from cnn_models.visitors import VISITOR

LOOKUPS = 20  # new names an hour for each visitor: all checkpoints of both data sets, and as many mistakes
DOWNLOADS = 60  # new third-party checkpoints an hour for all visitors
AT_ONCE = 4  # look-ups and downloads of third-party checkpoints
OF_ONE = 2  # of these, for one visitor
DISK = 4 * 10**9  # bytes of third-party checkpoints in the Hub's cache

HOUR = 3600  # seconds
REMEMBERED = 10_000  # visitors; beyond that, the least recently used are evicted

_pruning = threading.Lock()


class Limits:
    """The limits on third-party checkpoints, safe to share among threads. A trusted caller has no `VISITOR` address."""

    def __init__(self) -> None:
        self._lookups, self._downloads = Hourly(LOOKUPS), Hourly(DOWNLOADS)
        self._places = threading.Semaphore(AT_ONCE)
        self._places_of: LRUCache[str, threading.Semaphore] = LRUCache(REMEMBERED)  # by visitor
        self._lock = threading.Lock()

    def count_lookup(self, reference: Reference) -> None:
        """Count a new name for the current visitor, if any. Raises CheckpointError beyond LOOKUPS."""
        if visitor := VISITOR.get().address:
            _count(self._lookups, visitor, "checkpoint.lookups", reference)

    def count_download(self, reference: Reference) -> None:
        """Count a new checkpoint. Raises CheckpointError beyond DOWNLOADS."""
        _count(self._downloads, "", "checkpoint.downloads", reference)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for one of the places of the current visitor and of all, and hold both."""
        visitor = VISITOR.get().address
        with self._lock:
            own = self._places_of.setdefault(visitor, threading.Semaphore(OF_ONE)) if visitor else nullcontext()
        with own, self._places:
            yield


class Hourly:
    """At most `most` events an hour for each visitor, safe to share among threads."""

    def __init__(self, most: int):
        self.most = most
        self._times: LRUCache[str, deque[float]] = LRUCache(REMEMBERED)  # of the latest events, by visitor
        self._lock = threading.Lock()

    def take(self, visitor: str) -> float:
        """Count an event and return 0, or return the seconds until the next one is allowed."""
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(visitor, deque(maxlen=self.most))
            if len(times) == self.most and (left := times[0] + HOUR - now) > 0:
                return left
            times.append(now)
            return 0


def _count(hourly: Hourly, visitor: str, code: str, reference: Reference) -> None:
    if seconds := hourly.take(visitor):
        raise CheckpointError(code, id=reference, count=hourly.most, minutes=f"{seconds / 60:.0f}")


def prune_cache(namespace: str | None, newest: Path) -> None:
    """Evict the least recently used third-party checkpoints from the Hub's cache beyond DISK.

    Third-party are repositories of other owners, evicted whole, and revisions of the namespace's that are not `main`.
    `newest`, the folder of a commit, stays.
    """
    from huggingface_hub import constants, scan_cache_dir

    with _pruning, suppress(OSError):  # other processes delete there too
        scan, found = scan_cache_dir(constants.HF_HUB_CACHE), []
        for repo in scan.repos:
            owner, _, name = repo.repo_id.partition("/")
            if repo.repo_type != "model" or name not in BUILT_IN:
                continue
            if owner != namespace:
                found.append((repo.last_accessed, repo.size_on_disk, repo, None))
            else:
                others = [each for each in repo.revisions if "main" not in each.refs]
                found += [(each.last_modified, each.size_on_disk, repo, each) for each in others]
        excess = sum(size for _, size, *_ in found) - DISK
        for _, size, repo, revision in sorted(found, key=lambda each: each[0]):
            is_kept = newest.is_relative_to(revision.snapshot_path if revision else repo.repo_path)
            if excess <= 0 or is_kept:
                continue
            if revision:
                scan.delete_revisions(revision.commit_hash).execute()
            else:  # not by its commits, which copies of the repository share
                shutil.rmtree(repo.repo_path, ignore_errors=True)
            excess -= size
