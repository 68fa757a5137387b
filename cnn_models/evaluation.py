"""What a network answered to the test pictures: `evaluation.json` of a checkpoint folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

CLASSES = 10


@dataclass(frozen=True)
class Evaluation:
    """`confusion[i][j]` counts the test pictures of class i that the network takes for class j.

    `wrong[j]` are the numbers, within the test set, of those it takes for j and that are something else, ascending;
    `weights_sha256` is the hash of the weights that were measured.
    """

    weights_sha256: str
    confusion: tuple[tuple[int, ...], ...]
    wrong: tuple[tuple[int, ...], ...]

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Of the pictures of each class, the share that is recognised (its recall), in percent."""
        return tuple(100 * row[index] / sum(row) for index, row in enumerate(self.confusion))

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Evaluation:
        """Read `to_json`'s text. Raises ValueError for what is not JSON, not these fields, or contradicts itself."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.keys() != {field.name for field in dataclasses.fields(cls)}:
            raise ValueError("an evaluation has the fields confusion, weights_sha256 and wrong")
        confusion, wrong = _rows(values["confusion"]), _rows(values["wrong"])
        if any(len(row) != CLASSES or not sum(row) for row in confusion):
            raise ValueError(f"the confusion matrix is {CLASSES} x {CLASSES}, with pictures of every class")
        mistakes = [sum(row[index] for row in confusion) - confusion[index][index] for index in range(CLASSES)]
        if mistakes != [len(set(row)) for row in wrong] or mistakes != [len(row) for row in wrong]:
            raise ValueError("the pictures it has wrong are not as many as in the confusion matrix")
        return cls(values["weights_sha256"], confusion, wrong)


def _rows(value: object) -> tuple[tuple[int, ...], ...]:
    """A list with a list of counts per class, as tuples. Raises ValueError."""
    if not isinstance(value, list) or len(value) != CLASSES or not all(isinstance(row, list) for row in value):
        raise ValueError(f"{CLASSES} lists are expected, one for each class")
    if any(type(number) is not int or number < 0 for row in value for number in row):
        raise ValueError("counts and numbers of pictures are whole and not negative")
    return tuple(map(tuple, value))
