"""Checkpoint folders from the Hugging Face Hub, through its own client into its own cache."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cnn_models.checkpoint import CONFIG, SNAPSHOTS, WEIGHTS, CheckpointError
from cnn_models.ids import COMMIT

TIMEOUT = 10  # seconds that the Hub has to answer the first question
TEXT_LIMIT = 2**20  # bytes of a fetched file that does not hold tensors

log = logging.getLogger(__name__)


class MissingCheckpoint(CheckpointError):
    """A checkpoint that is neither here nor to be had; the message says how to get it."""


class StillComing(MissingCheckpoint):
    """A checkpoint whose download goes on; the message says how far it is."""


def needed(files: tuple[str, ...]) -> list[str]:
    """Those of the files without which what they are asked for is not to be had."""
    return [name for name in files if name in (CONFIG, WEIGHTS, SNAPSHOTS)]


def cached(repository: str, revision: str, files: tuple[str, ...]) -> Path | None:
    """The folder of a revision in the Hub's cache, if it has what is needed of these files. No network."""
    from huggingface_hub import try_to_load_from_cache

    paths = [try_to_load_from_cache(repository, name, revision=revision) for name in needed(files)]
    return Path(paths[0]).parent if all(isinstance(path, str) for path in paths) else None


def fetch(
    repository: str,
    revision: str,
    files: tuple[str, ...],
    limit: int,
    anonymous: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """The folder of one commit in the Hub's cache, with these files of a repository and no others.

    A commit that is cached costs no request. While the Hub cannot be had, what is cached is served; what was asked
    for anonymously (without this machine's token) is not, once the Hub says that not everyone may see it. Files of
    tensors may have `limit` bytes. `progress` is called with the bytes that came so far and all that will. Raises
    MissingCheckpoint.

    When the connection breaks, the client asks for the rest. When the process is killed, files that came whole stay,
    but the one that was on its way comes anew: by design, the client writes each download under a name of its own that
    no later one looks for, and deletes it when the download fails. `hf cache prune` deletes what a kill left.
    """
    # Imported here: it takes 0.4 s that nobody needs whose weights are all in the folder.
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError

    if COMMIT.fullmatch(revision) and (folder := cached(repository, revision, files)):
        return folder
    token = False if anonymous else None
    try:
        # This question comes first since `snapshot_download` waits for ever on a Hub that does not answer.
        info = HfApi(token=token).model_info(repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
        folder = cached(repository, info.sha, files)
        if not folder:
            sizes = {file.rfilename: file.size or 0 for file in info.siblings or () if file.rfilename in files}
            if absent := set(needed(files)) - sizes.keys():
                raise MissingCheckpoint(
                    f"{repository} has no {' and no '.join(sorted(absent))}; it must be published whole"
                )
            tensors = WEIGHTS, SNAPSHOTS
            if large := [name for name, size in sizes.items() if size > (limit if name in tensors else TEXT_LIMIT)]:
                raise MissingCheckpoint(f"{repository} has a {large[0]} that is larger than this network's can be")
            total = sum(sizes.values())
            log.info("fetching %s at %.7s: %.1f MB", repository, info.sha, total / 1e6)
            folder = Path(
                snapshot_download(
                    repository,
                    revision=info.sha,  # that the sizes are of
                    allow_patterns=list(files),
                    token=token,
                    tqdm_class=_bar(lambda done: progress(done, total)),
                )
            )
        _note(folder, revision)
        return folder
    except MissingCheckpoint:
        raise
    except Exception as error:  # the client has no common base class, and Xet raises plain RuntimeErrors
        refused = anonymous and isinstance(error, RepositoryNotFoundError)  # also when it is private or gated
        if not refused and (folder := cached(repository, revision, files)):
            log.warning("%s is served from the cache: %s", repository, _reason(error))
            return folder
        raise MissingCheckpoint(_why(error, repository, revision, anonymous)) from error


def _note(folder: Path, revision: str) -> None:
    """Note in the cache which commit a branch is, where the client does it too, but not before the commit is there.

    So the one before is served when the download of a newer one fails.
    """
    ref = folder.parents[1] / "refs" / revision
    with suppress(OSError):
        if COMMIT.fullmatch(revision) or (ref.is_file() and ref.read_text() == folder.name):
            return
        ref.parent.mkdir(parents=True, exist_ok=True)
        new = ref.with_name(f"{ref.name}.{os.getpid()}.new")
        new.write_text(folder.name)
        new.replace(ref)


def _bar(report: Callable[[int], None]) -> type:
    """The client's own progress bar, which also reports the bytes of all files together that came so far."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        def __init__(self, *args, name: str | None = None, **options):
            self.reports, self.done = name == "huggingface_hub.snapshot_download", 0
            super().__init__(*args, name=name, **options)

        def update(self, n: float | None = 1) -> bool | None:
            with self.get_lock():  # files come in several threads, and a bar that is not shown does not count
                self.done += int(n or 0)
            if self.reports:
                report(self.done)
            return super().update(n)

    return Bar


def _why(error: Exception, repository: str, revision: str, anonymous: bool) -> str:
    """A sentence, without its full stop, that says what the Hub's client met and what to do."""
    from huggingface_hub import constants, errors

    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else 0
    if isinstance(error, errors.GatedRepoError):
        way_out = "only what all may see is fetched" if anonymous else "ask for access on its page, then set HF_TOKEN"
        return f"{repository} is gated; {way_out}"
    if isinstance(error, errors.RepositoryNotFoundError):
        way_out = "" if anonymous else ", or set HF_TOKEN"
        return f"the Hub has no {repository}, or it is private; check the name{way_out}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{repository} has no revision {revision!r}; leave it out for the newest"
    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{repository} is not in the Hub's cache and HF_HUB_OFFLINE is set; unset it"
    if status == 401:
        return f"the Hub refused the token of this machine when asked for {repository}; run `hf auth login`"
    if status == 429:
        return f"the Hub was asked too often to give {repository}; try again in some minutes"
    if status >= 500:
        return f"the Hub is out of order ({status}) and could not give {repository}; try again later"
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is too full for {repository}; make room in {constants.HF_HUB_CACHE}"
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return f"{repository} could not be stored in {constants.HF_HUB_CACHE}; set HF_HOME to a folder you may write"
    return f"{repository} could not be fetched ({_reason(error)}); connect to the network and try again"


def _reason(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
