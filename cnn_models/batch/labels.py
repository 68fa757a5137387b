"""The labels of image files: from a table, else from the folders they are in, else from the beginnings of their names.

A class is named as its data set does, in any case and without regard to spaces and punctuation, or by its index.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

from cnn_models.batch.files import Files
from cnn_models.datasets.handwriting import LABELS
from cnn_models.errors import Refused
from cnn_models.specs import Dataset

MOST_BYTES = 10**7  # of a table
LONGEST_NAME, MOST_WORDS = 255, 5  # of a file name, where it may begin with a class


class Labels(NamedTuple):
    """The class of each labelled file by its name, and where the classes are from: LABELS, "folders" or "names"."""

    classes: dict[str, str]
    origin: str


def labels_of(files: Files, dataset: Dataset) -> Labels:
    """The labels of images by the first of three ways that labels any of them.

    1. A table LABELS with the columns `file`, relative to the table, and `label`; where it has a column `dataset`, as
       in a zip of drawings, rows of other data sets are passed over. Where there is a table, it alone counts.
    2. The folder that an image is in is a class: `7/a.png`.
    3. Its name begins with a class and "_": `7_001.png`.

    Raises Refused for a table that is damaged, or names unknown classes or files.
    """
    images, classes = files.images, _by_spelling(dataset)
    if tables := [name for name in files.names if PurePosixPath(name).name == LABELS]:
        table = min(tables, key=lambda name: name.count("/"))
        return Labels(_in_table(files, table, dataset, classes), LABELS)

    def found(way: Callable[[PurePosixPath, dict[str, str]], str | None]) -> dict[str, str]:
        return {name: label for name in images if (label := way(PurePosixPath(name), classes))}

    if folders := found(_of_folder):
        return Labels(folders, "folders")
    return Labels(found(_of_name), "names")


def _spelling(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _by_spelling(dataset: Dataset) -> dict[str, str]:
    """The classes by their spellings and their indices."""
    indices = {str(index): name for index, name in enumerate(dataset.classes)}
    return indices | {_spelling(name): name for name in dataset.classes}


def _of_folder(path: PurePosixPath, classes: dict[str, str]) -> str | None:
    return classes.get(_spelling(path.parent.name))


def _of_name(path: PurePosixPath, classes: dict[str, str]) -> str | None:
    words = path.stem[:LONGEST_NAME].split("_", MOST_WORDS)
    beginnings = ("_".join(words[:count]) for count in range(1, len(words)))  # "Ankle_boot" of "Ankle_boot_001"
    return next((classes[each] for each in map(_spelling, beginnings) if each in classes), None)


def _in_table(files: Files, table: str, dataset: Dataset, classes: dict[str, str]) -> dict[str, str]:
    """The classes by file in a table. Raises Refused."""
    found, images = {}, set(files.images)
    try:
        if len(content := files.read(table)) > MOST_BYTES:
            raise Refused("labels.large", file=table, most=MOST_BYTES // 10**6)
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        if not {"file", "label"} <= set(rows.fieldnames or ()):
            raise Refused("labels.columns", file=table)
        for row in rows:
            if row.get("dataset", dataset.name) != dataset.name:
                continue
            name = (PurePosixPath(table).parent / (row["file"] or "")).as_posix()
            if name not in images:
                raise Refused("labels.file", file=table, name=f"{row['file']!r:.80}")
            if (label := classes.get(_spelling(row["label"] or ""))) is None:
                known = ", ".join(dataset.classes)
                raise Refused("labels.class", file=table, label=f"{row['label']!r:.40}", known=known)
            found[name] = label
    except Refused:
        raise
    except (csv.Error, ValueError) as error:  # also not UTF-8, or a file that cannot be read
        raise Refused("labels.damaged", file=table, why=error) from error
    return found
