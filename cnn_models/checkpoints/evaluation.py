"""The results of a network on the test set: `evaluation.json` of a checkpoint folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

CLASSES = 10
MOST = 10**6  # images of a test set
BINS = 15  # of confidence


class Bin(NamedTuple):
    """Predictions of similar confidence: their number, the number of correct ones, and the sum of their confidences."""

    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  hides a tuple's
    right: int
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """`confusion[i][j]` counts the test images of class i that are predicted as class j.

    `wrong[j]` are the indices in the test set, ascending, of the images misclassified as j; `weights_sha256` is the
    hash of the weights. `reliability` is twice `BINS` equal bins of confidence, ascending: at temperature 1 and at the
    card's; None in older files.
    """

    weights_sha256: str
    confusion: tuple[tuple[int, ...], ...]
    wrong: tuple[tuple[int, ...], ...]
    reliability: tuple[tuple[Bin, ...], tuple[Bin, ...]] | None = None

    @property
    def accuracy(self) -> float:
        """The accuracy in percent."""
        right = sum(row[index] for index, row in enumerate(self.confusion))
        return 100 * right / sum(map(sum, self.confusion))

    @property
    def accuracies(self) -> tuple[float, ...]:
        """The recall of each class in percent."""
        return tuple(100 * row[index] / sum(row) for index, row in enumerate(self.confusion))

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """The evaluation of a JSON text. Raises ValueError for other fields or contradictory values."""
        values = json.loads(text)
        fields = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(values, dict) or values.keys() | {"reliability"} != fields:
            raise ValueError("an evaluation has the fields confusion, weights_sha256 and wrong")
        confusion, wrong = _rows(values["confusion"]), _rows(values["wrong"])
        if any(len(row) != CLASSES or not sum(row) for row in confusion):
            raise ValueError(f"the confusion matrix is {CLASSES} x {CLASSES}, with images of every class")
        errors = [sum(row[index] for row in confusion) - confusion[index][index] for index in range(CLASSES)]
        if errors != [len(set(row)) for row in wrong] or errors != [len(row) for row in wrong]:
            raise ValueError("the misclassified images are not as many as in the confusion matrix")
        right = sum(row[index] for index, row in enumerate(confusion))
        count = sum(map(sum, confusion))
        if count > MOST or any(number >= count for row in wrong for number in row):
            raise ValueError(f"an index is not one of the test images, or there are more than {MOST:,}")
        reliability = _reliability(values.get("reliability"), count, right)
        if not isinstance(values["weights_sha256"], str):
            raise ValueError("the hash of the weights is a text")
        return cls(values["weights_sha256"], confusion, wrong, reliability)


def _reliability(value: Any, count: int, right: int) -> tuple[tuple[Bin, ...], tuple[Bin, ...]] | None:
    """Two lists of bins, of `count` predictions, `right` of them correct. Raises ValueError."""
    if value is None:
        return None
    try:
        before, after = (tuple(Bin(*row) for row in bins) for bins in value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the reliability is twice a list of bins: {error}") from error
    for bins in (before, after):
        if any(type(bin.count) is not int or type(bin.right) is not int for bin in bins):
            raise ValueError("counts are whole")
        if any(type(bin.confidence) not in (int, float) for bin in bins):
            raise ValueError("a confidence is a number")
        if any(not (0 <= bin.right <= bin.count and 0 <= bin.confidence <= bin.count) for bin in bins):
            raise ValueError("a bin has more correct predictions, or more confidence, than predictions")
        if (len(bins), sum(bin.count for bin in bins), sum(bin.right for bin in bins)) != (BINS, count, right):
            raise ValueError("the bins of the reliability do not match the confusion matrix")
    return before, after


def _rows(value: object) -> tuple[tuple[int, ...], ...]:
    """Tuples of a list with a list of counts for each class. Raises ValueError."""
    if not isinstance(value, list) or len(value) != CLASSES or not all(isinstance(row, list) for row in value):
        raise ValueError(f"{CLASSES} lists are expected, one for each class")
    if any(type(number) is not int or number < 0 for row in value for number in row):
        raise ValueError("counts and numbers of images are whole and not negative")
    return tuple(map(tuple, value))
