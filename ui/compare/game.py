"""The game: ten rounds, in each of which a drawing has to split two networks. It runs in the browser, see `game.js`."""

from __future__ import annotations

from string import ascii_lowercase, digits

from markupsafe import Markup

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.disagreements import disagreements, usual_ink
from cnn_models.analysis.test_errors import predictions_of
from ui.common.colours import COLOURS
from ui.common.templates import render

ROUNDS = 10
DIGITS = digits + ascii_lowercase  # of the index of a network or a class


def game(hub: ModelHub) -> Markup:
    """The fold with the rules, the buttons and the result; it has the possible rounds of every data set."""
    tables = {dataset: table for dataset in DATASETS if (table := rounds_of(hub, dataset))}
    return render("compare/game.html", tables=tables, rounds=ROUNDS)


def rounds_of(hub: ModelHub, dataset: str) -> dict | None:
    """The networks, classes, usual ink and possible rounds of a data set in JSON's types; None if there are too few.

    A round is four DIGITS: two networks, and the class that each has to predict. All are one text. Small networks are
    first.
    """
    found = predictions_of(hub, dataset)
    networks = sorted(found.predicted, key=lambda name: ARCHITECTURES[name].input_size)
    index = {name: DIGITS[number] for number, name in enumerate(networks)}
    rounds = [
        index[each.first] + index[each.second] + DIGITS[each.label] + DIGITS[each.other]
        for each in disagreements(found)
    ]
    if len(rounds) < ROUNDS:
        return None
    return {
        "networks": networks,
        "titles": {name: ARCHITECTURES[name].title for name in networks},
        "colours": {name: COLOURS[name] for name in networks},
        "classes": DATASETS[dataset].classes,
        "ink": [round(share, 3) for share in usual_ink(dataset)],
        "rounds": "".join(rounds),
    }
