"""The order of the networks on the board."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cnn_models.analysis.ensemble import entropy
from ui.compare.board import Column

# Orders by the prediction, as the key of each; those by the architecture are "year" and "size".
BY_ANSWER = {
    "confidence": lambda answer: -max(answer.probabilities.values()),
    "margin": lambda answer: -answer.margin,
    "entropy": lambda answer: entropy(answer.probabilities.values()),
    "time": lambda answer: answer.milliseconds,
}


def in_order(columns: Iterable[Column], sort: str, sizes: Mapping[str, int], is_settled: bool) -> list[Column]:
    """The columns by one of SORTS, networks without a prediction last; by the prediction only if that is settled."""
    if sort == "year":
        return sorted(columns, key=lambda column: column.spec.year)
    if sort == "size":
        return sorted(columns, key=lambda column: sizes[column.spec.name])
    if not is_settled:
        return list(columns)
    key = BY_ANSWER[sort]
    return sorted(columns, key=lambda column: (0, key(column.answer)) if column.answer else (1, 0))
