"""Uploaded files of visitors, which are deleted when they are old or newer ones need the space."""

from __future__ import annotations

import atexit
import hashlib
import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import anyio.to_thread
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from cnn_models.images.decode import MAX_BYTES
from cnn_models.visitors import Visitor
from ui.common.texts import language_of, say

MOST_AT_ONCE = 4  # files in a request
MOST_FILES, MOST_BYTES = 1000, 10**9  # of all visitors
SHARES = 4  # an address has at most one of so many
AGE = 24 * 3600  # seconds until a file is deleted
NAME = re.compile(r"[0-9a-f]{32}/[\w.-]{1,80}", re.ASCII)
PREFIX = "cnn-uploads-"
YOUNG = 60  # seconds for which a folder without a lock may be that of a starting process
_room = threading.Lock()
_owners: dict[str, str] = {}  # path to the address that sent it first


class File(NamedTuple):
    """A file on disk. `written` is the time of its last upload, `size` in bytes, `owner` the address that sent it."""

    written: float
    size: int
    path: Path
    owner: str


@cache
def folder() -> Path:
    """The folder of uploads and of files that gradio downloads for visitors; deleted when the process ends.

    It is set as GRADIO_TEMP_DIR, which gradio reads when it is imported: its default belongs to the first user of the
    machine. Raises ValueError with a sentence if there is no place for it.
    """
    try:
        tempfile.gettempdir()  # of large uploads while they arrive
        made = make_folder(Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()))
    except OSError as error:
        raise ValueError(
            f"there is no folder for uploads ({error}); set TMPDIR, and GRADIO_TEMP_DIR if it is in use, to a folder "
            "with room that you may write"
        ) from error
    os.environ["GRADIO_TEMP_DIR"] = str(made)
    return made


def make_folder(base: Path) -> Path:
    """A new folder in `base`, locked until the process ends; those of processes that were killed are deleted."""
    base.mkdir(parents=True, exist_ok=True)
    for left in base.glob(f"{PREFIX}*"):
        with suppress(OSError):  # deleted meanwhile
            if time.time() - left.lstat().st_mtime > YOUNG and (lock := _lock(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base)).resolve()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    with suppress(OSError):  # a file system without locks
        _lock(made)
    return made


def _lock(path: Path) -> int | None:
    """The descriptor that holds the lock of a folder of this user; None if another process holds it, and on Windows.

    The system releases it when the process ends or is killed. Raises OSError if the path is no folder, or a link.
    """
    try:
        import fcntl
    except ImportError:
        return None
    found = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    with suppress(BlockingIOError):
        if os.fstat(found).st_uid == os.getuid():
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return found
    os.close(found)
    return None


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
            return _refused(413, say(language, "image.bytes", most=MAX_BYTES // 10**6))
        address = Visitor.of(request.client.host if request.client else "", "").address
        return JSONResponse([await anyio.to_thread.run_sync(keep, *each, address) for each in contents])
    except HTTPException:  # of starlette: not multipart, or too many files
        return _refused(400, say(language, "server.upload.many", most=MOST_AT_ONCE))
    except OSError:
        return _refused(507, say(language, "server.upload.full"))


def keep(filename: str, content: bytes, address: str = "") -> str:
    """Write an upload of an address to disk, whole or not at all, and return its name. Raises OSError."""
    cleaned = re.sub(r"[^\w.-]", "_", Path(filename.replace("\\", "/")).name, flags=re.ASCII).lstrip(".")[-80:]
    name = f"{hashlib.sha256(content).hexdigest()[:32]}/{cleaned or 'file'}"
    path = folder() / name
    with _room:
        if path.is_file():
            os.utime(path)
            return name
        make_room(len(content), address)
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            new.write_bytes(content)
            new.replace(path)
        except OSError:
            new.unlink(missing_ok=True)
            raise
        _owners[str(path)] = address
    return name


def make_room(size: int, address: str) -> None:
    """Delete the oldest files until one of `size` bytes fits into the share of its address and the limits of all."""
    own = [file for file in _files() if file.owner == address]
    _delete_oldest(own, size, MOST_BYTES // SHARES, MOST_FILES // SHARES)
    _delete_oldest(_files(), size, MOST_BYTES, MOST_FILES)


def _delete_oldest(files: Sequence[File], size: int, most_bytes: int, most_files: int) -> None:
    total, count = sum(file.size for file in files) + size, len(files) + 1
    for file in files:
        if total <= most_bytes and count <= most_files:
            break
        _delete(file.path)
        total, count = total - file.size, count - 1


def expire() -> None:
    """Delete files older than `AGE`."""
    for file in _files():
        if time.time() - file.written > AGE:
            _delete(file.path)


def _files() -> list[File]:
    """The files, the oldest first."""
    found = []
    for path in folder().rglob("*"):
        with suppress(OSError):  # gradio may delete there too
            if path.is_file():
                status = path.stat()
                found.append(File(status.st_mtime, status.st_size, path, _owners.get(str(path), "")))
    return sorted(found)


def _delete(path: Path) -> None:
    _owners.pop(str(path), None)
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()  # if it is empty


def _refused(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"detail": sentence}, status)
