"""Checkpoint folders from the Hugging Face Hub, through its own client into its own cache."""

from __future__ import annotations

import errno
import logging
import os
import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from huggingface_hub import HfApi, ModelInfo, constants, errors, hf_hub_download, try_to_load_from_cache
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import httpx, tqdm

from cnn_models.checkpoints.folder import REQUIRED, SNAPSHOTS, WEIGHTS, CheckpointError
from cnn_models.checkpoints.ids import COMMIT
from cnn_models.hub import guard
from cnn_models.hub.errors import BadResponse, MissingCheckpoint, NotPublic

TEXT_LIMIT = 2**20  # bytes of a file without tensors
SMALLEST_LIMIT = 2**16  # bytes of a response for a small file, which can be a token of Xet instead

# The first row that an error matches gives its code: its type; its HTTP status or errno, if it is one of these.
CODES = (
    (errors.GatedRepoError, (), "hub.gated"),
    (errors.RepositoryNotFoundError, (), "hub.private"),
    (errors.RevisionNotFoundError, (), "hub.revision"),
    (errors.OfflineModeIsEnabled, (), "hub.offline"),
    (errors.HfHubHTTPError, (401,), "hub.token"),
    (errors.HfHubHTTPError, (403,), "hub.refused"),
    (errors.HfHubHTTPError, (407,), "hub.proxy"),
    (errors.HfHubHTTPError, (429,), "hub.often"),
    (errors.HfHubHTTPError, range(500, 600), "hub.server"),
    (httpx.ProxyError, (), "hub.proxy"),
    (OSError, (errno.ENOSPC, errno.EDQUOT), "hub.full"),
    (OSError, (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR), "hub.write"),
    (Exception, (), "hub.network"),
)
ANONYMOUS_CODES = {"hub.gated": "hub.closed", "hub.private": "hub.none"}

log = logging.getLogger(__name__)


def cached(
    repository: str, revision: str, files: Collection[str], whole: bool = False, anonymous: bool = False
) -> Path | None:
    """The folder of a revision in the Hub's cache, if it has those of the files that are REQUIRED; without a request.

    `whole` requires all files, except those that the cache knows the revision to lack; `anonymous` requires that the
    repository was public at its last look-up.
    """
    paths = {name: try_to_load_from_cache(repository, name, revision=revision) for name in files}
    found = {name: path for name, path in paths.items() if isinstance(path, str)}
    if any(name in REQUIRED for name in paths.keys() - found.keys()) or (whole and None in paths.values()):
        return None
    return Path(min(found.values())).parent if not anonymous or _public_mark(repository).is_file() else None


def fetch(
    repository: str,
    revision: str,
    files: Collection[str],
    limit: int,
    anonymous: bool = False,
    verify: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    admit: Callable[[], None] = lambda: None,
) -> Path:
    """The folder of a revision's commit in the Hub's cache, with these files of it and no others.

    Files of tensors may have `limit` bytes. `anonymous` omits this machine's token. `verify` compares the files with
    the Hub's hashes and downloads those that differ again. `progress` is called with the bytes so far and in all;
    `admit` before a download, which it may refuse with a CheckpointError. Raises MissingCheckpoint.

    Guarantees: all files are of one commit; in the cache, a branch refers to its previous commit until the newer one is
    complete; the visibility of the repository is recorded. A broken connection is resumed. After a kill, complete files
    stay; a partial one is downloaded again, as the client does not resume it (`hf cache prune` deletes it).
    """
    guard.guard_client()
    token = False if anonymous else None
    try:
        commit, info = _look_up(repository, revision, token)
        is_public = not (info.private or info.gated)
        if not is_public:
            _record_visibility(repository, is_public)
        if anonymous and info.gated:  # its metadata are public
            raise NotPublic("hub.closed", repository=repository)
        sizes = _sizes(repository, info, files, limit)
        folder = cached(repository, commit, sizes, whole=True)
        if not folder:
            admit()
            folder = _download(repository, commit, sizes, token, progress)
        if verify and (damaged := _damaged(repository, commit, token) & sizes.keys()):
            _download(repository, commit, {name: sizes[name] for name in damaged}, token, progress, anew=True)
    except Exception as error:  # the client's errors have no common base class
        if isinstance(error, errors.RepositoryNotFoundError):  # also where it is private or gated
            _record_visibility(repository, False)
        missing = _coded(error, repository, revision, anonymous)
        raise missing from (None if missing is error else error)
    _record_visibility(repository, is_public)
    _record_commit(folder, revision, set(files) - sizes.keys())
    return folder


def _look_up(repository: str, revision: str, token: bool | None) -> tuple[str, ModelInfo]:
    """The commit of a revision, which is safe as a part of a path, with its visibility and files."""
    with guard.limited(repository):
        api = HfApi(token=token)
        info = api.model_info(repository, revision=revision, files_metadata=True, timeout=guard.TIMEOUT)
    if not (info.sha and COMMIT.fullmatch(info.sha)):
        raise BadResponse("hub.path", repository=repository, header="commit", value=f"{info.sha!r:.80}")
    return info.sha, info


def _sizes(repository: str, info: ModelInfo, files: Collection[str], limit: int) -> dict[str, int]:
    """The bytes of those of the files that a commit has. Raises MissingCheckpoint where one is absent or too large."""
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or () if file.rfilename in files}
    if absent := {name for name in files if name in REQUIRED} - sizes.keys():
        raise MissingCheckpoint("hub.files", repository=repository, files=", ".join(sorted(absent)))
    for name, size in sizes.items():
        if size > (limit if name in (WEIGHTS, SNAPSHOTS) else TEXT_LIMIT):
            raise MissingCheckpoint("hub.large", repository=repository, file=name)
    return sizes


def _download(
    repository: str,
    commit: str,
    sizes: dict[str, int],
    token: bool | None,
    progress: Callable[[int, int], None],
    anew: bool = False,
) -> Path:
    """The folder of a commit with these files (name: bytes), downloaded; with `anew`, also those that are cached."""
    total = sum(sizes.values())
    log.info("fetching %s at %.7s: %.1f MB", repository, commit, total / 1e6)
    bar = _progress_bar(lambda done: progress(done, total))

    def one(name: str) -> str:
        with guard.limited(repository, max(sizes[name], SMALLEST_LIMIT), sizes[name]):
            return hf_hub_download(repository, name, revision=commit, token=token, force_download=anew, tqdm_class=bar)

    # Not `snapshot_download`: its threads are outside `limited`, and with Xet it makes paths of the Hub's hashes.
    with ThreadPoolExecutor() as pool:
        first, *_ = pool.map(one, sizes)
    return Path(first).parent


def _damaged(repository: str, commit: str, token: bool | None) -> set[str]:
    """The cached files of a commit that differ from the Hub's hashes."""
    with guard.limited(repository):
        mismatches = HfApi(token=token).verify_repo_checksums(repository, revision=commit).mismatches
    return {each["path"] for each in mismatches}


def _progress_bar(report: Callable[[int], None]) -> type[tqdm]:
    """A subclass of the client's progress bar that also reports the bytes of all files so far."""

    class Bar(tqdm):
        done = 0  # bytes of all files, which are downloaded in several threads

        def __init__(self, *args, name: str | None = None, **options):
            self.counts = not (name or "").endswith(".transfer")  # a second bar for the same bytes
            super().__init__(*args, name=name, **options)

        def update(self, n: float | None = 1) -> bool | None:
            if self.counts:
                with self.get_lock():
                    Bar.done += int(n or 0)
                report(Bar.done)
            return super().update(n)

    return Bar


def _public_mark(repository: str) -> Path:
    """The file that marks a repository in the cache as public at its last look-up."""
    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model") / ".public"


def _record_visibility(repository: str, is_public: bool) -> None:
    """Record whether a repository is public, if any of it is cached and the cache can be written."""
    with suppress(OSError):
        if is_public:
            _public_mark(repository).touch()
        else:
            _public_mark(repository).unlink(missing_ok=True)


def _record_commit(folder: Path, revision: str, absent: set[str]) -> None:
    """Record, in the client's own format, the files that a commit lacks and the commit of a branch.

    A branch whose previous commit has weights, and the newer one not, keeps the previous one.
    """
    ref, lacking = folder.parents[1] / "refs" / revision, folder.parents[1] / ".no_exist" / folder.name
    with suppress(OSError):
        for name in absent:
            lacking.mkdir(parents=True, exist_ok=True)
            (lacking / name).touch()
        previous = folder.with_name(ref.read_text(encoding="utf-8")) if ref.is_file() else None
        is_worse = previous and (previous / WEIGHTS).exists() and not (folder / WEIGHTS).exists()
        if COMMIT.fullmatch(revision) or is_worse or previous == folder:
            return
        ref.parent.mkdir(parents=True, exist_ok=True)
        new = ref.with_name(f"{ref.name}.{os.getpid()}.new")
        new.write_text(folder.name, encoding="utf-8")
        new.replace(ref)


def _coded(error: Exception, repository: str, revision: str, anonymous: bool) -> CheckpointError:
    """The error with its code of `CODES`; a CheckpointError as it is."""
    if isinstance(error, CheckpointError):
        return error
    if isinstance(error, errors.LocalEntryNotFoundError | ValueError) and isinstance(error.__cause__, Exception):
        return _coded(error.__cause__, repository, revision, anonymous)  # the client wraps connection errors
    is_response = isinstance(error, errors.HfHubHTTPError)
    number = error.response.status_code if is_response else getattr(error, "errno", None)
    code = next(code for kind, numbers, code in CODES if isinstance(error, kind) and (not numbers or number in numbers))
    values = {
        "repository": repository, "revision": repr(revision), "status": number, "folder": constants.HF_HUB_CACHE,
        "why": _reason(error),
    }  # fmt: skip
    if anonymous and code in ANONYMOUS_CODES:
        return NotPublic(ANONYMOUS_CODES[code], **values)
    return MissingCheckpoint(code, **values)


def _reason(error: Exception) -> str:
    """The first line of a message, with URLs cut to their hosts, as the rest may grant access to a private file."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"(https?://[^/?#\s'\")]+)[^\s'\")]*", r"\1", line)
