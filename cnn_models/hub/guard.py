"""The HTTP client of huggingface_hub with limits, as the Hub's responses are untrusted input.

Guarantees, for all requests of this process:

- No response is awaited for longer than `TIMEOUT` seconds, or `STORING` for an upload.
- The client retries only where the Hub's `Retry-After` is at most `LONGEST_WAIT` seconds.
- A download whose connection was reset is resumed.
- Headers of which the client makes paths (ETag, commit) are plain names; others could lead out of its cache.
- Within `limited`, the size and the time of a response are limited; versions 2.0 to 2.4 of the client check the size of
  a file only after its end (`file_download.http_get`).
"""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import cast

from huggingface_hub import set_client_factory
from huggingface_hub.utils import _http, hf_raise_for_status, httpx, parse_ratelimit_headers

from cnn_models.checkpoints.ids import COMMIT
from cnn_models.hub.errors import BadResponse, MissingCheckpoint

TIMEOUT = 10  # seconds until a response begins, and between two parts of it
STORING = 60  # the same for uploads
LONGEST_WAIT = 10  # seconds before a retry
RESPONSE_LIMIT = 4 * 2**20  # bytes of a response that is not a file
SECONDS = 60  # for all responses to one call; files have their time at SLOWEST in addition
SLOWEST = 20_000  # bytes a second
ETAG = re.compile(r'(?:W/)?"?[A-Za-z0-9_-]{1,128}"?')


@dataclass(frozen=True)
class _Budget:
    """The most bytes of a response, and the deadline by `time.monotonic()`."""

    repository: str
    size: int
    until: float

    def check(self, size: int) -> None:
        """Raise BadResponse for a response of more bytes than allowed, or after the deadline."""
        if size > self.size:
            raise BadResponse("hub.more", repository=self.repository, limit=f"{self.size:,}")
        if time.monotonic() > self.until:
            raise BadResponse("hub.slow", repository=self.repository)


UNLIMITED = _Budget("a repository", sys.maxsize, math.inf)
_budget: ContextVar[_Budget] = ContextVar("budget", default=UNLIMITED)
_installing = Lock()


@contextmanager
def limited(repository: str, limit: int = RESPONSE_LIMIT, size: int = 0) -> Iterator[None]:
    """Limit the responses to this thread to `limit` bytes each, and to the time that `size` bytes take at SLOWEST."""
    token = _budget.set(_Budget(repository, limit, time.monotonic() + SECONDS + size / SLOWEST))
    try:
        yield
    finally:
        _budget.reset(token)


def guard_client() -> None:
    """Install the limits in huggingface_hub, once; also for its later sessions, which it starts after failures."""
    with _installing:
        make = _http._GLOBAL_CLIENT_FACTORY  # there is no public name
        if getattr(make, "func", None) is not _guarded:
            set_client_factory(partial(_guarded, make))


def _guarded(make: Callable[[], httpx.Client]) -> httpx.Client:
    """A client with the limits. Raises MissingCheckpoint where the environment names a proxy that cannot be used."""
    try:
        client = make()
    except ImportError as error:  # of socksio
        raise MissingCheckpoint("hub.socks") from error
    except (OSError, ValueError, httpx.InvalidURL) as error:
        raise MissingCheckpoint("hub.environment", why=error) from error
    client.event_hooks["request"].append(_limit_request)
    client.event_hooks["response"] += _check_names, _limit_body, _refuse_long_waits
    return client


def _limit_request(request: httpx.Request) -> None:
    if request.extensions["timeout"]["read"] is None:
        seconds = TIMEOUT if request.method == "GET" else STORING
        request.extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    _budget.get().check(0)
    request.headers["Accept-Encoding"] = "identity"  # a compressed response can be a thousand times its size


def _check_names(response: httpx.Response) -> None:
    """Raise BadResponse for a header with a path, or a file of Xet (whose body no hook reads) that is too large.

    In versions 2.0 to 2.4 (`file_download._normalize_etag`), `ETag: "../../x"` is written to `blobs/../../x`.
    """
    if response.request.method != "HEAD":
        return
    budget, headers = _budget.get(), response.headers
    etag, commit = headers.get("X-Linked-ETag") or headers.get("ETag"), headers.get("X-Repo-Commit")
    for name, value, pattern in (("ETag", etag, ETAG), ("X-Repo-Commit", commit, COMMIT)):
        if value is not None and not pattern.fullmatch(value):
            raise BadResponse("hub.path", repository=budget.repository, header=name, value=f"{value!r:.80}")
    _check_announced(budget, headers.get("X-Linked-Size", ""))


def _limit_body(response: httpx.Response) -> None:
    budget, headers = _budget.get(), response.headers
    if response.status_code not in (200, 206):  # a redirect or an error instead of the file
        budget = replace(budget, size=RESPONSE_LIMIT)
    if response.request.method != "HEAD":
        if headers.get("Content-Encoding", "identity") != "identity":
            raise BadResponse("hub.packed", repository=budget.repository)
        _check_announced(budget, headers.get("Content-Length", ""))
    response.stream = _Body(cast(httpx.SyncByteStream, response.stream), budget)


def _check_announced(budget: _Budget, size: str) -> None:
    if size.isdigit():
        budget.check(int(size))


class _Body(httpx.SyncByteStream):
    """A body within a budget. A reset connection raises the error on which the client resumes."""

    def __init__(self, stream: httpx.SyncByteStream, budget: _Budget):
        self._stream, self._budget = stream, budget

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        try:
            for part in self._stream:
                size += len(part)
                self._budget.check(size)
                yield part
        except httpx.ReadError as error:
            raise httpx.RemoteProtocolError(str(error)) from error

    def close(self) -> None:
        self._stream.close()


def _refuse_long_waits(response: httpx.Response) -> None:
    """Raise HfHubHTTPError where the client would wait for longer than LONGEST_WAIT before a retry."""
    if response.status_code != 429 and response.status_code < 500:
        return
    after, limit = response.headers.get("Retry-After", ""), parse_ratelimit_headers(response.headers)
    seconds = int(after) if after.isdigit() else 0
    if limit and limit.remaining == 0 and response.status_code == 429:  # every response has these headers
        seconds = limit.reset_in_seconds
    if seconds > LONGEST_WAIT:
        hf_raise_for_status(response)
