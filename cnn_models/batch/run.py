"""The work of `python -m cnn_models.batch`."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from cnn_models.batch.files import opened
from cnn_models.batch.labels import labels_of
from cnn_models.batch.rows import batches, cells, columns, compare_images, decode_images
from cnn_models.batch.summary import Summary
from cnn_models.datasets import DATASETS
from cnn_models.hub.model_hub import ModelHub
from cnn_models.images.decode import read
from cnn_models.predict import ids_of, loadable


def compare_all(args: argparse.Namespace) -> None:
    """Write the rows and the summary that the arguments request. Exits with a sentence where that is not possible."""
    try:
        _compare_all(args)
    except BrokenPipeError:  # for `command.run`
        raise
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def _compare_all(args: argparse.Namespace) -> None:
    hub, names = ModelHub(), [name.strip() for name in args.networks.split(",") if name.strip()]
    ids = ids_of(names, args.dataset)
    with opened(args.source) as files:
        labels = labels_of(files, DATASETS[args.dataset])
        ids = ids or loadable(args.dataset, hub)
        summary = Summary(args.dataset, ids)
        with _output(args.out) as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(columns(ids))
            # A bar would be torn by rows on the same terminal.
            with tqdm(total=len(files.images), unit="img", disable=file.isatty()) as bar:
                for names in batches(files):
                    images = decode_images(names, lambda name: read(files.read(name)))
                    for row in compare_images(images, labels.classes, args.dataset, ids, hub):
                        table.writerow(cells(row, ids))
                        summary.add(row.answer)
                    bar.update(len(names))
    if labels.classes:
        print(f"labels of {len(labels.classes):,} images from {labels.origin}", file=sys.stderr)
    print(summary.as_markdown(args.confusion), file=sys.stderr)


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """The file of a path, or standard output."""
    if path is None:
        yield sys.stdout
        return
    # Names of files need not be Unicode.
    with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
        yield file
