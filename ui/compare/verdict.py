"""The sentence above the board: what the networks say together, and who disagrees."""

from __future__ import annotations

from html import escape

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.predict import Comparison, is_strange
from cnn_models.specs import Architecture
from ui.common.texts import TEXTS, mark, say


def percent(probability: float) -> str:
    """A probability in percent with two decimals; only certainty reads 100.00, only 0 reads 0.00."""
    text = f"{100 * probability:.2f}"
    if text == "100.00" and probability < 1:
        return ">99.99"
    if text == "0.00" and probability > 0:
        return "<0.01"
    return text


def class_name(language: str, label: str) -> str:
    return say(language, f"class.{label}") if f"class.{label}" in TEXTS else label


def class_mark(label: str) -> str:
    """A class as HTML that follows the visitor's language."""
    return mark(f"class.{label}") if f"class.{label}" in TEXTS else escape(label)


def listing(language: str, names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(names) == 1:
        return names[0]
    first = say(language, "list.comma").join(names[:-1])
    return say(language, "list.and", first=first, last=names[-1])


def architecture(model: str) -> Architecture:
    """The architecture of a checkpoint's id, or of its own name."""
    return ARCHITECTURES[model.partition("@")[0].rpartition("/")[2].partition(".")[0]]


def network_name(model: str) -> str:
    """`LeNet-5`; for what is on the Hub also whose it is and of which revision: `LeNet-5 (someone@1a2b3c4)`."""
    name, at, revision = model.partition("@")
    owner, _, _ = name.rpartition("/")
    return architecture(model).title + (f" ({owner}{at}{revision[:7]})" if owner else "")


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
