"""Checkpoint folders from the Hugging Face Hub, through its own client into its own cache."""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from cnn_models.checkpoints.folder import CONFIG, SNAPSHOTS, WEIGHTS, CheckpointError
from cnn_models.checkpoints.ids import COMMIT

if TYPE_CHECKING:
    from huggingface_hub.utils import httpx

TIMEOUT = 10  # seconds that the Hub has to answer a question
STORING = 60  # seconds that it has to store what it is sent
LONGEST_WAIT = 10  # seconds that the Hub may tell its client to wait before it asks again
TEXT_LIMIT = 2**20  # bytes of a fetched file that does not hold tensors
ANSWER_LIMIT = 4 * 2**20  # bytes of an answer that is not a file
BESIDE = 2**16  # bytes of an answer beside a small file, as Xet's token is; the client checks the file's own size
ANSWERING = 60  # seconds for all answers to a question, and for a file beside what it takes at SLOWEST
SLOWEST = 20_000  # bytes a second

log = logging.getLogger(__name__)


class MissingCheckpoint(CheckpointError):
    """A checkpoint that is neither here nor to be had; the message says how to get it."""


class NotForAll(MissingCheckpoint):
    """What the Hub does not give to everyone, or no longer has."""


class StillComing(MissingCheckpoint):
    """A checkpoint whose download goes on; the message says how far it is."""


class BadAnswer(MissingCheckpoint):
    """An answer of the Hub that no honest Hub gives; what is cached serves as well as without one."""


@dataclass(frozen=True)
class _Exchange:
    """What the Hub may send for what this thread asks it: bytes of one answer, and until when."""

    repository: str
    limit: int
    until: float  # of time.monotonic()

    def check(self, count: int) -> None:
        """Raise BadAnswer where so many bytes of an answer are too many, or came too late."""
        if count > self.limit:
            raise BadAnswer(
                "hub.more",
                repository=self.repository,
                limit=f"{self.limit:,}",
            )
        if time.monotonic() > self.until:
            raise BadAnswer(
                "hub.slow",
                repository=self.repository,
            )


_exchange: ContextVar[_Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def _limited(repository: str, limit: int = ANSWER_LIMIT, size: int = 0) -> Iterator[None]:
    """Within it, answers of the Hub to this thread are limited, see `_Exchange`; a file has time for its size."""
    token = _exchange.set(_Exchange(repository, limit, time.monotonic() + ANSWERING + size / SLOWEST))
    try:
        yield
    finally:
        _exchange.reset(token)


def guard_client() -> None:
    """Let the Hub's client neither wait for ever nor trust what the Hub answers.

    Else it waits for some answers for ever, sleeps as long as the Hub says, be it an hour, begins a download anew whose
    connection was reset, reads on when more comes than was said, and writes where headers say, be it outside the cache.
    """
    from huggingface_hub import set_client_factory
    from huggingface_hub.utils import _http

    with _guarding:
        make = _http._GLOBAL_CLIENT_FACTORY  # of which there is no public name
        if getattr(make, "guarded", False):
            return

        def guarded() -> httpx.Client:  # also when the client replaces one that could not connect
            client = make()
            client.event_hooks["request"].append(_limit_request)
            client.event_hooks["response"] += _check_names, _limit_body, _raise_if_long
            return client

        guarded.guarded = True
        set_client_factory(guarded)


_guarding = Lock()


def _limit_request(request: httpx.Request) -> None:
    if request.extensions["timeout"]["read"] is None:
        seconds = TIMEOUT if request.method == "GET" else STORING
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    if exchange := _exchange.get():
        exchange.check(0)
        request.headers["Accept-Encoding"] = "identity"  # what is packed may be a thousand times what it was


# To be reported to huggingface_hub: 2.0 to 2.4, `file_download._normalize_etag`: a Hub that answers HEAD with `ETag:
# "../../x"` makes `_hf_hub_download_to_cache_dir` write to `blobs/../../x`, outside its cache; as does X-Repo-Commit.
ETAG = re.compile(r'(?:W/)?"?[A-Za-z0-9_-]{1,128}"?')


def _check_names(response: httpx.Response) -> None:
    """Raise BadAnswer where a header that the client makes a path of is no plain name."""
    if response.request.method != "HEAD":
        return
    headers = response.headers
    etag, commit = headers.get("X-Linked-ETag") or headers.get("ETag"), headers.get("X-Repo-Commit")
    for name, value, pattern in (("ETag", etag, ETAG), ("X-Repo-Commit", commit, COMMIT)):
        if value is not None and not pattern.fullmatch(value):
            exchange = _exchange.get()
            raise BadAnswer(
                "hub.path",
                repository=exchange.repository if exchange else response.request.url.host,
                header=name,
                value=f"{value!r:.80}",
            )
    if (size := headers.get("X-Linked-Size", "")).isdigit() and (exchange := _exchange.get()):
        exchange.check(int(size))  # which is what Xet, whose bytes pass no hook, goes by


# To be reported too: 2.0 to 2.4, `file_download.http_get` compares with `expected_size` only what came to its end: of a
# body in chunks that has none, it writes to the disk until that is full.
def _limit_body(response: httpx.Response) -> None:
    """Read no more of a body than the exchange allows.

    A connection that is reset amid the body looks closed, which the client takes for a reason to resume.
    """
    from huggingface_hub.utils import httpx

    exchange = _exchange.get()
    if exchange and response.status_code not in (200, 206):  # the answer is about the file, and not the file
        exchange = replace(exchange, limit=ANSWER_LIMIT)
    if exchange and response.request.method != "HEAD":
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise BadAnswer(
                "hub.packed",
                repository=exchange.repository,
            )
        if (size := response.headers.get("Content-Length", "")).isdigit():
            exchange.check(int(size))

    class Body(httpx.SyncByteStream):
        def __init__(self, stream: httpx.SyncByteStream):
            self.stream, self.close = stream, stream.close

        def __iter__(self) -> Iterator[bytes]:
            count = 0
            try:
                for part in self.stream:
                    count += len(part)
                    if exchange:
                        exchange.check(count)
                    yield part
            except httpx.ReadError as error:
                raise httpx.RemoteProtocolError(str(error)) from error

    response.stream = Body(response.stream)


def _raise_if_long(response: httpx.Response) -> None:
    """Raise HfHubHTTPError where the client would sleep for longer than `LONGEST_WAIT` before it asks again."""
    from huggingface_hub.utils import hf_raise_for_status, parse_ratelimit_headers

    if response.status_code != 429 and response.status_code < 500:
        return
    after, limit = response.headers.get("Retry-After", ""), parse_ratelimit_headers(response.headers)
    seconds = int(after) if after.isdigit() else 0
    if limit and limit.remaining == 0 and response.status_code == 429:  # every answer has these headers
        seconds = limit.reset_in_seconds
    if seconds > LONGEST_WAIT:
        hf_raise_for_status(response)


def needed(files: tuple[str, ...]) -> list[str]:
    """Those of the files without which what they are asked for is not to be had."""
    return [name for name in files if name in (CONFIG, WEIGHTS, SNAPSHOTS)]


def cached(
    repository: str, revision: str, files: tuple[str, ...], whole: bool = False, anonymous: bool = False
) -> Path | None:
    """The folder of a revision in the Hub's cache, if it has what is needed of these files. No network.

    `whole` asks for all of them, less those that the cache knows the revision does not have; `anonymous` for what
    everyone may see, as far as the cache knows.
    """
    from huggingface_hub import try_to_load_from_cache

    paths = {name: try_to_load_from_cache(repository, name, revision=revision) for name in files}
    there = [paths[name] for name in needed(files)]
    if not all(isinstance(path, str) for path in there) or (whole and None in paths.values()):
        return None
    return Path(there[0]).parent if not anonymous or _public(repository).is_file() else None


def _public(repository: str) -> Path:
    """The file in the Hub's cache that says that everyone may see a repository: it was so when last looked up."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model") / ".public"


def fetch(
    repository: str,
    revision: str,
    files: tuple[str, ...],
    limit: int,
    anonymous: bool = False,
    doubted: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    admit: Callable[[], None] = lambda: None,
) -> Path:
    """The folder of one commit in the Hub's cache, with these files of a repository and no others.

    A commit that is cached costs no request. While the Hub cannot be had, what is cached is served; to who asks
    anonymously (without this machine's token) only what everyone could see when it was last looked up. Files that are
    `doubted` are compared with the Hub's hashes, and those that differ come anew. Files of tensors may have `limit`
    bytes. `progress` is called with the bytes that came so far and all that will; `admit` before a download, once it is
    known that there is something to download, and may refuse it with a CheckpointError. Raises MissingCheckpoint.

    When the connection breaks, the client asks for the rest. When the process is killed, files that came whole stay,
    but the one that was on its way comes anew: by design, the client writes each download under a name of its own that
    no later one looks for, and deletes it when the download fails. `hf cache prune` deletes what a kill left.
    """
    # Imported here: it takes 0.4 s that nobody needs whose weights are all in the folder.
    from huggingface_hub import HfApi, hf_hub_download
    from huggingface_hub.errors import RepositoryNotFoundError

    is_settled = COMMIT.fullmatch(revision) and not doubted
    if is_settled and (folder := cached(repository, revision, files, whole=True, anonymous=anonymous)):
        return folder
    token = False if anonymous else None
    api = HfApi(token=token)

    def download(names: Collection[str], anew: bool = False) -> Path:
        total = sum(sizes[name] for name in names)
        log.info("fetching %s at %.7s: %.1f MB", repository, info.sha, total / 1e6)
        bar = _bar(lambda done: progress(done, total))

        def one(name: str) -> str:
            with _limited(repository, max(sizes[name], BESIDE), sizes[name]):
                return hf_hub_download(
                    repository, name, revision=info.sha, token=token, force_download=anew, tqdm_class=bar
                )

        # Not `snapshot_download`: its threads know no exchange, and with Xet it makes paths of a listing's hashes.
        with ThreadPoolExecutor() as pool:
            first, *_ = pool.map(one, names)
        return Path(first).parent

    guard_client()
    try:
        with _limited(repository):
            info = api.model_info(repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
        if not COMMIT.fullmatch(info.sha or ""):  # which the client makes a path of
            raise BadAnswer(
                "hub.path",
                repository=repository,
                header="commit",
                value=f"{info.sha!r:.80}",
            )
        is_public = not (info.private or info.gated)
        if not is_public:
            _note_visibility(repository, is_public)
        if anonymous and info.gated:  # which everyone may look up
            raise _gated(repository)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or () if file.rfilename in files}
        if absent := set(needed(files)) - sizes.keys():
            raise MissingCheckpoint(
                "hub.files",
                repository=repository,
                files=", ".join(sorted(absent)),
            )
        folder = cached(repository, info.sha, tuple(sizes), whole=True)
        if not folder:
            tensors = WEIGHTS, SNAPSHOTS
            if large := [name for name, size in sizes.items() if size > (limit if name in tensors else TEXT_LIMIT)]:
                raise MissingCheckpoint(
                    "hub.large",
                    repository=repository,
                    file=large[0],
                )
            admit()
            folder = download(sizes)
            if not cached(repository, info.sha, tuple(sizes)):  # the client may take what is there for all
                raise MissingCheckpoint("hub.part", repository=repository)
        if doubted:
            with _limited(repository):
                mismatches = api.verify_repo_checksums(repository, revision=info.sha).mismatches
            different = {each["path"] for each in mismatches}
            if damaged := different & sizes.keys():
                download(damaged, anew=True)
        _note_visibility(repository, is_public)
        _note(folder, revision, set(files) - sizes.keys())
        return folder
    except Exception as error:  # the client has no common base class, and Xet raises plain RuntimeErrors
        if isinstance(error, CheckpointError) and not isinstance(error, BadAnswer):
            raise
        is_hidden = isinstance(error, RepositoryNotFoundError)  # also when it is private or gated
        if is_hidden:
            _note_visibility(repository, False)
        is_refused = doubted or (anonymous and is_hidden)
        if not is_refused and (folder := cached(repository, revision, files, anonymous=anonymous)):
            log.warning("%s is served from the cache: %s", repository, _reason(error))
            return folder
        missing = _missing(error, repository, revision, anonymous)
        raise missing from (None if missing is error else error)


def _note_visibility(repository: str, is_public: bool) -> None:
    """Note whether everyone may see a repository of which something is in the cache."""
    with suppress(OSError):
        if is_public:
            _public(repository).touch()
        else:
            _public(repository).unlink(missing_ok=True)


def _note(folder: Path, revision: str, absent: set[str]) -> None:
    """Note in the cache which commit a branch is, where the client does it too, but not before the commit is there.

    So the one before, if it has weights, is served until those of a newer one are there. Also, as the client does,
    which files the commit does not have: what is neither there nor noted was cut off by a kill.
    """
    ref, none = folder.parents[1] / "refs" / revision, folder.parents[1] / ".no_exist" / folder.name
    with suppress(OSError):
        for name in absent:
            none.mkdir(parents=True, exist_ok=True)
            (none / name).touch()
        before = folder.with_name(ref.read_text()) if ref.is_file() else folder
        is_worse = (before / WEIGHTS).exists() and not (folder / WEIGHTS).exists()
        if COMMIT.fullmatch(revision) or is_worse or (ref.is_file() and before == folder):
            return
        ref.parent.mkdir(parents=True, exist_ok=True)
        new = ref.with_name(f"{ref.name}.{os.getpid()}.new")
        new.write_text(folder.name)
        new.replace(ref)


def _bar(report: Callable[[int], None]) -> type:
    """The client's own progress bar, which also reports the bytes of all files together that came so far."""
    from huggingface_hub.utils import tqdm

    class Bar(tqdm):
        done = 0  # of all files, which come in several threads

        def __init__(self, *args, name: str | None = None, **options):
            self.counts = not (name or "").endswith(".transfer")  # which is of the same bytes on their way
            super().__init__(*args, name=name, **options)

        def update(self, n: float | None = 1) -> bool | None:
            if self.counts:
                with self.get_lock():
                    Bar.done += int(n or 0)
                report(Bar.done)
            return super().update(n)

    return Bar


def _missing(error: Exception, repository: str, revision: str, anonymous: bool) -> MissingCheckpoint:
    """What the Hub's client met, and what to do."""
    from huggingface_hub import constants, errors

    if isinstance(error, BadAnswer):
        return error
    if isinstance(error, errors.LocalEntryNotFoundError | ValueError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # so the client wraps what it met
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else 0
    values = {"repository": repository}
    if isinstance(error, errors.GatedRepoError):
        if anonymous:
            return _gated(repository)
        return MissingCheckpoint("hub.gated", **values)
    if isinstance(error, errors.RepositoryNotFoundError):
        if anonymous:
            return NotForAll("hub.none", **values)
        return MissingCheckpoint("hub.private", **values)
    if isinstance(error, errors.RevisionNotFoundError):
        return MissingCheckpoint("hub.revision", revision=repr(revision), **values)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return MissingCheckpoint("hub.offline", **values)
    if status == 401:
        return MissingCheckpoint("hub.token", **values)
    if status == 429:
        return MissingCheckpoint("hub.often", **values)
    if status >= 500:
        return MissingCheckpoint(
            "hub.order",
            status=status,
            **values,
        )
    if status == 403:
        return MissingCheckpoint(
            "hub.refused",
            status=status,
            **values,
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MissingCheckpoint("hub.full", folder=constants.HF_HUB_CACHE, **values)
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return MissingCheckpoint(
            "hub.write",
            folder=constants.HF_HUB_CACHE,
            **values,
        )
    return MissingCheckpoint(
        "hub.network",
        why=_reason(error),
        **values,
    )


def _gated(repository: str) -> NotForAll:
    return NotForAll(
        "hub.closed",
        repository=repository,
    )


def _reason(error: Exception) -> str:
    """The first line of what an error says, of an address the host alone: the rest may open a private file to all."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return re.sub(r"(https?://[^/?#\s'\")]+)[^\s'\")]*", r"\1", line)
