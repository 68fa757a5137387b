"""The networks on the Layers tab, without a browser."""

import re

from cnn_models import ARCHITECTURES
from cnn_models.layers.table import Column, column
from ui.layers.page import page


def test_every_box_of_the_diagrams_links_to_a_row():
    columns = [Column(name, column(name).network, [0.5] * 1000) for name in ARCHITECTURES]
    html = page(columns, [{}] * len(columns), "")
    boxes, rows = re.findall(r'href="#(layer[\d-]+)"', html), re.findall(r'<details id="([^"]+)"', html)
    assert set(boxes) <= set(rows) and len(rows) == len(set(rows))
    assert all(f">{each.network.parameters:,}</b>" in html for each in columns)


def test_without_networks_a_sentence_asks_for_one():
    assert "Choose a network" in page([], [], "")
