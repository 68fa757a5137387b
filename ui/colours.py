"""One colour for each network on every chart of the page, with a dash for those who do not tell colours apart."""

from itertools import cycle

from cnn_models import ARCHITECTURES

# Okabe & Ito's palette, told apart by colour-blind eyes too.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c8c8c")
DASHES = ("", "6 3", "2 3", "8 3 2 3", "1 2")
COLOURS = dict(zip(ARCHITECTURES, cycle(PALETTE)))
DASH = dict(zip(ARCHITECTURES, cycle(DASHES)))
