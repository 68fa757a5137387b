"""Who has which test pictures wrong: two networks against each other, confusion matrices, and the pictures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape

import gradio as gr
import numpy as np

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.test_errors import RIGHT, WRONG, Answers, answers_of, contest, pick
from cnn_models.datasets.test_sets import load_test_set
from ui.common.modules import on_load
from ui.common.reading import fields, known, whole
from ui.common.strips import png
from ui.common.texts import attribute, mark

SHOWN = 60  # pictures at once
SURE = 0.05  # below this probability a difference is called real


def mistakes_page(hub: ModelHub, dataset: str) -> gr.HTML:
    """The component: what `mistakes` says of a data set, and pictures where one asks for them."""

    def pictures(sent: object) -> str:
        """The pictures that a button of the page asks for, as HTML. Raises Refused, UnknownName."""
        answers, asked = read(sent)
        return pictures_html(answers, pick(answers, *_picked(asked, answers)))

    def against(sent: object) -> str:
        """Two networks against each other, as HTML. Raises Refused, UnknownName."""
        answers, asked = read(sent)
        return contest_html(answers, *(known(asked.get(name), answers.said) for name in ("first", "second")))

    def read(sent: object) -> tuple[Answers, dict]:
        asked = fields(sent)
        return answers_of(hub, known(asked.get("dataset"), DATASETS)), asked

    return gr.HTML(
        mistakes(answers_of(hub, dataset)),
        js_on_load=on_load("training/mistakes.js"),
        server_functions=[pictures, against],
        elem_id="mistakes",
        apply_default_css=False,
    )


def _picked(asked: dict, answers: Answers) -> tuple[dict[str, str | int], int | None]:
    """The `says` and the `truth` of a `pick`, as the page asks for them. Raises Refused, UnknownName."""
    last, truth = len(DATASETS[answers.dataset].classes) - 1, asked.get("truth")
    says = {
        known(name, answers.said): known(what, (RIGHT, WRONG), None) or whole(what, 0, last)
        for name, what in fields(asked.get("says")).items()
    }
    return says, None if truth is None else whole(truth, 0, last)


def mistakes(answers: Answers) -> str:
    """All of it: choosers of two networks, what sets them apart, and the matrices; of one network, its matrix."""
    names = list(answers.said)
    if not names:
        return f"<p class='training-none'>{mark('training.unevaluated')}</p>"
    first, second = names[0], names[-1]
    against = f"<div class='mistakes-against'>{contest_html(answers, first, second)}</div>"
    pictures = "<div class='mistakes-pictures' aria-live='polite'></div>"
    if first == second:
        return against + pictures
    choosers = "".join(
        f"<select name='{key}' {attribute('aria-label', 'mistakes.network')}>"
        + "".join(f"<option value='{n}'{' selected' * (n == chosen)}>{_title(n)}</option>" for n in names)
        + "</select>"
        for key, chosen in (("first", first), ("second", second))
    )
    quick = [(dict.fromkeys(names, WRONG), mark("mistakes.all"))]
    quick += [({n: RIGHT if n == one else WRONG for n in names}, _only(one)) for one in names]
    buttons = "".join(_button(answers, says, f"{text} ({{}})") for says, text in quick)
    return (
        f"<div class='mistakes-choose' data-dataset='{answers.dataset}'>{choosers}</div>{against}"
        f"<div class='mistakes-quick'>{buttons}</div>{pictures}"
    )


def contest_html(answers: Answers, first: str, second: str) -> str:
    """The table of right and wrong of two networks, McNemar's test in a sentence, and their matrices side by side."""
    if first == second:
        return matrix(answers, first)
    found = contest(answers, first, second)
    a, b = _title(first), _title(second)
    values = {"a": a, "b": b, "only_a": found.only_first, "only_b": found.only_second}
    values |= {"count": f"{len(answers.labels):,}", "dataset": DATASETS[answers.dataset].title}
    chance = "< 0.0001" if found.chance < 1e-4 else f"= {found.chance:.2g}"
    key = "mistakes.differ" if found.chance < SURE else "mistakes.alike"
    rows = [
        (mark("mistakes.right", network=a), [{first: RIGHT, second: RIGHT}, {first: RIGHT, second: WRONG}]),
        (mark("mistakes.wrong", network=a), [{first: WRONG, second: RIGHT}, {first: WRONG, second: WRONG}]),
    ]
    body = "".join(
        f"<tr><th scope='row'>{head}</th>{''.join(f'<td>{_button(answers, says)}</td>' for says in cells)}</tr>"
        for head, cells in rows
    )
    return (
        f"<table class='mistakes-table'><thead><tr><td></td><th>{mark('mistakes.right', network=b)}</th>"
        f"<th>{mark('mistakes.wrong', network=b)}</th></tr></thead><tbody>{body}</tbody></table>"
        f"<p class='mistakes-verdict'>{mark('mistakes.counts', **values)} {mark(key, chance=chance)}</p>"
        f"<div class='mistakes-both'>{matrix(answers, first)}{matrix(answers, second)}</div>"
    )


def matrix(answers: Answers, name: str) -> str:
    """The confusion matrix of a network, its cells as buttons, with a bar of the accuracy of each class."""
    classes, kind = DATASETS[answers.dataset].classes, DATASETS[answers.dataset].kind
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (answers.labels, answers.said[name]), 1)
    most = max(1, int((counts - np.diag(counts.diagonal())).max()))
    heads = "".join(f"<th scope='col'><span>{_class(answers, index)}</span></th>" for index in range(len(classes)))
    body = []
    for truth, row in enumerate(counts):
        cells = []
        for said, count in enumerate(row):
            look = "class='mistakes-right'" if said == truth else f"style='--p:{count / most:.3f}'"
            title = attribute("title", "mistakes.cell", truth=classes[truth], said=classes[said])
            button = _button(answers, {name: said}, truth=truth, title=title) if count else ""
            cells.append(f"<td {look}>{button}</td>")
        share = row[truth] / row.sum()
        bar = f"<td class='mistakes-bar'><i style='--p:{share:.4f}'></i>{100 * share:.1f} %</td>"
        body.append(f"<tr><th scope='row'>{_class(answers, truth)}</th>{''.join(cells)}{bar}</tr>")
    return (
        f"<figure><figcaption>{mark('mistakes.matrix', network=_title(name))}</figcaption>"
        f"<div class='mistakes-scroll' tabindex='0'><table class='mistakes-matrix' data-kind='{kind}'>"
        f"<thead><tr><td></td>{heads}<td></td></tr></thead><tbody>{''.join(body)}</tbody></table></div></figure>"
    )


def pictures_html(answers: Answers, numbers: np.ndarray) -> str:
    """The first of some test pictures, with what they are and what the networks that are wrong take them for."""
    pictures, _ = load_test_set(answers.dataset)
    figures = []
    for number in numbers[:SHOWN]:
        wrong = "".join(
            f"<small>{_title(name)}: {_class(answers, said[number])}</small>"
            for name, said in answers.said.items()
            if said[number] != answers.labels[number]
        )
        figures.append(
            f"<figure><img src='{png(pictures[number])}' alt='#{number}' title='#{number}'>"
            f"<figcaption><b>{_class(answers, answers.labels[number])}</b>{wrong}</figcaption></figure>"
        )
    note = mark("mistakes.shown", shown=len(figures), count=f"{len(numbers):,}")
    return f"<p>{note}</p><div>{''.join(figures)}</div>"


def _button(
    answers: Answers, says: Mapping[str, str | int], text: str = "{}", truth: int | None = None, title: str = ""
) -> str:
    """A button that asks for the pictures of a `pick`, with how many there are; `title` is an attribute."""
    count = len(pick(answers, says, truth))
    sent = escape(json.dumps({"dataset": answers.dataset, "says": says, "truth": truth}), quote=True)
    return f'<button type="button" {title} data-pick="{sent}">{text.replace("{}", f"{count:,}")}</button>'


def _only(name: str) -> str:
    return mark("mistakes.only", network=_title(name))


def _title(name: str) -> str:
    return escape(ARCHITECTURES[name].title)


def _class(answers: Answers, index: int) -> str:
    spec = DATASETS[answers.dataset]
    label = spec.classes[index]
    return label if spec.kind == "digits" else mark(f"class.{label}")
