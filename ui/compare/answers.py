"""The row of answers beside the canvas on small screens: class and confidence by network, and a mark of a warning."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from cnn_models import DATASETS
from ui.common.names import class_name
from ui.common.numbers import whole_percent
from ui.common.templates import render
from ui.compare.board import Column
from ui.compare.request import Request


def answers_html(request: Request, columns: Iterable[Column], warned: bool | None = False) -> Markup:
    """The row, with pending cells marked as on the board; `warned` is None while another response has the verdict."""
    return render(
        "compare/answers.html",
        language=request.language,
        dataset=request.dataset,
        kind=DATASETS[request.dataset].kind,
        warned=warned,
        cells=[
            (
                column,
                class_name(request.language, answer.label) if (answer := column.answer) else "–",
                answer.probabilities[answer.label] if answer else 0,
            )
            for column in columns
        ],
        whole_percent=whole_percent,
    )
