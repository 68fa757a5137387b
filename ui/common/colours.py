"""One colour for each network on every chart of the page, with a dash for those who do not tell colours apart."""

from collections.abc import Iterable
from itertools import cycle

from cnn_models import ARCHITECTURES
from ui.common.names import architecture

# The hues of Okabe & Ito's palette, told apart by colour-blind eyes too, the light ones darker: each has a contrast of
# about 3 or more on both backgrounds.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#c06799", "#bc7c00", "#1f8fcf", "#8c8c8c")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 3 2 3 2 3")
COLOURS = dict(zip(ARCHITECTURES, cycle(PALETTE)))
DASH = dict(zip(ARCHITECTURES, cycle(DASHES)))
BROUGHT = ("1 4", "10 4", "4 1", "10 2 1 2")  # networks of others


def line_styles(ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The colour and dash of each checkpoint: one of others has its architecture's colour and a dash of its own."""
    others, looks = cycle(BROUGHT), {}
    for id in ids:
        name = architecture(id).name
        looks[id] = COLOURS[name], next(others) if "/" in id else DASH[name]
    return looks
