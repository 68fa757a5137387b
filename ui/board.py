"""The board: classes down the side, networks across. HTML from the answers, without gradio."""

from __future__ import annotations

import base64
import io
from html import escape

import numpy as np
from PIL import Image

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.predict import Answer, Comparison

MISSING = "not trained yet"


def percent(probability: float) -> str:
    """A probability in percent with two decimals; only certainty reads 100.00, only 0 reads 0.00."""
    text = f"{100 * probability:.2f}"
    if text == "100.00" and probability < 1:
        return ">99.99"
    if text == "0.00" and probability > 0:
        return "<0.01"
    return text


def short(count: int) -> str:
    """A count of parameters with a unit: 61.7 k, 46.8 M."""
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.1f} k"


def listing(names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def title(answer: Answer) -> str:
    return ARCHITECTURES[answer.id.rpartition("/")[2].split(".")[0]].title


def sentence(comparison: Comparison) -> str:
    """What the networks say together and who disagrees, in one sentence (two when none is sure)."""
    verb = "read" if DATASETS[comparison.dataset].kind == "digits" else "see"
    said: dict[str, list[str]] = {}
    for answer in comparison.models:
        said.setdefault(answer.label, []).append(title(answer))
    verdict, count = comparison.verdict, len(comparison.models)
    label = verdict.label

    def clause(names: list[str], read: str) -> str:
        return f"{listing(names)} {verb}{'s' if len(names) == 1 else ''} {read}"

    others = [clause(names, read) for read, names in said.items() if read != label]
    if count == 1:
        text = clause(said[label], label)
    elif not others:
        text = f"{'Both' if count == 2 else f'All {count}'} networks {verb} {label}"
    elif 2 * verdict.votes[label] > count:
        text = f"{verdict.votes[label]} of {count} networks {verb} {label}; {', '.join(others)}"
    else:
        text = f"The networks are split: {', '.join([clause(said[label], label), *others])}"
    return f"{text}. {verdict.why}".strip()


def board(
    dataset: str, models: list[str], sizes: dict[str, int], missing: dict[str, str], answers: dict[str, Answer]
) -> str:
    """The table for the chosen `models` (architecture names, in order) with what each has answered.

    `sizes` holds every network's parameter count, `missing` a sentence for each that has no usable checkpoint. Without
    answers the cells are empty, so that the table does not move when the first ones arrive.
    """
    classes = DATASETS[dataset].classes
    width = 2 + max(map(len, classes))
    head = [f"<th scope='col' style='width:{width}ch'><small>in %</small></th>"]
    columns = []
    for index, name in enumerate(models):
        spec, answer = ARCHITECTURES[name], answers.get(name)
        time = f"{answer.milliseconds:.1f} ms" if answer else "– ms"
        facts = MISSING if name in missing else time
        head.append(
            f"<th scope='col' data-model='{name}'>{escape(spec.title)}"
            f"<small>{spec.year} <span>{short(sizes[name])}</span></small>"
            f"<small class='board-time'>{facts}</small></th>"
        )
        columns.append([cell(name, answer, label) for label in classes])
        if name in missing:
            note = f"<td class='board-missing' rowspan='{len(classes)}'><p>{note_html(missing[name])}</p></td>"
            columns[index] = [note] + [""] * (len(classes) - 1)
    rows = [
        f"<tr><th scope='row'>{escape(label)}</th>{''.join(column[row] for column in columns)}</tr>"
        for row, label in enumerate(classes)
    ]
    return (
        f"<div class='board'><table><thead><tr>{''.join(head)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def note_html(note: str) -> str:
    """A sentence with the `commands` in it set as code that may break at dots and underscores."""
    parts = escape(note).split("`")
    for odd in range(1, len(parts), 2):
        parts[odd] = f"<code>{parts[odd].replace('.', '.<wbr>').replace('_', '_<wbr>')}</code>"
    return "".join(parts)


def cell(name: str, answer: Answer | None, label: str) -> str:
    if answer is None:
        return f"<td data-model='{name}'></td>"
    p = answer.probabilities[label]
    winner = answer.label == label
    mark = " class='board-winner'" if winner else " class='board-faint'" if p < 0.0005 else ""
    return f"<td data-model='{name}' data-class='{escape(label)}'{mark} style='--p:{p:.4f}'>{percent(p)}</td>"


def seen(picture: np.ndarray | None) -> str:
    """The 28×28 picture that the networks see, as an inline PNG without smoothing."""
    if picture is None:
        return "<figure class='seen'><div></div><figcaption>What the networks see: nothing yet</figcaption></figure>"
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f"<figure class='seen'><img src='data:image/png;base64,{data}' alt='the picture after preprocessing'>"
        "<figcaption>What the networks see: 28×28, bright on black</figcaption></figure>"
    )
