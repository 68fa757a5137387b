"""Below the verdict: the digits of an image with several, to choose from, and the turns of one that may be turned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from cnn_models.predict import Comparison
from ui.common.numbers import whole_percent
from ui.common.templates import render
from ui.compare.steps import data_url

TURNS = (3, 1, 2)  # in quarters, clockwise: left, right, upside down


def found_html(comparison: Comparison, images: Sequence[np.ndarray], chosen: int, language: str = "en") -> Markup:
    """The digits of `images`, 28 x 28 uint8 each, the `chosen` one checked, with their readings; the turns; or ""."""
    warning = comparison.verdict.warning
    helpful = warning.values["degrees"] if warning and warning.code == "turned" else 0
    digits = [
        (data_url(image), digit.label, whole_percent(digit.probabilities[digit.label]))
        for image, digit in zip(images, comparison.digits, strict=False)
    ]
    turns = TURNS if helpful else ()
    return render("compare/found.html", language=language, digits=digits, chosen=chosen, turns=turns, helpful=helpful)
