"""Downloads from the Hub: each checkpoint once, and within limits for untrusted clients."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, wait
from contextlib import nullcontext
from contextvars import copy_context
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cachetools import LRUCache

from cnn_models.checkpoints.folder import HEADER_LIMIT, SNAPSHOTS, SNAPSHOTS_LIMIT, WEIGHTS, memory
from cnn_models.checkpoints.ids import COMMIT, Reference
from cnn_models.hub.errors import DownloadPending, MissingCheckpoint, NotPublic
from cnn_models.hub.limits import Limits, prune_cache

FRESH = 300  # seconds until a branch is looked up again
PATIENCE = 60  # seconds until a failed look-up or download is repeated
REMEMBERED = 1000  # references; beyond that, the least recently used are evicted
WAIT = 3  # seconds that an untrusted client waits for a download

log = logging.getLogger(__name__)


@dataclass
class _Entry:
    """The state of a reference: the folder of its commit, and the files of it that were requested."""

    reference: Reference
    repository: str
    is_limited: bool  # a third-party checkpoint for untrusted clients
    folder: Path | None = None
    files: frozenset[str] = frozenset()
    looked_up: float = -math.inf  # when the commit of the revision was last requested from the Hub
    must_verify: bool = False  # by comparing the files with the Hub's hashes
    verified: Path | None = None  # the last folder with verified files
    task: Future[Path] | None = None  # the look-up or download in progress
    progress: tuple[int, int] = (0, 0)
    failure: MissingCheckpoint | None = None
    failed: float = -math.inf

    @property
    def is_fresh(self) -> bool:
        return self.reference.pinned or time.monotonic() < self.looked_up + FRESH

    def known(self, files: Collection[str]) -> Path | None:
        """The folder, if it serves a request for these files; it may have been deleted meanwhile."""
        if self.folder and not self.folder.is_dir():
            self.folder, self.files = None, frozenset()
        return self.folder if self.files.issuperset(files) and not self.must_verify else None

    def revision(self, files: Collection[str]) -> str:
        """The revision to request: the known commit if it is fresh or for its snapshots, else the branch."""
        if self.folder and (SNAPSHOTS in files or self.is_fresh):
            return self.folder.name
        return self.reference.revision

    def cached(self, revision: str, files: Collection[str], whole: bool = False) -> Path | None:
        """The folder in the Hub's cache, without a request; None where it is damaged or no longer public."""
        from cnn_models.hub.client import cached  # huggingface_hub is imported only where the Hub is used

        is_refused = self.must_verify or isinstance(self.failure, NotPublic)
        return None if is_refused else cached(self.repository, revision, files, whole, anonymous=self.is_limited)

    def serve(self, folder: Path, files: Collection[str]) -> Path:
        """Record that a folder serves requests for these files, and return it."""
        self.files = frozenset(files) | (self.files if folder == self.folder else frozenset())
        self.folder, self.failure = folder, None
        return folder

    def fail(self, error: BaseException, files: Collection[str]) -> Path | None:
        """Record a failure, and return the cached folder that serves instead, if any."""
        if not isinstance(error, MissingCheckpoint):
            return None
        self.failure, self.failed = copy(error), time.monotonic()
        if isinstance(error, NotPublic):
            self.folder, self.files = None, frozenset()
        if folder := self.cached(self.reference.revision, files):
            log.warning("%s is served from the cache: %s", self.repository, error)
        return folder

    def report(self, done: int, total: int) -> None:
        self.progress = done, total


class Downloads:
    """Checkpoint folders in the Hub's cache, safe to share among threads.

    Guarantees:

    - Card and weights of a branch are of one commit. It is looked up again after `FRESH` seconds, while the known
      commit is served, until the newer one is complete.
    - Each file is downloaded once, however many threads request it. A failure is not repeated for `PATIENCE` seconds;
      the cache serves instead, unless its files are damaged.
    - With `public`, for untrusted clients: third-party checkpoints are downloaded without this machine's token, within
      `Limits`, and the cache serves only repositories that were public at their last look-up.
    """

    def __init__(self, namespace: str | None, public: bool):
        self.namespace, self.public = namespace, public
        self._lock = threading.Lock()
        self._entries: LRUCache[Reference, _Entry] = LRUCache(REMEMBERED)
        self._limits = Limits()

    def is_own(self, reference: Reference) -> bool:
        """Whether it is the namespace's `main`; other revisions are third-party, as anyone can open pull requests."""
        return reference.owner is None or (reference.owner, reference.revision) == (self.namespace, "main")

    def folder(self, reference: Reference, files: tuple[str, ...]) -> Path:
        """The folder with those of the files that the repository has, downloaded if needed.

        After `WAIT` seconds, a commit that an earlier process cached is served. Raises MissingCheckpoint,
        DownloadPending (with `public`), CheckpointError where a limit is reached.
        """
        while True:
            with self._lock:
                entry = self._entry(reference)
                revision, known = entry.revision(files), entry.known(files)
                if known and entry.is_fresh:
                    return known
                if not known and COMMIT.fullmatch(revision) and (folder := entry.cached(revision, files, True)):
                    return entry.serve(folder, files)
                folder = known or entry.cached(reference.revision, files)
                if not (entry.task or known) and entry.failure and time.monotonic() < entry.failed + PATIENCE:
                    if folder:
                        return entry.serve(folder, files)
                    raise copy(entry.failure)
                task = entry.task or self._start(entry, revision, files)
            if known:
                return known
            if wait([task], WAIT if self.public or folder else None).done:
                task.result()  # the next iteration finds the files, or requests others
            elif folder:
                with self._lock:
                    return entry.serve(folder, files)
            else:
                raise self.pending(reference)

    def verify_next(self, reference: Reference, folder: Path) -> bool:
        """Let the next request compare a folder's files with the Hub's hashes; False if they have been compared."""
        with self._lock:
            entry = self._entry(reference)
            if entry.folder != folder or entry.verified == folder:
                return False
            entry.must_verify = True
            return True

    def progress(self, reference: Reference) -> tuple[int, int] | None:
        """Bytes so far and in all of a download in progress, else None; None too while another commit is served."""
        with self._lock:
            entry = self._entries.get(reference)
            if not (entry and entry.task and entry.progress[1]):
                return None
            return entry.progress if WEIGHTS not in entry.files or entry.must_verify else None

    def pending(self, reference: Reference) -> DownloadPending:
        """The error for a caller that does not wait any longer."""
        if not (progress := self.progress(reference)):
            return DownloadPending("checkpoint.coming", id=reference)
        done, total = (f"{count / 1e6:.1f}" for count in progress)
        return DownloadPending("checkpoint.coming.far", id=reference, done=done, all=total)

    def _entry(self, reference: Reference) -> _Entry:
        repository = f"{reference.owner or self.namespace}/{reference.name}"
        is_limited = self.public and not self.is_own(reference)
        return self._entries.setdefault(reference, _Entry(reference, repository, is_limited))

    def _start(self, entry: _Entry, revision: str, files: tuple[str, ...]) -> Future[Path]:
        """The future of a look-up and download, in a thread that continues without waiting callers."""
        if entry.is_limited and not entry.folder:
            self._limits.count_lookup(entry.reference)
        if SNAPSHOTS not in files:
            files = tuple(entry.files.union(files) - {SNAPSHOTS})
        entry.task = task = Future()
        entry.progress = 0, 0
        work = partial(copy_context().run, self._work, entry, task, revision, files)
        threading.Thread(target=work, name=f"download {entry.reference}", daemon=True).start()
        return task

    def _work(self, entry: _Entry, task: Future[Path], revision: str, files: tuple[str, ...]) -> None:
        verify, folder, failure = entry.must_verify, None, None
        try:
            folder = self._fetch(entry, revision, files, verify)
        except BaseException as error:
            failure = error
        with self._lock:
            entry.task = None
            if revision == entry.reference.revision:
                entry.looked_up = time.monotonic()
            if failure:
                folder = entry.fail(failure, files)
            elif verify:
                entry.must_verify, entry.verified = False, folder
            if folder:
                entry.serve(folder, files)
        if folder:
            task.set_result(folder)
        else:
            task.set_exception(failure)

    def _fetch(self, entry: _Entry, revision: str, files: tuple[str, ...], verify: bool) -> Path:
        from cnn_models.hub.client import fetch

        def admit() -> None:
            if entry.is_limited and not entry.folder:
                self._limits.count_download(entry.reference)

        reference, is_limited = entry.reference, entry.is_limited
        limit = HEADER_LIMIT + (SNAPSHOTS_LIMIT if SNAPSHOTS in files else memory(reference.architecture))
        try:
            with self._limits.place() if is_limited else nullcontext():
                folder = fetch(entry.repository, revision, files, limit, is_limited, verify, entry.report, admit)
                if is_limited:
                    prune_cache(self.namespace, folder)
                return folder
        except MissingCheckpoint as error:
            if is_limited:
                raise
            name = reference.name
            raise MissingCheckpoint("checkpoint.gone.train", id=reference, why=error, name=name) from error
