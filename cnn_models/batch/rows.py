"""The comparison of each of many images, a batch of them in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from cnn_models.batch.files import Files
from cnn_models.datasets import DATASETS
from cnn_models.errors import ImageError
from cnn_models.hub.model_hub import ModelHub
from cnn_models.images.decode import Decoded
from cnn_models.images.preprocess import Preprocessed, preprocess
from cnn_models.predict import Comparison, compare_preprocessed

BATCH = 16  # images


class Answer(NamedTuple):
    """What a summary counts of an image: its label, if it is known, and the predictions by checkpoint id.

    `vote` is the class that most of them predict, and `warned` whether the verdict has a warning. A refused image has
    no predictions.
    """

    label: str | None
    predicted: Mapping[str, str] = {}
    vote: str = ""
    warned: bool = False


class Row(NamedTuple):
    """An image by the name of its file, its label if that is known, and its comparison or why there is none."""

    file: str
    label: str | None
    result: Comparison | ImageError

    @property
    def answer(self) -> Answer:
        if isinstance(self.result, ImageError):
            return Answer(self.label)
        verdict = self.result.verdict
        return Answer(self.label, {one.id: one.label for one in self.result.models}, verdict.label, verdict.unusual)


def batches(files: Files) -> Iterator[list[str]]:
    """The names of the images, BATCH at a time."""
    names = files.images
    return (names[start : start + BATCH] for start in range(0, len(names), BATCH))


def decode_images(names: Iterable[str], read: Callable[[str], Decoded]) -> dict[str, Decoded | ImageError]:
    """The decoded images by name, or why they are refused. `read` decodes the image of a name or raises ImageError."""

    def decoded(name: str) -> Decoded | ImageError:
        try:
            return read(name)
        except ImageError as error:
            return error

    return {name: decoded(name) for name in names}


def compare_images(
    images: Mapping[str, Decoded | ImageError],
    labels: Mapping[str, str],
    dataset: str,
    ids: Sequence[str],
    hub: ModelHub,
) -> list[Row]:
    """The rows of images by name, by at least one network. Raises CheckpointError."""
    found = {name: _preprocessed(image, dataset) for name, image in images.items()}
    usable = {name: each for name, each in found.items() if not isinstance(each, ImageError)}
    compared = compare_preprocessed(list(usable.values()), dataset, ids, hub) if usable else []
    refused = {name: each for name, each in found.items() if isinstance(each, ImageError)}
    results = dict(zip(usable, compared, strict=True)) | refused
    return [Row(name, labels.get(name), results[name]) for name in found]


def _preprocessed(image: Decoded | ImageError, dataset: str) -> tuple[Decoded, Preprocessed] | ImageError:
    """A decoded image and what was found in it, or why it is refused."""
    if isinstance(image, ImageError):
        return image
    try:
        return image, preprocess(image, DATASETS[dataset])
    except ImageError as error:
        return error


def columns(ids: Sequence[str]) -> list[str]:
    """The names of the `cells`: `prediction` has most `votes`, and each network its own with its confidence."""
    each = chain.from_iterable((id, f"{id} confidence") for id in ids)
    return ["file", "label", "prediction", "votes", *each, "warning", "refused"]


def cells(row: Row, ids: Sequence[str]) -> list[str]:
    """A row as CSV; what is unknown is empty."""
    start, result = [row.file, row.label or ""], row.result
    if isinstance(result, ImageError):
        return [*start, "", "", *[""] * (2 * len(ids)), "", str(result)]
    verdict = result.verdict
    each = chain.from_iterable((one.label, f"{one.probabilities[one.label]:.6f}") for one in result.models)
    return [*start, verdict.label, str(verdict.votes[verdict.label]), *each, verdict.why, ""]
