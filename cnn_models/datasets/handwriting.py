"""Labelled images of the user as a zip, which the page writes and training reads.

The zip contains `labels.csv` with the columns `file,dataset,label`, and each of the files, an image of any kind that
`decode` takes; the page writes 28 x 28 PNGs in the data set's form. A label is the name of a class.
"""

from __future__ import annotations

import csv
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cnn_models.datasets import DATASETS
from cnn_models.images.decode import MAX_BYTES, ImageError, decode
from cnn_models.images.preprocess import SIDE, to_dataset_form

LABELS = "labels.csv"
COLUMNS = ("file", "dataset", "label")
MOST = 10_000  # images in a zip
# Any of these may be raised by a damaged file.
DAMAGED = (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError, csv.Error, zlib.error, lzma.LZMAError)


class Labelled(NamedTuple):
    """An encoded image, its data set and its class."""

    image: bytes
    dataset: str
    label: str


def pack(images: Iterable[Labelled], decode: Callable[[bytes], np.ndarray] = decode) -> bytes:
    """The zip. Raises ImageError for images that `unpack` refuses. `decode` may be `decode_untrusted`."""
    file, rows = io.BytesIO(), []
    with zipfile.ZipFile(file, "w") as archive:  # stored: a PNG does not get smaller
        for index, each in enumerate(images):
            _check(index, each.dataset, each.label)
            to_dataset_form(decode(each.image), DATASETS[each.dataset])
            rows.append((f"pictures/{index:04}.png", each.dataset, each.label))
            archive.writestr(rows[-1][0], each.image)
        table = io.StringIO()
        csv.writer(table, lineterminator="\n").writerows([COLUMNS, *rows])
        archive.writestr(LABELS, table.getvalue())
    return file.getvalue()


def unpack(source: Path | str | bytes, dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """The images of one data set in its form, N x 28 x 28 uint8, and their labels, N int64; N may be 0.

    Raises ImageError, with the name of the file, for a damaged zip and for missing, too large or unknown content.
    """
    images, labels = [], []
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            rows = csv.DictReader(io.StringIO(read_member(archive, LABELS).decode("utf-8")))
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise ImageError("zip.columns", file=LABELS, columns=", ".join(COLUMNS))
            for index, row in enumerate(rows):
                _check(index, row["dataset"], row["label"])
                if row["dataset"] == dataset:
                    try:
                        grey = decode(read_member(archive, row["file"] or ""))
                        images.append(to_dataset_form(grey, DATASETS[dataset]))
                    except ImageError as error:
                        raise ImageError("zip.image", file=f"{row['file']!r:.80}", why=error) from error
                    labels.append(DATASETS[dataset].classes.index(row["label"]))
    except DAMAGED as error:
        why = error if isinstance(error, ImageError) else ImageError("zip.damaged", why=error)
        if isinstance(source, bytes):
            raise why from error
        raise ImageError("zip.image", file=source, why=why) from error
    return np.array(images, np.uint8).reshape(-1, SIDE, SIDE), np.array(labels, np.int64)


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a file of the zip, of at most MAX_BYTES. Raises ImageError."""
    try:
        with archive.open(name) as file:
            content = file.read(MAX_BYTES + 1)
    except KeyError as error:
        raise ImageError("zip.missing", file=f"{name!r:.80}") from error
    if len(content) > MAX_BYTES:
        raise ImageError("zip.large", file=f"{name!r:.80}", most=MAX_BYTES // 10**6)
    return content


def _check(index: int, dataset: str | None, label: str | None) -> None:
    if index >= MOST:
        raise ImageError("zip.many", most=f"{MOST:,}")
    if dataset is None or dataset not in DATASETS or label not in DATASETS[dataset].classes:
        raise ImageError("zip.class", label=f"{label!r:.40}", dataset=f"{dataset!r:.40}")
