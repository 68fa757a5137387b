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
from cnn_models.analysis.log_linear import LogLinear
from cnn_models.analysis.verdict import Prediction, Reading, Verdict
from cnn_models.checkpoints.ids import COMMIT
from cnn_models.datasets.test_sets import Measured
from cnn_models.specs import Architecture
from ui.common.names import architecture, class_name, network_name
from ui.common.numbers import FAINT
from ui.common.templates import render
from ui.common.texts import say
from ui.compare.request import Request

TOGETHER, LOG_LINEAR = ENSEMBLES = ("together", "log_linear")
FACTS = ("margin", "entropy", "time")


@dataclass(frozen=True)
class Column:
    """A network on the board. `name` is an architecture, or the id of a third-party checkpoint, which is `measured`.

    `source` is that of a `LoadedModel`, `side` the side of the input in pixels. `missing` is a sentence that says why
    there is no prediction: the network is `untrained`, or its weights are `coming`: bytes downloaded and in all, 0 if
    unknown. A column is `pending` if another response will have its answer.
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
    def title(self) -> str:
        return network_name(self.name)

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
    """A probability on the board, None if it is not known; or, in the first row, a `missing` column.

    `place` is the number of classes that are likelier in the same column.
    """

    model: str
    pending: bool
    probability: float | None = None
    place: int = 0
    missing: Column | None = None

    @property
    def is_faint(self) -> bool:
        """Whether the cell shows a dot in place of the number."""
        return self.place > 0 and (self.probability or 0) < FAINT

    @property
    def marks(self) -> str:
        """The CSS classes of the cell."""
        second = "board-second" if self.place == 1 else ""
        standing = "board-winner" if self.place == 0 else "faint" if self.is_faint else second
        ensemble = "board-together" if self.model in ENSEMBLES else ""
        return ensemble if self.probability is None else " ".join(filter(None, (ensemble, standing)))


def short(count: int) -> str:
    """A parameter count with a unit: 61.7 k, 46.8 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.1f} k"


def board(
    request: Request,
    columns: list[Column],
    sizes: Mapping[str, int],
    together_pending: bool = False,
    factors: Mapping[str, float] | None = None,
) -> Markup:
    """The table. Cells without a known value are empty and as large, so that the layout does not change later.

    `sizes` are the parameter counts of the architectures. Pending cells are marked: the page keeps their content.
    `factors`, by checkpoint id, are those of the log-linear ensemble, which then has a column; empty if there are none
    for these networks.
    """
    classes, language = DATASETS[request.dataset].classes, request.language
    names = {label: class_name(language, label) for label in classes}
    answers = [column.answer for column in columns if column.answer]
    verdict = Verdict.of(answers) if answers else None
    ensembles = [_ensemble(TOGETHER, Reading.of(answers) if answers else None, answers, together_pending)]
    if factors is not None:
        ensembles.append(_log_linear(language, factors, answers, together_pending))
    shown = [*columns, *ensembles]
    present = [column for column in shown if not column.missing]
    figures = [(column.name, column.pending, _facts(language, column)) for column in present]
    votes = _votes(language, verdict, sum(not column.missing for column in columns)) if verdict else ""
    for name, _, texts in figures:
        if name in ENSEMBLES:
            text = votes if name == TOGETHER else ""
            texts.update(margin="", factor="", weights=[text], title=text)
        elif factors:
            texts["factor"] = f"{factors[request.id(name)]:.2f}"
    return render(
        "compare/board.html",
        language=language,
        dataset=request.dataset,
        columns=columns,
        together=TOGETHER,
        ensembles=ensembles,
        rows=[
            (label, name, [_cell(each, label) for each in (shown if label == classes[0] else present)])
            for label, name in names.items()
        ],
        sort=request.sort,
        facts=[*FACTS, *(["factor"] if factors else []), "weights"],
        figures=figures,
        sizes=sizes,
        short=short,
        most=f"{math.log2(len(classes)):.2f}",  # bits, of the uniform distribution
        width=max(9, 2 + max(sum(1 if ord(letter) < 0x2E80 else 2 for letter in name) for name in names.values())),
    )


def _ensemble(name: str, found: Reading | LogLinear | None, answers: Sequence[Prediction], pending: bool) -> Column:
    """The column of an ensemble: an answer without a margin, whose time is the sum of all."""
    time = sum(answer.milliseconds for answer in answers)
    answer = Prediction(name, found.label, found.probabilities, math.nan, time) if found else None
    return Column(name, answer, pending=pending)


def _log_linear(language: str, factors: Mapping[str, float], answers: Sequence[Prediction], pending: bool) -> Column:
    if not factors:
        return Column(LOG_LINEAR, missing=say(language, "board.log_linear.none"))
    is_whole = {answer.id for answer in answers} == factors.keys()
    return _ensemble(LOG_LINEAR, LogLinear.of(answers, factors) if is_whole else None, answers, pending)


def _cell(column: Column, label: str) -> Cell:
    if not (answer := column.answer):
        return Cell(column.name, column.pending, missing=column if column.missing else None)
    probability = answer.probabilities[label]
    likelier = sum(each > probability for each in answer.probabilities.values())
    place = 0 if label == answer.label else max(1, likelier)
    return Cell(column.name, column.pending, probability, place)


def _facts(language: str, column: Column) -> dict[str, str | list[str]]:
    """The texts of FACTS; the source of the weights is split where a line may break, and whole as the `title`."""
    answer = column.answer
    if not answer:
        return dict.fromkeys([*FACTS, "weights", "title"], "")
    return {
        "margin": f"{answer.margin:.1f}",
        "entropy": say(language, "board.bits", bits=f"{entropy(answer.probabilities.values()):.2f}"),
        "time": f"{answer.milliseconds:.1f} ms" if answer.milliseconds < 100 else f"{answer.milliseconds:.0f} ms",
    } | _source(language, column.source)


def _source(language: str, source: str) -> dict[str, str | list[str]]:
    """The repository and the start of the commit, and the whole as the title; a folder; "bundled" for `weights/`."""
    repository, _, commit = source.rpartition("@")
    if not COMMIT.fullmatch(commit):
        folder = source.rpartition("/")[0]
        return {"weights": [say(language, "board.bundled") if folder == "weights" else f"{folder}/"], "title": ""}
    return {"weights": re.split("(?<=/)|(?=[.@])", f"{repository}@{commit[:7]}"), "title": source}


def _votes(language: str, verdict: Verdict, count: int) -> str:
    """The votes of `count` networks: first for the likeliest class, then for the others."""
    votes = dict(verdict.votes)
    first = say(language, "board.votes.of", votes=votes.pop(verdict.likeliest, 0), count=count)
    return "; ".join([first, *(f"{count} × {class_name(language, label)}" for label, count in votes.items())])
