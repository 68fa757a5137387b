"""Predictions over the epochs: probabilities, charts with a cursor, and the sentence without snapshots."""

import json
import re
from html import unescape

import gradio as gr
import numpy as np

from cnn_models import ModelHub
from tests.cnn_models.checkpoints.test_snapshots import folder  # noqa: F401 (a fixture)
from tests.conftest import make_card
from ui.common.colours import COLOURS
from ui.common.drawing import drawing_of
from ui.common.numbers import percent
from ui.training.epochs import Replay, epochs_component, page


def test_every_epoch_of_every_network_is_on_the_page():
    frames = np.eye(10)[[0, 3, 7]].tolist()
    html = page(drawing_of("", "mnist"), [Replay(make_card(), frames, [50.0, 0.0])])
    assert json.loads(unescape(re.search(r'data-frames="([^"]+)"', html)[1])) == frames
    assert 'max="2" value="2"' in html and "Epoch 2 of 2" in html and "Nothing is drawn" in html
    assert re.search(r'<tr class="epochs-predicted">\s*<th scope="row">7<', html) and "Probability of</span> 7" in html
    assert html.count(f'<g fill="{COLOURS["lenet5"]}"') == 2 and html.count("chart-cursor") == 2


def test_only_certainty_reads_so_once_the_slider_moves():
    """The rounded frames are neither certain nor impossible where the probabilities are not."""
    html = page(drawing_of("", "mnist"), [Replay(make_card(), [[0.99998, 2e-5, *[0.0] * 8], [1.0, *[0.0] * 9]], [1.0])])
    first, last = json.loads(unescape(re.search(r'data-frames="([^"]+)"', html)[1]))
    assert [percent(p) for p in first[:3]] == [">99.99", "<0.01", "0.00"] and percent(last[0]) == "100.00"


def test_without_snapshots_the_command_that_makes_them_is_shown():
    assert "python -m training.train lenet5.mnist" in page(drawing_of("", "mnist"), [])


def test_opening_the_section_replays_what_is_there(folder):  # noqa: F811
    with gr.Blocks():
        _, _, show = epochs_component(ModelHub(folder.parent))
    assert all('max="1"' in html and "LeNet-5" in html for html in show("mnist", "", "mnist"))
    assert "No Fashion-MNIST network has training snapshots" in show("fashion_mnist", "", "fashion_mnist")[0]
    (html,) = show("mnist", "upload:/x", "mnist")
    assert "not an image" in html or "uploaded" in html
    assert "your drawing" not in show("mnist", "upload:/x", "fashion_mnist")[0], "it is of the other data set"
