"""The board: classes down the side, networks across, and what they say together. HTML without gradio."""

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
from ui.compare.ask import Ask

TOGETHER = "together"
FACTS = ("margin", "entropy", "time", "weights")


@dataclass(frozen=True)
class Column:
    """One network on the board. `name` is an architecture's, or the id of one that was brought, which is `measured`.

    `side` is that of its input in pixels. `missing` says why it cannot answer, in a sentence: it is `untrained`, or
    its weights are `coming`: bytes that came and bytes in all, 0 where nobody knows. It is `pending` when another
    response brings its answer.
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
        """Whose it is, of one that was brought."""
        return self.name.rpartition("/")[0]

    @property
    def revision(self) -> str:
        """The start of its commit, of one that was brought."""
        return self.name.rpartition("@")[2][:7]

    @property
    def figures(self) -> dict[str, str]:
        """What was `measured`, as the board's texts have it; none of one that was not."""
        if not (found := self.measured):
            return {}
        return {"accuracy": f"{found.accuracy:.2f}", "right": f"{found.right:,}", "count": f"{found.count:,}"}


class Cell(NamedTuple):
    """A probability on the board, None where it is not known; in the first row, also the column that is `missing`."""

    model: str
    pending: bool
    probability: float | None
    wins: bool
    missing: Column | None


def short(count: int) -> str:
    """A count of parameters with a unit: 61.7 k, 46.8 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.1f} k"


def board(ask: Ask, columns: list[Column], sizes: Mapping[str, int], together_pending: bool = False) -> Markup:
    """The table. Cells that are not known yet are empty and as large, so that nothing moves when answers arrive.

    `sizes` holds every network's parameter count. A pending cell is marked: the page keeps what it shows there.
    """
    classes, language = DATASETS[ask.dataset].classes, ask.language
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
        dataset=ask.dataset,
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
        most=f"{math.log2(len(classes)):.2f}",  # bits, where all classes are as likely
        width=max(7, 2 + max(sum(1 if ord(letter) < 0x2E80 else 2 for letter in name) for name in names.values())),
    )


def _as_answer(verdict: Verdict, answers: Sequence[Prediction]) -> Prediction:
    """The soft vote as an answer that takes as long as all of them."""
    time = sum(answer.milliseconds for answer in answers)
    return Prediction(TOGETHER, verdict.likeliest, verdict.probabilities, math.nan, time)


def _cell(column: Column, label: str) -> Cell:
    answer, missing = column.answer, column if column.missing else None
    if not answer:
        return Cell(column.name, column.pending, None, False, missing)
    return Cell(column.name, column.pending, answer.probabilities[label], answer.label == label, missing)


def _facts(language: str, column: Column) -> dict[str, str | list[str]]:
    """The texts of FACTS; where the weights are from is in the pieces between which a line may break."""
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
    """How many of `count` networks vote for the likeliest class, and for each other."""
    votes = dict(verdict.votes)
    first = say(language, "board.votes.of", votes=votes.pop(verdict.likeliest, 0), count=count)
    return "; ".join([first, *(f"{count} × {class_name(language, label)}" for label, count in votes.items())])
