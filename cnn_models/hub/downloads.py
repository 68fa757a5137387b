"""Downloads from the Hub: each checkpoint once, and for untrusted clients within limits."""

from __future__ import annotations

import math
import shutil
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, wait
from contextlib import nullcontext, suppress
from copy import copy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cnn_models.checkpoints.folder import HEADER_LIMIT, SNAPSHOTS, SNAPSHOTS_LIMIT, WEIGHTS, CheckpointError, memory
from cnn_models.checkpoints.ids import BUILT_IN, Reference
from cnn_models.hub.client import MissingCheckpoint, NotForAll, StillComing, cached, fetch
from cnn_models.visitors import VISITOR, Hourly, Places

FRESH = 300  # seconds after which a branch is looked up again
PATIENCE = 60  # seconds for which a failed look-up is not tried again
KEPT = 1000  # references that are remembered

# What untrusted clients get.
WAIT = 3  # seconds until who waits for a download is told how far it is
LOOKUPS = 20  # names of each visitor that are looked up, an hour: full boards of both data sets, and as many mistakes
DOWNLOADS = 60  # new checkpoints of others that are downloaded, an hour, for all visitors
AT_ONCE = 4  # look-ups and downloads of them
OF_ONE = 2  # of these, for one visitor
DISK = 4 * 10**9  # bytes of the Hub's cache for them


@dataclass
class _Pull:
    """What is known of a reference: the folder of its commit with these `files`, or why there is none."""

    folder: Path | None = None
    files: frozenset[str] = frozenset()
    looked: float = -math.inf  # when the folder was found
    doubted: bool = False  # whether its files are to be compared with the Hub's
    compared: Path | None = None  # the last folder whose files were
    coming: Future | None = None
    progress: tuple[int, int] = (0, 0)
    failure: MissingCheckpoint | None = None
    failed: float = 0.0

    def serve(self, folder: Path, files: Iterable[str]) -> Path:
        """A folder with these files is there."""
        self.files = frozenset(files) | (self.files if folder == self.folder else frozenset())
        self.folder = folder
        return folder


class Puller:
    """Checkpoint folders in the Hub's cache, safe to share among threads.

    A branch stands for one commit, of which card and weights are; looked up again after `FRESH` seconds, while the
    commit that is known is served, until the newer one is there. A `public` one is for untrusted clients: what is not
    of `namespace` is fetched without this machine's token, so many an hour and at once, as much as `DISK` holds, and
    nobody waits longer than `WAIT`. A name that is new is a look-up, counted for the `VISITOR` who asks, so that who
    asks for many that do not exist uses up nobody else's.
    """

    def __init__(self, namespace: str | None, public: bool):
        self.namespace, self.public = namespace, public
        self._lock = threading.Lock()
        self._pulls: dict[Reference, _Pull] = {}  # the last used at the end
        self._lookups, self._downloads = Hourly(LOOKUPS), Hourly(DOWNLOADS)
        self._places = Places(AT_ONCE, OF_ONE)
        self._pruning = threading.Lock()

    def is_own(self, reference: Reference) -> bool:
        """Whether it is the line-up's own; another revision is not, as anybody may open a pull request."""
        return reference.owner is None or (reference.owner, reference.revision) == (self.namespace, "main")

    def pull(self, reference: Reference, files: tuple[str, ...]) -> Path:
        """The folder with these files, as far as the repository has them. Raises MissingCheckpoint, StillComing.

        While what an earlier process left in the cache is replaced, it serves after `WAIT` seconds, or when that fails.
        """
        while True:
            older = None
            with self._lock:
                pull = self._pull(reference)
                if pull.folder and not pull.folder.is_dir():  # whoever emptied the cache
                    pull.folder, pull.files = None, frozenset()
                found = pull.folder if pull.files.issuperset(files) and not pull.doubted else None
                is_fresh = reference.pinned or time.monotonic() < pull.looked + FRESH
                if not (found or pull.doubted or reference.pinned or self._is_untrusted(reference)):
                    older = cached(self._repository(reference), reference.revision, files)
                if not pull.coming and not (found and is_fresh):
                    if pull.failure and not found and time.monotonic() < pull.failed + PATIENCE:
                        if older:
                            return pull.serve(older, files)
                        raise copy(pull.failure)
                    if self._is_untrusted(reference) and not pull.folder:
                        self._count_lookup(reference, files)
                    is_more = SNAPSHOTS in files  # of what is known, and not every commit has them
                    wanted = files if is_more else tuple(pull.files.union(files) - {SNAPSHOTS})
                    revision = pull.folder.name if pull.folder and (is_fresh or is_more) else reference.revision
                    pull.coming, pull.progress = Future(), (0, 0)
                    work = reference, pull, revision, wanted, pull.doubted, VISITOR.get().address
                    threading.Thread(target=self._work, args=work, daemon=True).start()
                coming = pull.coming
            if found:
                return found
            is_done = wait([coming], WAIT if self.public or older else None).done
            try:
                if not is_done:
                    raise self.still_coming(reference)
                coming.result()  # maybe with too few files, if somebody asked for the card only
            except MissingCheckpoint:
                if not older:
                    raise
                with self._lock:
                    return pull.serve(older, files)

    def doubt(self, reference: Reference, folder: Path) -> bool:
        """Whether the files of a folder that was pulled are compared with the Hub's when it is pulled next.

        Once for each commit: what is refused though it is what the Hub has is not fetched again and again.
        """
        with self._lock:
            pull = self._pulls.get(reference)
            if not pull or pull.folder != folder or pull.compared == folder:
                return False
            pull.doubted = True
            return True

    def progress(self, reference: Reference) -> tuple[int, int] | None:
        """Bytes that came and bytes in all of what is on its way, else None; also where an older commit serves."""
        with self._lock:
            pull = self._pulls.get(reference)
            is_awaited = pull and pull.coming and (WEIGHTS not in pull.files or pull.doubted)
            return pull.progress if is_awaited and pull.progress[1] else None

    def still_coming(self, reference: Reference) -> StillComing:
        """For who has waited long enough."""
        if not (progress := self.progress(reference)):
            return StillComing("checkpoint.coming", id=reference)
        done, total = (f"{count / 1e6:.1f}" for count in progress)
        return StillComing("checkpoint.coming.far", id=reference, done=done, all=total)

    def _pull(self, reference: Reference) -> _Pull:
        pull = self._pulls[reference] = self._pulls.pop(reference, None) or _Pull()
        idle = [key for key, other in self._pulls.items() if not other.coming]
        for key in idle[: max(0, len(self._pulls) - KEPT)]:
            del self._pulls[key]
        return pull

    def _repository(self, reference: Reference) -> str:
        return f"{reference.owner or self.namespace}/{reference.name}"

    def _is_untrusted(self, reference: Reference) -> bool:
        """Whether it is fetched for an untrusted client."""
        return self.public and not self.is_own(reference)

    def _work(
        self, reference: Reference, pull: _Pull, revision: str, files: tuple[str, ...], doubted: bool, visitor: str
    ) -> None:
        """Fetch, in a thread that goes on when nobody waits for it any more."""

        def progress(*counts: int) -> None:
            pull.progress = counts

        repository, untrusted = self._repository(reference), self._is_untrusted(reference)
        folder, error = None, None
        try:
            there = reference.pinned and cached(repository, revision, files, anonymous=True)
            comes = untrusted and (doubted or not there)
            admit = partial(self._admit, reference) if comes and not pull.folder else lambda: None
            tensors = SNAPSHOTS_LIMIT if SNAPSHOTS in files else memory(reference.architecture)
            with self._places.place(visitor) if comes else nullcontext():
                folder = fetch(repository, revision, files, tensors + HEADER_LIMIT, untrusted, doubted, progress, admit)
                if comes:
                    self._prune(folder)
        except BaseException as caught:
            error = caught
            if isinstance(caught, MissingCheckpoint) and not untrusted:
                error = MissingCheckpoint(
                    "checkpoint.gone.train",
                    id=reference,
                    why=caught,
                    name=reference.name,
                )
                error.__cause__ = caught
        with self._lock:
            coming, pull.coming = pull.coming, None
            if folder or revision == reference.revision:
                pull.looked = time.monotonic()
            if folder:
                pull.serve(folder, files)
                if doubted:
                    pull.doubted, pull.compared = False, folder
            elif isinstance(error, MissingCheckpoint):
                pull.failure, pull.failed = copy(error), time.monotonic()
                if isinstance(error, NotForAll):  # not any more
                    pull.folder, pull.files = None, frozenset()
        if error:
            coming.set_exception(error)
        else:
            coming.set_result(folder)

    def _prune(self, newest: Path) -> None:
        """Delete what untrusted clients left in the Hub's cache beyond `DISK`, what was used longest ago first.

        Repositories of others as a whole, and of the namespace's what is not `main`.
        """
        from huggingface_hub import constants, scan_cache_dir

        with self._lock:
            coming = {
                f"{each.owner or self.namespace}/{each.name}" for each, pull in self._pulls.items() if pull.coming
            }
        with self._pruning, suppress(OSError):  # others may delete there too
            scan, found = scan_cache_dir(constants.HF_HUB_CACHE), []
            for repo in scan.repos:
                if repo.repo_type != "model" or repo.repo_id.partition("/")[2] not in BUILT_IN:
                    continue
                if repo.repo_id.partition("/")[0] != self.namespace:
                    found.append((repo.last_accessed, repo.size_on_disk, repo, None))
                    continue
                others = [each for each in repo.revisions if "main" not in each.refs]
                found += [(each.last_modified, each.size_on_disk, repo, each) for each in others]
            excess = sum(size for _, size, *_ in found) - DISK
            for _, size, repo, revision in sorted(found, key=lambda each: each[0]):
                kept = revision.snapshot_path == newest if revision else repo.repo_id in coming
                if excess <= 0 or kept:
                    continue
                if revision:
                    scan.delete_revisions(revision.commit_hash).execute()
                else:  # not by its commits, which copies of the repository have too
                    shutil.rmtree(repo.repo_path, ignore_errors=True)
                excess -= size

    def _count_lookup(self, reference: Reference, files: tuple[str, ...]) -> None:
        """Count the look-up of a name that is not known; raise CheckpointError where it is one too many."""
        if not (visitor := VISITOR.get().address):
            return
        if reference.pinned and cached(self._repository(reference), reference.revision, files, anonymous=True):
            return  # nothing is looked up
        if seconds := self._lookups.take(visitor):
            raise CheckpointError(
                "checkpoint.lookups",
                id=reference,
                count=LOOKUPS,
                minutes=f"{seconds / 60:.0f}",
            )

    def _admit(self, reference: Reference) -> None:
        """Count a download; raise CheckpointError where it is one too many."""
        if seconds := self._downloads.take(""):
            raise CheckpointError(
                "checkpoint.downloads",
                id=reference,
                count=DOWNLOADS,
                minutes=f"{seconds / 60:.0f}",
            )
