"""The test pictures on which the networks go wrong as they do on the visitor's, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import numpy as np

from cnn_models import DATASETS
from cnn_models.analysis.test_errors import Answers, alike
from cnn_models.datasets.test_sets import load_test_set
from ui.common.names import class_name, listing, network_name
from ui.common.strips import png
from ui.common.texts import say

SHOWN = 8  # pictures


def closest_mistakes(language: str, answers: Answers, says: Mapping[str, str], grid: np.ndarray) -> str:
    """The nearest of `alike`, in groups by how many networks answer as here; that all do is said even where none is.

    `says` is what each checkpoint, by id, takes the picture for, `grid` 28 x 28 uint8.
    """
    classes = DATASETS[answers.dataset].classes
    known = {id.split(".")[0]: classes.index(label) for id, label in says.items() if id in _ids(answers)}
    html = ""
    if unknown := [network_name(id) for id in says if id not in _ids(answers)]:
        html = _paragraph(say(language, "why.alike.unknown", names=", ".join(unknown)))
    if not known:
        return html
    key = "why.alike.split" if len(set(known.values())) > 1 else "why.alike.agreed"
    html += _paragraph(say(language, key, names=listing(language, list(map(network_name, known)))))
    left = SHOWN
    for same, numbers in ({len(known): ()} | alike(answers, known, grid)).items():
        if left:
            key = "why.alike.all" if same == len(known) else "why.alike.some"
            title = say(language, key, same=same, networks=len(known), count=f"{len(numbers):,}")
            figures = [_figure(language, answers, known, int(number)) for number in numbers[:left]]
            html += f"<section><h3>{escape(title)}</h3><div class='alike'>{''.join(figures)}</div></section>"
            left -= len(figures)
    return html


def _figure(language: str, answers: Answers, known: Mapping[str, int], number: int) -> str:
    """A test picture with what it is, and below it each answer with who gives it."""
    classes = DATASETS[answers.dataset].classes
    names = [class_name(language, label) for label in classes]
    truth = names[answers.labels[number]]
    said: dict[int, list[str]] = {}
    for name in known:
        said.setdefault(int(answers.said[name][number]), []).append(network_name(name))
    lines = "".join(
        f"<small>{escape(say(language, 'why.alike.says', label=names[label], names=', '.join(titles)))}</small>"
        for label, titles in said.items()
    )
    pictures, _ = load_test_set(answers.dataset)
    is_what = escape(say(language, "why.alike.is", label=truth))
    return (
        f"<figure><img src='{png(pictures[number])}' alt='#{number}' title='#{number}'>"
        f"<figcaption><b>{is_what}</b>{lines}</figcaption></figure>"
    )


def _ids(answers: Answers) -> set[str]:
    return {f"{name}.{answers.dataset}" for name in answers.said}


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
