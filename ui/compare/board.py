"""The board: a table of probabilities, classes down the side, networks and their ensemble across."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.ensemble import entropy
from cnn_models.analysis.verdict import Prediction, Verdict
from cnn_models.datasets.test_sets import Measured
from cnn_models.specs import Architecture
from ui.common.names import architecture, class_name
from ui.common.templates import render
from ui.common.texts import say
from ui.compare.request import Request

TOGETHER = "together"
FACTS = ("margin", "entropy", "time", "weights")


@dataclass(frozen=True)
class Column:
    """A network on the board. `name` is an architecture, or the id of a third-party checkpoint, which is `measured`.

    `side` is the side of its input in pixels. `missing` is a sentence that says why it has no prediction: it is
    `untrained`, or its weights are `coming`: bytes downloaded and in all, 0 if unknown. A column is `pending` if
    another response will have its answer.
    """

    name: str
    answer: Prediction | None = None
    missing: str = ""
    untrained: bool = False
    coming: tuple[int, int] | None = None
    source: str = ""
    pending: bool = False
    side: int = 0
    measured: Measured | None = None

    @property
    def spec(self) -> Architecture:
        return architecture(self.name)

    @property
    def owner(self) -> str:
        """The owner of a third-party checkpoint, else empty."""
        return self.name.rpartition("/")[0]

    @property
    def revision(self) -> str:
        """The start of the commit of a third-party checkpoint."""
        return self.name.rpartition("@")[2][:7]

    @property
    def figures(self) -> dict[str, str]:
        """The values of the texts about `measured`; empty without it."""
        if not (found := self.measured):
            return {}
        return {"accuracy": f"{found.accuracy:.2f}", "right": f"{found.right:,}", "count": f"{found.count:,}"}


class Cell(NamedTuple):
    """A probability on the board, None if it is not known; or, in the first row, a `missing` column."""

    model: str
    pending: bool
    probability: float | None
    wins: bool
    missing: Column | None


def short(count: int) -> str:
    """A parameter count with a unit: 61.7 k, 46.8 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.1f} k"


def board(request: Request, columns: list[Column], sizes: Mapping[str, int], together_pending: bool = False) -> Markup:
    """The table. Cells without a known value are empty and as large, so that the layout does not change later.

    `sizes` are the parameter counts of the architectures. Pending cells are marked: the page keeps their content.
    """
    classes, language = DATASETS[request.dataset].classes, request.language
    names = {label: class_name(language, label) for label in classes}
    answers = [column.answer for column in columns if column.answer]
    verdict = Verdict.of(answers) if answers else None
    together = Column(TOGETHER, _as_answer(verdict, answers) if verdict else None, pending=together_pending)
    present = [column for column in columns if not column.missing]
    figures = [(column.name, column.pending, _facts(language, column)) for column in [*present, together]]
    if verdict:
        figures[-1][-1].update(margin="", weights=_votes(language, verdict, len(present)))
    return render(
        "compare/board.html",
        language=language,
        dataset=request.dataset,
        columns=columns,
        together=TOGETHER,
        rows=[
            (label, name, [_cell(each, label) for each in [*(columns if label == classes[0] else present), together]])
            for label, name in names.items()
        ],
        facts=FACTS,
        figures=figures,
        sizes=sizes,
        short=short,
        most=f"{math.log2(len(classes)):.2f}",  # bits, of the uniform distribution
        width=max(7, 2 + max(sum(1 if ord(letter) < 0x2E80 else 2 for letter in name) for name in names.values())),
    )


def _as_answer(verdict: Verdict, answers: Sequence[Prediction]) -> Prediction:
    """The soft vote as an answer without a margin, whose time is the sum of all."""
    time = sum(answer.milliseconds for answer in answers)
    return Prediction(TOGETHER, verdict.likeliest, verdict.probabilities, math.nan, time)


def _cell(column: Column, label: str) -> Cell:
    answer, missing = column.answer, column if column.missing else None
    if not answer:
        return Cell(column.name, column.pending, None, False, missing)
    return Cell(column.name, column.pending, answer.probabilities[label], answer.label == label, missing)


def _facts(language: str, column: Column) -> dict[str, str | list[str]]:
    """The texts of FACTS; the source of the weights is split where a line may break."""
    answer = column.answer
    if not answer:
        return dict.fromkeys(FACTS, "")
    return {
        "margin": f"{answer.margin:.1f}",
        "entropy": say(language, "board.bits", bits=f"{entropy(answer.probabilities.values()):.2f}"),
        "time": f"{answer.milliseconds:.1f} ms" if answer.milliseconds < 100 else f"{answer.milliseconds:.0f} ms",
        "weights": re.split("(?<=/)|(?=[.@])", column.source),
    }


def _votes(language: str, verdict: Verdict, count: int) -> str:
    """The votes of `count` networks: first for the likeliest class, then for the others."""
    votes = dict(verdict.votes)
    first = say(language, "board.votes.of", votes=votes.pop(verdict.likeliest, 0), count=count)
    return "; ".join([first, *(f"{count} × {class_name(language, label)}" for label, count in votes.items())])
