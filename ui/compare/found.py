"""Below the verdict: the digits of an image with several, to choose from, and the turns of one that may be turned."""

from __future__ import annotations

from markupsafe import Markup

from cnn_models.images.preprocess import Preprocessed
from cnn_models.predict import Comparison
from ui.common.numbers import whole_percent
from ui.common.templates import render
from ui.compare.steps import data_url

TURNS = (3, 1, 2)  # in quarters, clockwise: left, right, upside down
# Warnings of photographs that may lie on their side.
MAY_BE_TURNED = ("unsure", "unclear", "ood", "lookalike", "undecided", "shoes")


def found_html(comparison: Comparison, found: Preprocessed, chosen: int, language: str = "en") -> Markup:
    """The digits found, the `chosen` one checked, with their readings; the turns of what may be turned; or ""."""
    warning = comparison.verdict.warning
    code = warning.code if warning else ""
    helpful = warning.values["degrees"] if warning and code == "turned" else 0
    digits = [
        (data_url(image), digit.label, whole_percent(digit.probabilities[digit.label]))
        for image, digit in zip(found.images, comparison.digits, strict=False)
    ]
    turns = TURNS if helpful or (found.is_photograph and code in MAY_BE_TURNED) else ()
    return render("compare/found.html", language=language, digits=digits, chosen=chosen, turns=turns, helpful=helpful)
