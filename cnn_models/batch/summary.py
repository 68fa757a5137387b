"""What the answers for many images add up to: accuracy, agreement and confusion matrices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnn_models.analysis.statistics import binomial_interval
from cnn_models.batch.rows import Answer
from cnn_models.datasets import DATASETS

VOTE = "vote"


class Summary:
    """Counts of the answers that were added.

    `confusion` has a matrix, label x prediction, for each network and the VOTE, of the images with a label and a
    prediction. `agreed` counts the images for which all networks have the same prediction.
    """

    def __init__(self, dataset: str, ids: Sequence[str]):
        self.classes = DATASETS[dataset].classes
        side = len(self.classes)
        self.confusion = {name: np.zeros((side, side), int) for name in (*ids, VOTE)}
        self.images = self.refused = self.warned = self.agreed = 0

    def add(self, *answers: Answer) -> None:
        for answer in answers:
            self._add(answer)

    def _add(self, answer: Answer) -> None:
        self.images += 1
        if not answer.predicted:
            self.refused += 1
            return
        self.warned += answer.warned
        self.agreed += len(set(answer.predicted.values())) == 1
        if answer.label is not None:
            truth = self.classes.index(answer.label)
            for name, label in (*answer.predicted.items(), (VOTE, answer.vote)):
                self.confusion[name][truth, self.classes.index(label)] += 1

    @property
    def answered(self) -> int:
        """The images with predictions."""
        return self.images - self.refused

    @property
    def labelled(self) -> int:
        """The images with a label and predictions."""
        return self.count(VOTE)

    def count(self, name: str) -> int:
        """The images with a label and a prediction of a network, or of the VOTE."""
        return int(self.confusion[name].sum())

    def right(self, name: str) -> int:
        """The correct predictions of a network, or of the VOTE."""
        return int(self.confusion[name].trace())

    def as_markdown(self, confusion: bool = False) -> str:
        """The counts, a table of accuracies where there are labels, and with `confusion` the matrices."""
        networks = len(self.confusion) - 1
        parts = [f"{self.images:,} images: {self.refused:,} refused, {self.warned:,} with a warning"]
        if networks > 1:
            parts[0] += f"; all {networks} networks agree on {self.agreed:,} of {self.answered:,}"
        if self.labelled:
            parts.append(self._accuracies())
            parts += [self._matrix(name) for name in self.confusion if confusion]
        return "\n\n".join(parts)

    def _accuracies(self) -> str:
        lines = ["| network | correct | of | accuracy | 95 % interval |", "|---|---:|---:|---:|---:|"]
        for name in self.confusion:
            right, count = self.right(name), self.count(name)
            if not count:
                continue
            interval = "{:.2f} to {:.2f} %".format(*binomial_interval(right, count))
            lines.append(f"| {name} | {right:,} | {count:,} | {100 * right / count:.2f} % | {interval} |")
        return "\n".join(lines)

    def _matrix(self, name: str) -> str:
        head = [f"{name}: label, prediction", *self.classes]
        rows = [[label, *map(str, counts)] for label, counts in zip(self.classes, self.confusion[name], strict=True)]
        lines = [head, ["---", *["---:"] * len(self.classes)], *rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)
