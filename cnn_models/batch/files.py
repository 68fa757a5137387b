"""The files of a folder or of a zip, read one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo, _EndRecData  # pyright: ignore[reportAttributeAccessIssue]

from cnn_models.datasets.handwriting import DAMAGED, read_member
from cnn_models.errors import ImageError, Refused
from cnn_models.images.decode import MAX_BYTES, content_of

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif",
)  # fmt: skip


# Of a zip of an untrusted client:
MOST_IMAGES = 200
MOST_ENTRIES = 1000  # files and folders
MOST_DIRECTORY = 2**20  # bytes of their names and facts
ENTRIES, DIRECTORY_SIZE = 4, 5  # their places in zipfile's record of the end of a zip
METHODS = (ZIP_STORED, ZIP_DEFLATED)  # of bounded memory


class Files(NamedTuple):
    """The sorted paths of files, relative to their folder or zip and with "/", and the function that reads one.

    It raises ImageError for a file that cannot be read, and for one larger than MAX_BYTES.
    """

    names: list[str]
    read: Callable[[str], bytes]

    @property
    def images(self) -> list[str]:
        """The names that end as those of images."""
        return [name for name in self.names if PurePosixPath(name).suffix.lower() in SUFFIXES]


@contextmanager
def opened(source: Path, public: bool = False) -> Iterator[Files]:
    """The files below a folder, or those of a zip, without hidden ones. Raises Refused.

    There is at least one image.

    With `public`, a zip of an untrusted client has limits: of MOST_IMAGES, and of MAX_BYTES once it is unpacked.
    """
    if source.is_dir():
        below = (path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
        yield _with_images(source, Files(_shown(below), lambda name: content_of(source / name)))
        return
    try:
        if public:
            _check_directory(source)
        archive = ZipFile(source)
    except Refused:
        raise
    except DAMAGED as error:
        why = (isinstance(error, OSError) and error.strerror) or error  # without the path
        raise Refused("batch.zip", file=source.name, why=why) from error
    with archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        files = Files(_shown(each.filename for each in members), partial(_read_member, archive))
        if public:
            _check_members(files, members)
        yield _with_images(source, files)


def _with_images(source: Path, files: Files) -> Files:
    """The files, if there are images among them. Raises Refused."""
    if not files.images:
        raise Refused("batch.none", source=source.name or source, known=", ".join(SUFFIXES))
    return files


def _check_directory(source: Path) -> None:
    """Refuse a zip that names more files than could be images, before their names are read. Raises Refused, OSError."""
    with source.open("rb") as file:
        if (end := _EndRecData(file)) and (end[DIRECTORY_SIZE] > MOST_DIRECTORY or end[ENTRIES] > MOST_ENTRIES):
            raise Refused("batch.many", most=MOST_IMAGES)


def _check_members(files: Files, members: list[ZipInfo]) -> None:
    if len(files.images) > MOST_IMAGES:
        raise Refused("batch.many", most=MOST_IMAGES)
    if sum(each.file_size for each in members) > MAX_BYTES:  # no more is read of a file than it declares
        raise Refused("batch.large", most=MAX_BYTES // 10**6)
    if any(each.compress_type not in METHODS for each in members):
        raise Refused("batch.method")


def _shown(names: Iterable[str]) -> list[str]:
    """The sorted names of files that are neither hidden nor of macOS."""
    return sorted({name for name in names if not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))})


def _read_member(archive: ZipFile, name: str) -> bytes:
    try:
        return read_member(archive, name)
    except ImageError:
        raise
    except DAMAGED as error:  # also encrypted, or compressed in an unknown way
        raise ImageError("zip.unread", why=error) from error
