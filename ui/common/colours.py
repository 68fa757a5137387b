"""The colour of each network, the same in all charts, with a dash for colour-blind readers."""

from collections.abc import Iterable
from itertools import cycle

from cnn_models import ARCHITECTURES
from ui.common.names import architecture

# CSS variables, as the colours differ by theme; `colours.raw.css` has them.
PALETTE = tuple(f"var(--network-{number})" for number in range(1, 8))
ENSEMBLE = "var(--ensemble)"
DASHES = ("", "6 3", "2 3", "8 3 2 3", "12 3 2 3 2 3")
COLOURS = dict(zip(ARCHITECTURES, cycle(PALETTE)))
DASH = dict(zip(ARCHITECTURES, cycle(DASHES)))
THIRD_PARTY_DASHES = ("1 4", "10 4", "4 1", "10 2 1 2")


def line_styles(ids: Iterable[str]) -> dict[str, tuple[str, str]]:
    """The colour and dash of each checkpoint: the colour of its architecture, and another dash if it is third-party."""
    dashes, styles = cycle(THIRD_PARTY_DASHES), {}
    for id in ids:
        name = architecture(id).name
        styles[id] = COLOURS[name], next(dashes) if "/" in id else DASH[name]
    return styles
