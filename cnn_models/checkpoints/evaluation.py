"""What a network answered to the test images: `evaluation.json` of a checkpoint folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, NamedTuple

CLASSES = 10
MOST = 10**6  # images of a test set
BINS = 15  # of confidence


class Bin(NamedTuple):
    """Predictions of about the same confidence: how many, how many correct, and the sum of their confidences."""

    count: int  # pyright: ignore[reportIncompatibleMethodOverride]  hides a tuple's
    right: int
    confidence: float


@dataclass(frozen=True)
class Evaluation:
    """`confusion[i][j]` counts the test images of class i that the network takes for class j.

    `wrong[j]` are the numbers, within the test set, of those it takes for j and that are something else, ascending;
    `weights_sha256` is the hash of the weights that were measured. `reliability` are two times `BINS` equal bins of
    confidence, first to last: at temperature 1, and at the card's; None in what was measured before it was kept.
    """

    weights_sha256: str
    confusion: tuple[tuple[int, ...], ...]
    wrong: tuple[tuple[int, ...], ...]
    reliability: tuple[tuple[Bin, ...], tuple[Bin, ...]] | None = None

    @property
    def accuracy(self) -> float:
        """Of all images, the share that is recognised, in percent."""
        right = sum(row[index] for index, row in enumerate(self.confusion))
        return 100 * right / sum(map(sum, self.confusion))

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Of the images of each class, the share that is recognised (its recall), in percent."""
        return tuple(100 * row[index] / sum(row) for index, row in enumerate(self.confusion))

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read `to_json`'s text. Raises ValueError for what is not JSON, not these fields, or contradicts itself."""
        values = json.loads(text)
        fields = {field.name for field in dataclasses.fields(cls)}
        if not isinstance(values, dict) or values.keys() | {"reliability"} != fields:
            raise ValueError("an evaluation has the fields confusion, weights_sha256 and wrong")
        confusion, wrong = _rows(values["confusion"]), _rows(values["wrong"])
        if any(len(row) != CLASSES or not sum(row) for row in confusion):
            raise ValueError(f"the confusion matrix is {CLASSES} x {CLASSES}, with images of every class")
        mistakes = [sum(row[index] for row in confusion) - confusion[index][index] for index in range(CLASSES)]
        if mistakes != [len(set(row)) for row in wrong] or mistakes != [len(row) for row in wrong]:
            raise ValueError("the images it has wrong are not as many as in the confusion matrix")
        right = sum(row[index] for index, row in enumerate(confusion))
        count = sum(map(sum, confusion))
        if count > MOST or any(number >= count for row in wrong for number in row):
            raise ValueError(f"the numbers of the images go from 0 to one less than there are, of at most {MOST:,}")
        reliability = _reliability(values.get("reliability"), count, right)
        if not isinstance(values["weights_sha256"], str):
            raise ValueError("the hash of the weights is a text")
        return cls(values["weights_sha256"], confusion, wrong, reliability)


def _reliability(value: Any, count: int, right: int) -> tuple[tuple[Bin, ...], tuple[Bin, ...]] | None:
    """Two lists of bins with as many answers and as many of them right as there are. Raises ValueError."""
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
            raise ValueError("a bin has no more right, nor more confidence, than predictions")
        if (len(bins), sum(bin.count for bin in bins), sum(bin.right for bin in bins)) != (BINS, count, right):
            raise ValueError("the bins of the reliability do not hold the answers of the confusion matrix")
    return before, after


def _rows(value: object) -> tuple[tuple[int, ...], ...]:
    """A list with a list of counts per class, as tuples. Raises ValueError."""
    if not isinstance(value, list) or len(value) != CLASSES or not all(isinstance(row, list) for row in value):
        raise ValueError(f"{CLASSES} lists are expected, one for each class")
    if any(type(number) is not int or number < 0 for row in value for number in row):
        raise ValueError("counts and numbers of images are whole and not negative")
    return tuple(map(tuple, value))
