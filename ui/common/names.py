"""Display names of classes and networks."""

from __future__ import annotations

from markupsafe import Markup, escape

from cnn_models import ARCHITECTURES
from cnn_models.specs import Architecture
from ui.common.texts import TEXTS, mark, say


def class_name(language: str, label: str) -> str:
    """The name of a class in a language."""
    return say(language, f"class.{label}") if f"class.{label}" in TEXTS["en"] else label


def class_mark(label: str) -> Markup:
    """The name of a class as HTML in the visitor's language."""
    return mark(f"class.{label}") if f"class.{label}" in TEXTS["en"] else escape(label)


def listing(language: str, names: list[str]) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(names) == 1:
        return names[0]
    first = say(language, "list.comma").join(names[:-1])
    return say(language, "list.and", first=first, last=names[-1])


def architecture(model: str) -> Architecture:
    """The architecture of a checkpoint id, or with a name."""
    return ARCHITECTURES[model.partition("@")[0].rpartition("/")[2].partition(".")[0]]


def network_name(model: str) -> str:
    """`LeNet-5`; with owner and revision for a third-party checkpoint: `LeNet-5 (someone@1a2b3c4)`."""
    name, at, revision = model.partition("@")
    owner, _, _ = name.rpartition("/")
    return architecture(model).title + (f" ({owner}{at}{revision[:7]})" if owner else "")
