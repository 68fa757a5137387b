"""The study of ensembles and test-time augmentation on the Learn tab, without a browser."""

import json
import re
from dataclasses import replace

import gradio as gr
import pytest
import torch
from torch import nn

from cnn_models import ModelHub
from cnn_models.analysis.statistics import binomial_interval
from cnn_models.analysis.tta import multi_crop
from cnn_models.checkpoints.folder import load_model
from cnn_models.checkpoints.runs import Run
from cnn_models.datasets.test_sets import balanced_order, load_test_set, measure_part
from cnn_models.layers import architecture_layers
from cnn_models.network import Network
from tests.conftest import make_card
from tests.ui.tables import without_heads
from training.ensembles import ensemble_accuracies, measure_log_linear
from training.tta import measure_tta
from ui.common.chart import SYMBOLS
from ui.common.texts import say
from ui.learn.ensembles import ensembles_html, ensembles_page, findings
from ui.learn.seeds import Ensemble, seeds_html, seeds_sentences


@pytest.fixture(scope="module")
def hub():
    return ModelHub(device="cpu")


def test_crops_are_counted_and_drawn(hub):
    found, probabilities, cards = {}, {}, []
    for name in ("lenet5", "mini_resnet"):
        model, card = load_model(hub.folder(f"{name}.mnist"))
        cards.append(card)
        found[card.id] = measure_tta(Network(model, card, torch.device("cpu")), {}, 100)
        assert list(found[card.id]["accuracy"]) == ["1", "6", "12", "18", "24"] and found[card.id]["pictures"] == 100
        assert (
            found[card.id]["accuracy"]["1"] == measure_part(model, card, slice(100)).accuracy
            and min(found[card.id]["accuracy"].values()) > 50
        )
        probabilities[card.id] = nn.functional.one_hot(torch.arange(10), 10).double()
    averaged = {"mnist": ensemble_accuracies(cards, probabilities, torch.arange(10)) | {"looks": found}}
    log_linear = measure_log_linear(cards, torch.tensor([0.25, 0.5]), probabilities, 9 - torch.arange(10))
    averaged["mnist"]["log_linear"] = log_linear
    averaged = json.loads(json.dumps(averaged, sort_keys=True))  # as the file has it
    some = type("Hub", (), {"cards": lambda self: {card.id: card for card in cards}})()
    html = without_heads(ensembles_html(some, averaged, "mnist", ["lenet5", "mini_resnet", "alexnet"]))
    assert "when this was measured:</span> AlexNet" in html and "<td>100</td>" in html
    for end, paper in (("1", "1"), ("24", "72")):
        low, high = binomial_interval(round(found["lenet5.mnist"]["accuracy"][end]), 100)
        assert f"<small>{low:.2f}–{high:.2f}</small>" in html and f"LeNet-5: {paper} → " in html
    gained = [each["accuracy"]["24"] > each["accuracy"]["1"] for each in found.values()]
    assert "95 % confidence interval" in html and html.count(SYMBOLS["★"]) == 1
    sentences = findings(some, averaged)
    assert f"{sum(gained)} of 2 networks are more accurate" in sentences
    assert "the ensemble of all 2 networks reaches 100.00 %" in sentences
    assert "log-linear ensemble of all networks reaches 0.00 %, their soft vote 100.00 %" in sentences
    assert "factors: Mini ResNet 0.50, LeNet-5 0.25." in sentences
    assert "Ensemble of 2: 100.00 %" in html and html.count("<polyline") == 4 + 2
    crops = [int(count) for count in re.findall(r"LeNet-5: (\d+) →", html)]
    assert crops == [1, 18, 36, 54, 72] and "MACs, 72 crops" in html and f"{24 * 416_520:,}" in html
    assert "Choose at least one" in ensembles_html(some, averaged, "mnist", ["alexnet"])
    averaged["mnist"]["weights"]["lenet5.mnist"] = "other"
    assert "training.evaluate --averages" in ensembles_html(some, averaged, "mnist", [])


def test_the_page_opens_with_a_damaged_file_of_results(tmp_path):
    for name in ("averaged.json", "seeds.json"):
        (tmp_path / name).write_text("{")
    with gr.Blocks(), gr.Tabs(), gr.Tab("Averages") as page:
        ensembles_page(ModelHub(tmp_path), page, page, gr.HTML())


def test_all_seeds_stand_beside_one_alone_and_all_architectures():
    card = make_card("mini_inception")
    run = Run(card.id, "best", 0, [{}], card)
    seeds = [(run, {"accuracy": [[99.4, 99.3, 99.5], [99.55, 99.5, 99.6], [99.61, 99.61, 99.61]]})]
    together = Ensemble(5, 99.71, 52_942_790, 900_000_000)
    html, layers = without_heads(seeds_html(seeds, "mnist", together)), architecture_layers("mini_inception")
    for count, accuracy in ((1, 99.4), (3, 99.61)):
        cells = f"<td>{accuracy:.2f} %</td><td>{count * layers.parameters:,}</td><td>{count * layers.macs:,}</td>"
        assert cells in html
    assert "<td>99.71 %</td><td>52,942,790</td><td>900,000,000</td>" in html
    assert html.count("<polygon") == 1 and "Mini Inception: 99.55 % (99.50–99.60)" in html
    (beside,), (alone,) = (list(seeds_sentences(seeds, "mnist", each)) for each in (together, None))
    sentence = "MNIST: 3 seeds of Mini Inception together reach 99.61 %, one alone 99.40 % on average"
    assert say("en", beside[0], **beside[1]) == f"{sentence}; the ensemble of 5 architectures 99.71 %."
    assert say("en", alone[0], **alone[1]) == f"{sentence}."
    assert "architectures" not in seeds_html(seeds, "mnist", None)
    assert not list(seeds_sentences(seeds, "fashion_mnist", together))
    assert not seeds_html(seeds, "fashion_mnist", together)


def test_crops_are_averaged_as_the_compare_tab_does(hub):
    net = hub.get("lenet5.mnist")
    net = replace(net, card=replace(net.card, mean=0.6))  # a wrong mean: otherwise all predictions are correct
    images, labels = load_test_set("mnist")
    chosen = balanced_order(labels)[:100]
    answers = [multi_crop(net, images[number]).probabilities for number in chosen]
    right = sum(max(each, key=each.get) == str(labels[number]) for each, number in zip(answers, chosen, strict=True))
    begun = measure_tta(net, {}, 40)
    assert begun["pictures"] == 40
    assert measure_tta(net, begun, 100) == measure_tta(net, {}, 100)
    assert measure_tta(net, {}, 100)["accuracy"]["24"] == right
