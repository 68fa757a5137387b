"""The board: classes down the side, networks across, and what they say together. HTML without gradio."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from cnn_models import DATASETS
from cnn_models.analysis.ensemble import entropy
from cnn_models.analysis.verdict import Answer, Verdict
from cnn_models.datasets.test_sets import Measured
from ui.common.names import architecture, class_name
from ui.common.numbers import percent
from ui.common.texts import note_html, say
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
    answer: Answer | None = None
    missing: str = ""
    untrained: bool = False
    coming: tuple[int, int] | None = None
    source: str = ""
    pending: bool = False
    side: int = 0
    measured: Measured | None = None


def short(count: int) -> str:
    """A count of parameters with a unit: 61.7 k, 46.8 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.1f} k"


def board(ask: Ask, columns: list[Column], sizes: Mapping[str, int], together_pending: bool = False) -> str:
    """The table. Cells that are not known yet are empty and as large, so that nothing moves when answers arrive.

    `sizes` holds every network's parameter count. A pending cell is marked: the page keeps what it shows there.
    """
    classes, language = DATASETS[ask.dataset].classes, ask.language
    names = [class_name(language, label) for label in classes]
    answers = [column.answer for column in columns if column.answer]
    verdict = Verdict.of(answers) if answers else None
    shares, together = (verdict.probabilities, verdict.likeliest) if verdict else ({}, "")
    present = sum(not column.missing for column in columns)
    rows = [[] for _ in classes]
    facts = {fact: [] for fact in FACTS}
    for column in columns:
        answer, mark = column.answer, _mark(column.name, column.pending)
        if column.missing:
            rows[0].append(
                f"<td {mark} class='board-missing' rowspan='{len(classes) + len(FACTS)}'>"
                f"<p>{note_html(column.missing)}</p>{_bar(column)}</td>"
            )
            continue
        for row, label in zip(rows, classes, strict=True):
            p, wins = answer and answer.probabilities[label], answer and answer.label == label
            row.append(_cell(language, mark, p, label, wins))
        for fact, text in _facts(language, column).items():
            facts[fact].append(f"<td {mark} class='board-fact'>{text}</td>")
    mark = _mark(TOGETHER, together_pending)
    for row, label in zip(rows, classes, strict=True):
        row.append(_cell(language, mark, shares.get(label), label, label == together, "board-together"))
    votes = dict(verdict.votes) if verdict else {}
    first = say(language, "board.votes.of", votes=votes.pop(together, 0), count=present)
    split = "; ".join([first, *(f"{count} × {class_name(language, label)}" for label, count in votes.items())])
    bits = {
        "margin": "",
        "entropy": say(language, "board.bits", bits=f"{entropy(shares.values()):.2f}") if shares else "",
        "time": _milliseconds(sum(answer.milliseconds for answer in answers)) if answers else "",
        "weights": f"<span class='board-split' title='{escape(split)}'>{escape(split)}</span>" if answers else "",
    }
    for fact in FACTS:
        facts[fact].append(f"<td {mark} class='board-fact board-together'>{bits[fact]}</td>")
    width = max(7, 2 + max(sum(1 if ord(letter) < 0x2E80 else 2 for letter in name) for name in names))
    return (
        f"<div class='board' role='region' tabindex='0' aria-label='{escape(say(language, 'board.name'))}'>"
        f"<table data-dataset='{ask.dataset}' style='--columns:{len(columns)}'>"
        f"<thead><tr><th scope='col' style='width:{width}ch'><small>{say(language, 'board.percent')}</small></th>"
        f"{''.join(_head(language, column, sizes) for column in columns)}"
        f"<th scope='col' class='board-together'>{say(language, 'board.together')}"
        f"<small>{say(language, 'board.vote')}</small></th></tr></thead><tbody>"
        + "".join(
            f"<tr><th scope='row'><button type='button' data-class='{escape(label)}' "
            f"title='{escape(say(language, 'board.explain', label=name))}'>{escape(name)}</button></th>"
            f"{''.join(row)}</tr>"
            for label, name, row in zip(classes, names, rows, strict=True)
        )
        + "".join(
            f"<tr class='board-facts'><th scope='row'{_why(language, fact, len(classes))}>"
            f"{say(language, f'board.{fact}')}</th>{''.join(cells)}</tr>"
            for fact, cells in facts.items()
        )
        + "</tbody></table></div>"
    )


def _head(language: str, column: Column, sizes: Mapping[str, int]) -> str:
    spec = architecture(column.name)
    if "/" in column.name:
        head = f"<th scope='col' data-model='{column.name}' class='board-brought'>{escape(spec.title)}"
        return f"{head}{_whose(language, column)}</th>"
    state = "board.coming" if column.coming else "board.untrained" if column.untrained else ""
    note = f"<small>{say(language, state)}</small>" if state else ""
    return (
        f"<th scope='col' data-model='{column.name}'>{escape(spec.title)}"
        f"<small>{spec.year} <span>{short(sizes[spec.name])}</span></small>{note}</th>"
    )


def _whose(language: str, column: Column) -> str:
    """Where a network that was brought comes from, and what was measured of it here."""
    owner, _, rest = column.name.partition("/")
    found, notes = column.measured, [f"<small>{escape(owner)}@<wbr>{rest.rpartition('@')[2][:7]}</small>"]
    if found:
        figures = {"accuracy": f"{found.accuracy:.2f}", "right": f"{found.right:,}", "count": f"{found.count:,}"}
        why, text = (escape(say(language, f"board.measured{end}", **figures)) for end in (".why", ""))
        notes.append(f"<small title='{why}'>{text}</small>")
    return "".join(notes)


def _bar(column: Column) -> str:
    """How far the weights are, where they are on their way."""
    if not column.coming:
        return ""
    done, total = column.coming
    return f"<progress value='{done}' max='{total}'></progress>" if total else "<progress></progress>"


def _mark(name: str, pending: bool) -> str:
    return f"data-model='{name}'{' data-pending' if pending else ''}"


def _cell(language: str, mark: str, p: float | None, label: str, wins: bool | None, kind: str = "") -> str:
    if p is None:
        return f"<td {mark} class='{kind}'></td>"
    kinds = f"{kind} {'board-winner' if wins else 'board-faint' if p < 0.0005 else ''}".strip()
    word = f"<span class='visually-hidden'> {say(language, 'board.winner')}</span>" if wins else ""
    return f"<td {mark} data-class='{escape(label)}' class='{kinds}' style='--p:{p:.4f}'>{percent(p)}{word}</td>"


def _facts(language: str, column: Column) -> dict[str, str]:
    answer = column.answer
    if not answer:
        return dict.fromkeys(FACTS, "")
    return {
        "margin": f"{answer.margin:.1f}",
        "entropy": say(language, "board.bits", bits=f"{entropy(answer.probabilities.values()):.2f}"),
        "time": _milliseconds(answer.milliseconds),
        "weights": re.sub("(?<=/)|(?=[.@])", "<wbr>", escape(column.source)),
    }


def _milliseconds(time: float) -> str:
    return f"{time:.1f} ms" if time < 100 else f"{time:.0f} ms"


def _why(language: str, fact: str, count: int) -> str:
    most = f"{math.log2(count):.2f}"  # bits, where all classes are as likely
    return f" title='{escape(say(language, f'board.{fact}.why', most=most))}'" if fact != "weights" else ""
