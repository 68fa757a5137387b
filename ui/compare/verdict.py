"""The sentence above the board: the verdict in words."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.verdict import Reason
from cnn_models.predict import Comparison
from ui.common.names import class_name, listing, network_name
from ui.common.numbers import percent
from ui.common.templates import render
from ui.common.texts import say

NONE = ("dot", "lookalike", "ood")  # warnings that the image shows none of the ten classes


def sentence(comparison: Comparison, language: str = "en", digit: int = 0) -> str:
    """The agreement of the networks, and the predictions of those that disagree; or the warning, then the agreement.

    `digit` is the index of the one compared, of several.
    """
    verdict, verb = comparison.verdict, "read" if DATASETS[comparison.dataset].kind == "digits" else "see"
    voters: dict[str, list[str]] = {}
    for answer in comparison.models:
        voters.setdefault(answer.label, []).append(network_name(answer.id))

    def clause(label: str, everyone: str = "") -> str:
        number = "many" if everyone or len(voters[label]) > 1 else "one"
        names = everyone or listing(language, voters[label])
        return say(language, f"verdict.{verb}.{number}", names=names, label=class_name(language, label))

    (code, values), label = verdict.agreement, verdict.label
    comma, semicolon, stop = (say(language, f"list.{name}") for name in ("comma", "semicolon", "stop"))
    others = [clause(other) for other in voters if other != label]
    group = {"unanimous": "both" if values["count"] == 2 else "all", "majority": "some"}.get(code)
    if code == "split":
        text = say(language, "verdict.divided")
    else:
        text = clause(label, say(language, f"verdict.{group}", **values) if group else "")
    if verdict.warning:  # the predictions of those that disagree are left out
        return _warning(language, verdict.warning, digit) + text + stop
    if code == "split":
        text = say(language, "verdict.split", clauses=comma.join([clause(label), *others]))
    elif others:
        text = semicolon.join([text, comma.join(others)])
    if others:
        text += semicolon + _share(language, "share", verdict.likeliest, verdict.probabilities[verdict.likeliest])
    return text + stop


def _warning(language: str, warning: Reason, digit: int) -> str:
    """What is wrong with the image, and what to do."""
    code, values = warning.code, dict[str, Any](warning.values)
    if code == "undecided":
        return _share(language, code, **values)
    if code == "lookalike":
        code = f"like.{DATASETS[values['dataset']].kind}"
    elif code == "turned":
        code, values = f"turned.{values['degrees']}", {"label": class_name(language, values["label"])}
    elif code == "several":
        values["place"] = dict(enumerate(say(language, "verdict.places").split())).get(digit, digit + 1)
    text = say(language, f"verdict.{code}", **values)
    return say(language, "verdict.none", why=text) if warning.code in NONE else text


def _share(language: str, key: str, label: str, probability: float) -> str:
    return say(language, f"verdict.{key}", label=class_name(language, label), share=percent(probability))


def verdict_html(text: str, kind: str = "") -> Markup:
    """The sentence as HTML. `kind` is `alarm` for an error and `unusual` for an image out of distribution."""
    return render("compare/verdict.html", text=text, kind=kind)
