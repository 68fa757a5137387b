"""Names of classes and networks as people read them."""

from __future__ import annotations

from markupsafe import Markup, escape

from cnn_models import ARCHITECTURES
from cnn_models.specs import Architecture
from ui.common.texts import TEXTS, mark, say


def class_name(language: str, label: str) -> str:
    return say(language, f"class.{label}") if f"class.{label}" in TEXTS["en"] else label


def class_mark(label: str) -> Markup:
    """A class as HTML that follows the visitor's language."""
    return mark(f"class.{label}") if f"class.{label}" in TEXTS["en"] else escape(label)


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
