"""The map: places, nearest test images and scores on the page, what is missing or damaged, and the classes' colours."""

import base64
import json
import re
from html import unescape
from itertools import combinations
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
import torch

from cnn_models import DATASETS
from cnn_models.analysis.projection import COUNT, FOLDER, IMAGES, Projection, path_of, write_projection
from cnn_models.checkpoints.folder import read_card
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.errors import Refused
from tests.cnn_models.analysis.test_projection import made
from tests.ui.common.test_colours import BACKGROUND, VISION, contrast, linear, oklab
from ui.common.drawing import Drawing, drawing_of
from ui.common.strips import png
from ui.training import projection as module
from ui.training.projection import mapped, page, projection_component

ID = "lenet5.mnist"
CLASSES = range(len(DATASETS["mnist"].classes))


@pytest.fixture
def weights(checkpoint):
    """LeNet-5 with its real features around the first test images, at made-up places, and Mini ResNet without a map."""
    folder = checkpoint(ID)
    checkpoint("mini_resnet.mnist")
    (folder.parent / FOLDER).mkdir()
    write_projection(folder.parent, read_card(folder), made())
    return folder.parent


@pytest.fixture
def show(hub):
    with gr.Blocks():
        _, _, show = projection_component(hub)
    return lambda *sent: show(*sent)[0]


def data_of(html: str) -> dict:
    """What the script draws on the first map."""
    return json.loads(unescape(re.search(r'data-map="([^"]+)"', html)[1]))


def places_of(text: str) -> np.ndarray:
    """The places N x 2 of a map, from 0 to 1."""
    return np.frombuffer(base64.b64decode(text), np.uint16).reshape(-1, 2) / module.SIDE


def test_the_places_fill_the_maps_in_their_proportions_with_y_upwards(weights, hub):
    drawing = drawing_of("", "mnist")
    found, *_ = mapped(hub, "mnist", drawing)
    data = data_of(page("mnist", drawing, found))
    for method, places, own in (
        ("pca", found[0].projection.places[:, :2], found[0].drawing.pca),
        ("tsne", found[0].projection.tsne, found[0].drawing.tsne),
    ):
        shown = np.concatenate([places_of(data["places"][method]), [data["drawing"][method]]])
        stored = torch.cat([places, own[None]]).numpy() * [1, -1]
        assert len(shown) == COUNT + 1 and shown.min() >= 0 and shown.max() <= 1
        scale = np.ptp(stored, axis=0).max()
        assert np.allclose((shown - shown[0]) * scale, stored - stored[0], atol=scale / 10_000)


def test_a_test_image_lies_on_its_dot_and_is_the_first_of_its_nearest_images(weights, hub):
    net, card = hub.get(ID), hub.card(ID)
    images, labels = (each[IMAGES] for each in load_test_set("mnist"))
    features = net.features(torch.tensor(images[:50]))
    real: Projection = made()
    places = real.places.clone()
    places[:50] = real.place(features)
    write_projection(hub.weights_dir, card, real._replace(places=places))
    drawing = Drawing(images[7], "mnist", True)
    found, *_ = mapped(hub, "mnist", drawing)
    html = page("mnist", drawing, found)
    data = data_of(html)
    assert data["nearest"][0] == 7
    assert np.allclose(places_of(data["places"]["pca"])[7], data["drawing"]["pca"], atol=1e-3)
    first = re.search(r'<li><img src="([^"]+)" alt="">(\w+)</li>', html)
    assert (first[1], first[2]) == (png(images[7]), str(labels[7])) and "The cross is your drawing" in html


def test_scores_are_those_of_the_file_and_a_network_without_one_gets_the_command(weights, show):
    html = show("mnist", "", "mnist")
    assert "LeNet-5" in html and "99.00 %" in html and "0.50" in html
    assert "No map of Mini ResNet yet; run <code>python -m training.<wbr>projection" in html
    assert "a test image, as nothing is drawn" in html and "the cross is a test image" in html
    assert "No map of Fashion-MNIST yet" in show("fashion_mnist", "", "fashion_mnist")


def test_the_network_with_the_greatest_silhouette_is_named(weights, hub):
    (one, *_), *_ = mapped(hub, "mnist", None)
    scores = one.projection.scores.clone()
    scores[0, 1] = 0.9
    other = one._replace(
        card=read_card(weights / "mini_resnet.mnist"), projection=one.projection._replace(scores=scores)
    )
    assert "Mini ResNet has the classes furthest apart in its features: silhouette coefficient 0.90" in page(
        "mnist", None, [one, other]
    )
    assert "furthest apart" not in page("mnist", None, [one])


def test_damaged_files_networks_and_drawings_leave_the_rest_of_the_page(weights, hub, show):
    (weights / ID / "model.safetensors").write_bytes(b"x")
    html = show("mnist", "", "mnist")
    assert "is not the weights of lenet5.mnist" in html and data_of(html)["drawing"] is None, "the map is shown"
    assert "The cross" not in html and "the cross is a test image" not in html
    assert data_of(show("mnist", "upload:/x", "mnist"))["nearest"] == []
    path_of(weights, ID).write_bytes(b"x")
    assert "is not the projection of lenet5.mnist" in show("mnist", "", "mnist")


def test_misclassified_images_are_those_of_the_evaluation(weights, hub):
    (found,), *_ = mapped(hub, "mnist", None)
    predicted = data_of(page("mnist", None, [found]))["predicted"]
    labels = "".join(map(str, load_test_set("mnist")[1][IMAGES]))
    assert predicted == labels[0] + "000" + labels[4:], "`make_evaluation` has the images 2 to 19 wrong"
    (weights / ID / "evaluation.json").unlink()
    (found,), *_ = mapped(hub, "mnist", None)
    assert data_of(page("mnist", None, [found]))["predicted"] == ""


def test_a_test_image_is_sent_by_its_index_and_anything_else_is_refused(hub):
    with gr.Blocks():
        _, (shown,), _ = projection_component(hub)
    (function,) = shown.server_fns
    images, _ = load_test_set("mnist")
    assert function({"dataset": "mnist", "index": 3}) == png(images[IMAGES][3])
    for sent in ({"dataset": "mnist", "index": COUNT}, {"dataset": "mnist", "index": "3"}, {"dataset": "x"}, [], None):
        with pytest.raises(Refused):
            function(sent)


def colours_of(theme: str) -> list[str]:
    style = Path(module.__file__).with_suffix(".raw.css").read_text(encoding="utf-8")
    values = dict(re.findall(r"(--[\w-]+): (#\w+);", re.search(rf"^{theme} {{(.*?)}}", style, re.M | re.S)[1]))
    return [values[f"--class-{index}"] for index in CLASSES]


@pytest.mark.parametrize("theme", BACKGROUND)
def test_the_colours_of_classes_are_apart_for_all_readers_and_visible(theme):
    for vision in VISION.values():
        seen = [oklab(np.array(vision) @ linear(colour)) for colour in colours_of(theme)]
        assert min(np.linalg.norm(one - other) for one, other in combinations(seen, 2)) >= 0.085
    assert all(contrast(colour, BACKGROUND[theme]) >= 2 for colour in colours_of(theme))
