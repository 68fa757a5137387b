"""The attack on a network, as HTML: the image before and after, their difference, and all predictions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from markupsafe import Markup

from cnn_models import DATASETS
from cnn_models.analysis.adversarial import STEPS
from cnn_models.attack import Attack
from ui.common.colours import line_styles
from ui.common.names import class_name, listing, network_name
from ui.common.templates import render
from ui.common.texts import say
from ui.compare.heat import difference
from ui.compare.request import Request
from ui.compare.steps import data_url

NORM_NAMES = {"l2": "L2", "linf": "L∞"}


def attack_html(request: Request, found: Attack, grid: np.ndarray, names: Mapping[str, str]) -> Markup:
    """The choices of an attack on a 28 x 28 uint8 image, and what it found; `names` are those of the request by id."""
    language, most = request.language, float(np.abs(found.change).max())
    after = np.rint(grid + 255 * found.change).astype(np.uint8)
    styles = line_styles(found.before)
    return render(
        "compare/attack.html",
        language=language,
        dataset=request.dataset,
        choices={
            "attacked": ({names[id]: network_name(id) for id in found.before}, names[found.attacked]),
            "norm": (NORM_NAMES, request.norm),
            "target": ({"": say(language, "attack.any")} | _classes(request), request.target),
        },
        verdict=_verdict(language, found, request.target),
        size=_size(language, found, grid) if found.size and found.found else "",
        grey=f"{255 * most:.0f}",
        images=[data_url(grid), data_url(difference(found.change / (most or 1))), data_url(after)],
        rows=[
            (network_name(id), styles[id][0], id == found.attacked, *_answers(language, found, id))
            for id in found.before
        ],
    )  # fmt: skip


def _classes(request: Request) -> dict[str, str]:
    return {label: class_name(request.language, label) for label in DATASETS[request.dataset].classes}


def _answers(language: str, found: Attack, id: str) -> tuple[list[tuple[str, float]], bool]:
    """The prediction and its probability before and after, and whether it changed."""
    pair = [found.before[id], found.after[id]]
    answers = [(class_name(language, each.label), each.probabilities[each.label]) for each in pair]
    return answers, pair[0].label != pair[1].label


def _verdict(language: str, found: Attack, target: str) -> str:
    """The sentence that says whether the perturbation transfers."""
    name, label = network_name(found.attacked), found.after[found.attacked].label
    values = {"name": name, "label": class_name(language, target or label)}
    if not found.found:
        return say(language, "attack.none.target" if target else "attack.none.any", **values, steps=STEPS)
    if not found.size:
        return say(language, "attack.already", **values)
    others, reached = len(found.before) - 1, found.transfers_to
    key = "alone" if not others else "kept" if not reached else "all" if len(reached) == others > 1 else "some"
    first = say(language, "attack.changes", **values)
    then = say(language, f"attack.{key}", names=listing(language, [network_name(id) for id in reached] or [name]))
    return say(language, "attack.both", first=first, then=then)


def _size(language: str, found: Attack, grid: np.ndarray) -> str:
    """The sentence on the norm of the perturbation, also in grey levels and as a share of the image's own norm."""
    levels = 255 * np.abs(found.change)
    share = found.size / (np.linalg.norm(grid / 255) or 1)
    return say(
        language, f"attack.{found.norm}.size", size=f"{found.size:.3g}", share=_short(float(100 * share)),
        mean=_short(float(levels.mean())), most=f"{levels.max():.0f}",
    )  # fmt: skip


def _short(value: float) -> str:
    """A number in two digits, or in whole ones."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
