"""The sentence above the board, which words the verdict: what the networks say together, and who disagrees."""

from __future__ import annotations

from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.verdict import Reason
from cnn_models.predict import Comparison
from ui.common.names import class_name, listing, network_name
from ui.common.numbers import percent
from ui.common.templates import render
from ui.common.texts import say


def sentence(comparison: Comparison, language: str = "en") -> str:
    """The agreement, with who reads what where the networks disagree, after the doubt where there is one."""
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
    if verdict.doubt:  # of none of the ten things, who takes it for what is on the board: the sentence says no more
        return say(language, "verdict.none", why=_doubt(language, verdict.doubt)) + text + stop
    if code == "split":
        text = say(language, "verdict.split", clauses=comma.join([clause(label), *others]))
    elif others:
        text = semicolon.join([text, comma.join(others)])
    if others:
        text += semicolon + _share(language, "share", verdict.likeliest, verdict.probabilities[verdict.likeliest])
    return text + stop


def _doubt(language: str, doubt: Reason) -> str:
    if doubt.code == "undecided":
        return _share(language, doubt.code, **doubt.values)
    code = f"like.{DATASETS[doubt.values['dataset']].kind}" if doubt.code == "lookalike" else doubt.code
    return say(language, f"verdict.{code}", **doubt.values)


def _share(language: str, key: str, label: str, probability: float) -> str:
    return say(language, f"verdict.{key}", label=class_name(language, label), share=percent(probability))


def verdict_html(text: str, kind: str = "") -> Markup:
    """`kind` is `alarm` for what went wrong and `unusual` for an image of none of the classes."""
    return render("compare/verdict.html", text=text, kind=kind)
