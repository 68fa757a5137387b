"""The sentence above the board: what the networks say together, and who disagrees."""

from __future__ import annotations

from html import escape

from cnn_models import DATASETS
from cnn_models.predict import Comparison, is_strange
from ui.common.names import class_name, listing, network_name
from ui.common.numbers import percent
from ui.common.texts import say


def sentence(comparison: Comparison, language: str = "en") -> str:
    """Unanimous, or who is against whom and by how much, or that it is none of the ten things and why."""
    verb = "read" if DATASETS[comparison.dataset].kind == "digits" else "see"
    verdict, count = comparison.verdict, len(comparison.models)
    said: dict[str, list[str]] = {}
    for answer in comparison.models:
        said.setdefault(answer.label, []).append(network_name(answer.id))

    def clause(label: str, names: str = "", many: bool = True) -> str:
        names, many = (names, many) if names else (listing(language, said[label]), len(said[label]) > 1)
        return say(
            language, f"verdict.{verb}.{'many' if many else 'one'}", names=names, label=class_name(language, label)
        )

    comma, semicolon = say(language, "list.comma"), say(language, "list.semicolon")
    label, others = verdict.label, [clause(label) for label in said if label != verdict.label]
    shares = verdict.probabilities
    likeliest = max(shares, key=shares.__getitem__)
    share = {"label": class_name(language, likeliest), "share": percent(shares[likeliest])}
    if count == 1:
        text = clause(label)
    elif not others:
        everyone = say(language, "verdict.both") if count == 2 else say(language, "verdict.all", count=count)
        text = clause(label, everyone)
    else:
        if 2 * verdict.votes[label] > count:
            some = say(language, "verdict.some", votes=verdict.votes[label], count=count)
            brief = clause(label, some)
            text = semicolon.join([brief, comma.join(others)])
        else:
            brief = say(language, "verdict.divided")
            text = say(language, "verdict.split", clauses=comma.join([clause(label), *others]))
        # Of none of the ten things, who takes it for what is on the board: the sentence has its place, and no more.
        text = brief if verdict.unusual else text + semicolon + say(language, "verdict.share", **share)
    if verdict.unusual:
        strange = sum(answer.unusual for answer in comparison.models)
        if comparison.dot:
            why = say(language, "verdict.dot")
        elif comparison.like:
            why = say(language, f"verdict.like.{DATASETS[comparison.like].kind}")
        elif is_strange(comparison.models):
            why = say(language, "verdict.strange", strange=strange, count=count)
        else:
            why = say(language, "verdict.unsure", **share)
        text = say(language, "verdict.none", why=why) + text
    return text + say(language, "list.stop")


def verdict_html(text: str, kind: str = "") -> str:
    """`kind` is `alarm` for what went wrong and `unusual` for a picture of none of the classes."""
    return f"<p class='verdict{f' verdict-{kind}' if kind else ''}'>{escape(text)}</p>"
