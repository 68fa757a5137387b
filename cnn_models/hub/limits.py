"""Limits of untrusted clients on look-ups, downloads and disk."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from pathlib import Path

from cachetools import LRUCache

from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.checkpoints.ids import BUILT_IN, Reference
from cnn_models.visitors import VISITOR

LOOKUPS = 20  # new names an hour for each visitor: all checkpoints of both data sets, and as many misspelled ones
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
        self._lookups = Hourly(LOOKUPS, "checkpoint.lookups")
        self._downloads = Hourly(DOWNLOADS, "checkpoint.downloads")
        self._places = threading.Semaphore(AT_ONCE)
        self._places_of: LRUCache[str, threading.Semaphore] = LRUCache(REMEMBERED)  # by visitor
        self._lock = threading.Lock()

    def count_lookup(self, reference: Reference) -> None:
        """Count a new name for the current visitor, if any. Raises CheckpointError beyond LOOKUPS."""
        if visitor := VISITOR.get().address:
            self._lookups.count(reference, visitor)

    def count_download(self, reference: Reference) -> None:
        """Count a new checkpoint. Raises CheckpointError beyond DOWNLOADS."""
        self._downloads.count(reference)

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

    def __init__(self, most: int, code: str):
        self._most, self._code = most, code
        self._times: LRUCache[str, deque[float]] = LRUCache(REMEMBERED)  # of the latest events, by visitor
        self._lock = threading.Lock()

    def count(self, reference: Reference, visitor: str = "") -> None:
        """Count an event. Raises CheckpointError with the code and the minutes to wait where it is one too many."""
        now = time.monotonic()
        with self._lock:
            times = self._times.setdefault(visitor, deque(maxlen=self._most))
            if len(times) == self._most and (left := times[0] + HOUR - now) > 0:
                raise CheckpointError(self._code, id=reference, count=self._most, minutes=f"{left / 60:.0f}")
            times.append(now)


def prune_cache(namespace: str | None, newest: Path) -> None:
    """Evict the least recently used third-party commits from the Hub's cache beyond DISK, but not the folder `newest`.

    Third-party are those of other owners, and those of the namespace that are not `main`.
    """
    from huggingface_hub import constants, scan_cache_dir

    with _pruning, suppress(OSError):  # other processes may delete too
        scan = scan_cache_dir(constants.HF_HUB_CACHE)
        found = [
            (max((file.blob_last_accessed for file in commit.files), default=0), commit.size_on_disk, repo, commit)
            for repo in scan.repos
            for commit in repo.revisions
            if repo.repo_type == "model" and _is_third_party(repo.repo_id, commit.refs, namespace)
        ]
        excess = sum(size for _, size, *_ in found) - DISK
        for _, size, repo, commit in sorted(found, key=lambda each: each[0]):
            if excess > 0 and commit.snapshot_path != newest:
                only = replace(scan, repos=frozenset((repo,)))  # copies of a repository have the same commits
                only.delete_revisions(commit.commit_hash).execute()
                excess -= size


def _is_third_party(repository: str, refs: Collection[str], namespace: str | None) -> bool:
    owner, _, name = repository.partition("/")
    return name in BUILT_IN and (owner != namespace or "main" not in refs)
