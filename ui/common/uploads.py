"""Uploaded files of visitors, which are deleted when they are old or newer ones need the space."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

import anyio.to_thread
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from cnn_models.images.decode import MAX_BYTES
from ui.common.texts import language_of, say

MOST_AT_ONCE = 4  # files in a request
MOST_FILES, MOST_BYTES = 1000, 10**9  # of all visitors
AGE = 24 * 3600  # seconds until a file is deleted
NAME = re.compile(r"[0-9a-f]{32}/[\w.-]{1,80}", re.ASCII)
_room = threading.Lock()


@cache
def _temporary() -> tempfile.TemporaryDirectory:
    """The folder of this process, which is deleted when the process ends."""
    kept = tempfile.TemporaryDirectory(prefix="cnn-lineup-", dir=os.environ.get("GRADIO_TEMP_DIR"))
    os.environ["GRADIO_TEMP_DIR"] = kept.name  # the default is shared with other gradio apps
    return kept


def folder() -> Path:
    """The folder of uploads and of files that gradio downloads for visitors."""
    return Path(_temporary().name).resolve()


def upload_path(name: object) -> Path | None:
    """The path of an upload by the name that `upload` returned; None if there is none."""
    if isinstance(name, str) and NAME.fullmatch(name):
        path = folder() / name
        return path if path.is_file() else None
    return None


async def upload(request: Request) -> JSONResponse:
    """The names under which the files of a multipart request are kept. Replaces gradio's endpoint.

    Clients send a name where gradio has a path, so that they do not learn the folder.
    """
    language = language_of(request.headers)
    try:
        async with request.form(max_files=MOST_AT_ONCE, max_fields=MOST_AT_ONCE) as form:
            files = [value for value in form.values() if isinstance(value, UploadFile)]
            contents = [(file.filename or "", await file.read()) for file in files]
        if not contents:
            return _refused(400, say(language, "server.upload.none"))
        if any(len(content) > MAX_BYTES for _, content in contents):
            return _refused(413, say(language, "server.large", most=MAX_BYTES // 10**6))
        return JSONResponse([await anyio.to_thread.run_sync(keep, *each) for each in contents])
    except HTTPException:  # of starlette: not multipart, or too many files
        return _refused(400, say(language, "server.upload.many", most=MOST_AT_ONCE))
    except OSError:
        return _refused(507, say(language, "server.upload.full"))


def keep(filename: str, content: bytes) -> str:
    """Write an upload to disk, whole or not at all, and return its name. Raises OSError."""
    cleaned = re.sub(r"[^\w.-]", "_", Path(filename.replace("\\", "/")).name, flags=re.ASCII).lstrip(".")[-80:]
    name = f"{hashlib.sha256(content).hexdigest()[:32]}/{cleaned or 'file'}"
    path = folder() / name
    with _room:
        if path.is_file():
            os.utime(path)
            return name
        make_room(len(content))
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            new.write_bytes(content)
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
    return name


def make_room(size: int) -> None:
    """Delete the oldest files until a file of `size` bytes fits into the limits."""
    found = _files()
    total, count = sum(each for _, each, _ in found) + size, len(found) + 1
    for _, each, path in found:
        if total <= MOST_BYTES and count <= MOST_FILES:
            break
        _delete(path)
        total, count = total - each, count - 1


def expire() -> None:
    """Delete files older than `AGE`."""
    for written, _, path in _files():
        if time.time() - written > AGE:
            _delete(path)


def _files() -> list[tuple[float, int, Path]]:
    """The time of last upload, size and path of each file, the oldest first."""
    found = []
    for path in folder().rglob("*"):
        with suppress(OSError):  # gradio may delete there too
            if path.is_file():
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
    return sorted(found)


def _delete(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()  # if it is empty


def _refused(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status)
