"""Similarities of layers and linear probes on the Layers tab, without a browser."""

import json
import re
from dataclasses import replace

import pytest

from cnn_models.analysis.similarity import compared_layers
from cnn_models.analysis.similarity_results import SIMILARITY
from cnn_models.checkpoints.folder import load_model, read_card, read_history, write_checkpoint
from cnn_models.errors import Refused
from ui.layers.probes import probes_html
from ui.layers.similarity import BRIGHT, similarity_html

LENET, RESNET, SEED = "lenet5.mnist", "mini_resnet.mnist", "runs/best.1/lenet5.mnist"
ROWS = {name: [layer.name for layer in compared_layers(name)] for name in ("lenet5", "mini_resnet", "googlenet")}


def matrix(first, second, value):
    """CKA of `value` for the first layers, less for later ones and for layers that are further apart."""
    columns = range(len(ROWS[second]))
    return [[round(value - 0.05 * abs(i - j) - 0.01 * i, 3) for j in columns] for i in range(len(ROWS[first]))]


@pytest.fixture
def measured(checkpoint, hub):
    """Two networks and another seed of the first; `measured(**changes)` writes the file with some content changed."""
    weights = hub.weights_dir
    for id in (LENET, RESNET):
        checkpoint(id)
    seed = checkpoint(LENET, weights / "runs" / "best.1")
    (model, card), history = load_model(seed), read_history(seed)
    write_checkpoint(seed, model.state_dict(), replace(card, seed=1), history, "")

    def write(**changes):
        found = {
            "weights": {name: read_card(weights / name).weights_sha256 for name in (LENET, RESNET, SEED)},
            "cka": [
                [LENET, RESNET, matrix("lenet5", "mini_resnet", 0.7)],
                [LENET, LENET, matrix("lenet5", "lenet5", 1)],
                [LENET, SEED, matrix("lenet5", "lenet5", 0.9)],
            ],
            "probes": {LENET: [80, 90, 95, 98.9, 99, 99.5]},
        } | changes
        (weights / SIMILARITY).write_text(json.dumps({"mnist": found}))

    return write


def cells(html):
    """The numbers of each heat map."""
    maps = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)
    return [[re.findall(r"<span>(-?[\d.]+)</span>", row) for row in each.split("</tr>")[:-1]] for each in maps]


def shown(values):
    return [[f"{value:.2f}" for value in row] for row in values]


def test_a_pair_is_drawn_beside_two_seeds(measured, hub):
    measured()
    html = similarity_html(hub, {})
    pair, seeds = matrix("lenet5", "mini_resnet", 0.7), matrix("lenet5", "lenet5", 0.9)
    assert cells(html) == [shown(pair), shown(seeds)]
    assert html.count('class="heat-high"') == sum(value >= BRIGHT for row in [*pair, *seeds] for value in row) > 0
    assert "hidden layers of LeNet-5 and Mini ResNet are c1 and conv1: CKA 0.70." in html
    assert "the same hidden layer of both 0.87 to 0.90" in html
    assert '<option value="runs/best.1/lenet5" data-text="similarity.seed"' in html
    assert '<option value="lenet5" data-text="similarity.itself"' in html
    chosen = similarity_html(hub, {"dataset": "mnist", "first": "lenet5", "second": "runs/best.1/lenet5"})
    assert cells(chosen) == [shown(seeds)]


def test_the_network_with_more_layers_is_down_the_side_and_its_values_turned(measured, hub, checkpoint):
    checkpoint("googlenet.mnist")
    values = matrix("lenet5", "googlenet", 0.8)
    hashes = {id: read_card(hub.weights_dir / id).weights_sha256 for id in (LENET, "googlenet.mnist")}
    measured(weights=hashes, cka=[[LENET, "googlenet.mnist", values]], probes={})
    html = similarity_html(hub, {})
    assert cells(html) == [[[f"{values[j][i]:.2f}" for j in range(5)] for i in range(13)]]
    assert "GoogLeNet (down) and LeNet-5 (across)" in html
    assert "training.<wbr>train mini_<wbr>inception.<wbr>mnist --seed 1" in html  # there is no yardstick


def test_what_is_of_other_weights_or_damaged_is_not_shown(measured, hub, checkpoint):
    assert "python -m training.<wbr>similarity" in similarity_html(hub, {})
    measured()
    checkpoint(LENET)
    assert "Nothing is measured" in similarity_html(hub, {}) and not cells(similarity_html(hub, {}))
    (hub.weights_dir / SIMILARITY).write_text("{")
    assert "is not the similarities of layers" in similarity_html(hub, {})


def test_choices_are_known_names_and_what_was_not_measured_together_is_replaced(measured, hub):
    measured()
    html = similarity_html(hub, {"dataset": "fashion_mnist", "first": "mini_resnet", "second": "mini_resnet"})
    assert '<option value="mini_resnet" selected>' in html and '<option value="lenet5" selected>' in html
    for request in ({"dataset": "cifar"}, {"first": "vgg"}, {"second": 7}, {"second": ["lenet5"]}):
        with pytest.raises(Refused, match="unknown name"):
            similarity_html(hub, request)


def test_probes_name_the_first_layer_that_knows_the_class():
    html = probes_html({LENET: [80, 90, 95, 98.9, 99, 99.5], RESNET: [80, 98.8, 99, 99.5, 99.6, 99.7]})
    assert "LeNet-5: 98.9 % after c5, layer 3 of 5; 99.5 % at the output." in html
    assert "Mini ResNet: 98.8 % after conv1, layer 1 of 5; 99.7 % at the output." in html
    assert "On the pixels it reaches 80.0 %" in html and "LeNet-5, c3: 95.0 %" in html
    assert "first layer with 99 % of" in html and html.count("<polyline") == 2 and not probes_html({})
