"""The Learn tab's pages of real networks, without a browser."""

import itertools
import json
import re
from dataclasses import replace
from html import unescape
from types import SimpleNamespace

import gradio as gr
import pytest
import torch
from torch import nn

from cnn_models import ModelHub, create_model
from cnn_models.analysis.ablation import parts, sizes, without
from cnn_models.analysis.statistics import binomial_interval
from cnn_models.analysis.tta import many_looks
from cnn_models.checkpoints.folder import load_model
from cnn_models.datasets.test_sets import Measured, balanced_order, load_test_set, measure_part
from cnn_models.network import Network
from cnn_models.predict import predict
from tests.conftest import make_card
from training.averages import average
from training.deep_net import DeepNet, gradient_norms
from training.looks import look_on
from ui.common.drawing import drawing_of
from ui.common.numbers import percent
from ui.common.texts import Text, say
from ui.learn import ablation
from ui.learn.ablation_grid import grid
from ui.learn.ablation_page import ablation_page
from ui.learn.blocks import derivatives_html, weights_html
from ui.learn.depth import FILE, depth_html, depth_page
from ui.learn.ensembles import ensembles_html, ensembles_page

FEW = 300  # test pictures


@pytest.fixture(scope="module")
def hub():
    return ModelHub(device="cpu")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(ablation, "COUNT", FEW)


def test_switching_off_shows_what_the_network_loses(hub):
    study, part = ablation.Ablation(hub, ["mini_inception"]), "inception1/5×5"
    shown = list(
        study.show("mini_inception", [part, "nonsense"], "", "mnist", lambda net, drawing, label: f"<{label}>")
    )
    net = hub.get("mini_inception.mnist")
    cut = predict(ablation.cut(net, [part]), drawing_of("", "mnist").grid)
    assert shown[0][2] == "<7>" and f"{percent(cut.probabilities['7'])} %" in shown[0][0]
    before, after = (measure_part(without(net.model, off), net.card, slice(FEW)).right for off in ([], [part]))
    assert after < before
    for right in (before, after):
        assert f"{100 * right / FEW:.2f} %" in shown[-1][1]
    assert "progress" in shown[0][1] and "progress" not in shown[-1][1]
    assert {(answers, more) for answers, _, more in shown} == {(shown[0][0], "<7>")}, "whole, whatever is skipped over"


@pytest.mark.parametrize("name", ["mini_inception", "googlenet", "mini_resnet"])
def test_every_part_has_a_switch(name):
    assert sorted(re.findall(r'value="([^"]+)"', grid(name))) == sorted(parts(create_model(name)))


def test_parts_are_called_in_the_visitors_language():
    html = unescape(grid("mini_inception"))
    assert 'aria-label="inception1 pool" data-text-aria-label="switches.part.of"' in html
    assert '"part": {"key": "switches.branch.pool"}' in html and 'aria-label="All of pool"' in html
    assert say("zh", "switches.all", part=Text("switches.branch.pool")) == "池化 全部"
    model = create_model("mini_inception")
    net = type("Net", (), {"model": model, "card": make_card("mini_inception")})
    drawn = weights_html(net, [sizes(model.state_dict(), model)] * 2)
    assert drawn.count('<title data-text="switches.branch.pool">') == 2


def test_every_part_by_itself_is_a_row(hub):
    *_, html = ablation.Ablation(hub, ["mini_resnet"]).each_part("mini_resnet", "", "fashion_mnist")
    rows = re.findall(r'<th scope="row">(.+?)</th>', html)
    names = [re.sub("<.*?>", "", row).replace(" ", "/") for row in rows]
    assert names == parts(hub.get("mini_resnet.fashion_mnist").model) and "data-text" in rows[1]


def test_what_is_not_there_is_said(hub, tmp_path):
    study = ablation.Ablation(ModelHub(tmp_path), ["mini_resnet"])
    shown, _, _ = next(study.show("mini_resnet", [], "", "mnist", None))
    for found in (shown, next(study.each_part("mini_resnet", "", "mnist"))):
        assert "python -m training.train mini_<wbr>resnet.<wbr>mnist" in found or "no weights" in found
    assert "python -m training.depth_study" in depth_html(tmp_path / "none.json", True, "start")
    assert "python -m training.evaluate --averages" in ensembles_html(ModelHub(tmp_path), {}, "mnist", [])


class FullGPU:
    """A hub whose networks run nowhere."""

    def run(self, id, use):
        raise torch.OutOfMemoryError("full")


def test_a_full_gpu_is_said(hub, monkeypatch):
    study = ablation.Ablation(FullGPU(), ["mini_resnet"])
    shown, _, _ = next(study.show("mini_resnet", [], "", "mnist", None))
    for found in (shown, next(study.each_part("mini_resnet", "", "mnist"))):
        assert "GPU is out of memory" in found
    study = ablation.Ablation(hub, ["mini_resnet"])
    monkeypatch.setattr(ablation, "measure_part", lambda *_: FullGPU().run(None, None))
    *_, (found, *_) = study.show("mini_resnet", [], "", "mnist", lambda *_: "")
    assert "GPU is out of memory" in found
    monkeypatch.setattr(ablation, "measure_part", lambda *_: 1 + "a fault of the code")
    with pytest.raises(TypeError):
        list(study.show("mini_resnet", [], "", "mnist", lambda *_: ""))


def test_what_takes_long_is_measured_on_more_and_more_pictures(hub, monkeypatch):
    """On both networks the same ones; what one visitor waited for, the next has at once."""
    monkeypatch.setattr(ablation, "EVERY", 0)
    monkeypatch.setattr(ablation, "rounds", lambda architecture: range(100, FEW + 1, 100))
    study, asked = ablation.Ablation(hub, ["mini_resnet"]), []
    monkeypatch.setattr(ablation, "measure_part", lambda model, card, part: asked.append(part) or Measured(90, 100))
    *_, table = itertools.islice(study.each_part("mini_resnet", "", "mnist"), 6)
    assert "Measured on 100 of the 300" in unescape(re.sub("<.*?>", "", table)) and "<progress" in table
    assert table.count("90.00 %") == 4 and len(asked) == 5 + 3, "the second round has begun"
    shown = [found for _, found, _ in study.show("mini_resnet", ["block1/F"], "", "mnist", lambda *_: "")]
    assert "200 of the 300" in re.sub("<.*?>", "", shown[1]) and shown[1].count("90.00 %") == 2
    assert "all 300" in re.sub("<.*?>", "", shown[-1]) and "<progress" not in shown[-1]
    *_, table = study.each_part("mini_resnet", "", "mnist")
    assert "all 300" in re.sub("<.*?>", "", table) and "<progress" not in table and len(asked) == 5 * 3


def test_the_table_is_of_what_is_drawn_and_chosen(hub):
    """Opening the page or the tab around it empties the table; that and leaving it end the one that is being made."""
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Learn") as whole, gr.Tabs(), gr.Tab("Shortcuts") as page:
        ablation_page(hub, (page, whole), ["mini_resnet"], "shortcuts", None)
    alone = next(event for event in blocks.fns.values() if event.fn and event.fn.__name__ == "each_part")
    opened = {(tab._id, "select") for tab in (page, whole)}
    events = [event for event in blocks.fns.values() if opened <= set(event.targets)]
    (clear,) = [event.fn for event in events if event.fn and event.outputs == alone.outputs]
    mine, other = (SimpleNamespace(session_hash=name) for name in "ab")
    tables = [alone.fn("mini_resnet", 1, "", "mnist", each) for each in (mine, other)]
    assert all("<table" in next(table) for table in tables)
    ended = [gr.skip()]  # else gradio, at the end, shows the last of the table once more
    assert clear(2, mine) == "" and list(tables[0]) == ended and "<table" in list(tables[1])[-1]
    older, oldest, newer = (alone.fn("mini_resnet", when, "", "mnist", mine) for when in (4, 3, 5))
    assert next(older) and not list(oldest) and next(newer) and list(older) == ended
    clear(3, mine)  # which was overtaken
    assert "<table" in list(newer)[-1]
    (leave,) = [event.fn for event in blocks.fns.values() if event.fn and event.fn.__name__ == "leave"]
    for opened, ends in (("Shortcuts", False), ("Learn", False), ("Compare", True), ("Averages", True)):
        table = alone.fn("mini_resnet", 6, "", "mnist", mine)
        next(table)
        leave(7, gr.EventData(None, {"value": opened}), mine)
        assert (list(table) == ended) is ends


def test_the_derivatives_follow_the_switches(hub):
    study, rows = ablation.Ablation(hub, ["mini_resnet"]), {}
    for off in ([], ["block1/shortcut"]):
        found = next(study.show("mini_resnet", off, "", "mnist", derivatives_html))[2]
        rows[bool(off)] = re.findall(r"<td>([^<]+)</td>", found.split("block1")[1])[:3]
    assert "0" not in rows[False] and rows[True][1] == "0" and rows[True][0] == rows[True][2]


def test_sizes_of_weights_are_a_line_for_each_branch(hub):
    net = hub.get("mini_inception.mnist")
    history = [sizes(net.model.state_dict(), net.model)] * 3
    assert weights_html(net, history).count("<polyline") == 8 and "has no training snapshots" in weights_html(net, [])


def test_the_depth_study_is_drawn(tmp_path):
    runs = []
    for shortcuts in (False, True):
        model, x = DeepNet(8, shortcuts, norm=False), torch.rand(4, 1, 28, 28)
        row = {"epoch": 1.0, "train_loss": 0.5, "train_accuracy": 50.0, "val_accuracy": 40.0}
        gradients = gradient_norms(model, x, torch.arange(4))
        runs.append({"depth": 8, "shortcuts": shortcuts, "batch_norm": False, "history": [row, row | {"epoch": 2.0}],
                     "gradients": {"start": gradients, "end": gradients}})  # fmt: skip
    path = write_study(tmp_path, runs)
    html = depth_html(path, False, "end")
    assert html.count("<polyline") == 3 * 2 and "8 layers," in html and "<p>Fashion-MNIST<" in html
    assert html.count("<circle") == 2 * 2 * 2 and "8: F(x): 50.00 %" in html, "a dot for every epoch"
    assert "trained on all 60,000" in html and "; today." in html and "2 of 8 networks so far" in html
    gradients = html.split("<polyline")[5]
    assert len(re.search(r"""points=["']([^"']+)""", gradients)[1].split()) == 8
    figures = [">8<", ">no<", ">no<", "<td>0.500</td>", "<td>50.00 %</td>", "<td>40.00 %</td>"]
    assert all(figure in html.split("<tbody>")[1].split("</tr>")[0] for figure in figures)
    assert html.split("<tbody>")[1] == depth_html(path, True, "start").split("<tbody>")[1], "of all networks"


def test_what_the_depth_study_found_is_said(tmp_path):
    runs = [
        {"depth": depth, "shortcuts": shortcuts, "batch_norm": True,
         "gradients": {"start": [8.0, 9.0, 1.0 + shortcuts, 5.0], "end": [1.0]},
         "history": [{"epoch": 1.0, "train_loss": 0.5, "train_accuracy": accuracy, "val_accuracy": 40.0}]}
        for depth, shortcuts, accuracy in ((20, False, 88.5), (56, False, 69.25), (20, True, 90.0), (56, True, 91.0))
    ]  # fmt: skip
    html = depth_html(write_study(tmp_path, runs), True, "start")
    assert "56 layers instead of 20 change" in html and "by −19.25 points without shortcuts, and by +1.00 with" in html
    assert "first is 8 times that of the last convolution without shortcuts, and 4 times with" in html
    assert "chain rule" not in depth_html(write_study(tmp_path, runs), True, "end")
    part = depth_html(write_study(tmp_path, runs[:3]), True, "start")
    assert "instead of 20" not in part and "chain rule" not in part


def write_study(folder, runs):
    path = folder / FILE
    facts = {"dataset": "fashion_mnist", "recipe": {"epochs": 2}, "split": "trained on all 60,000", "date": "today"}
    path.write_text(json.dumps(facts | {"runs": runs}))
    return path


def test_a_study_of_networks_that_learn_nothing_is_drawn(tmp_path):
    """Zeros, numbers that overflowed, and a network that diverged."""
    row = {"epoch": 1.0, "train_loss": 2.3, "train_accuracy": 10.0, "val_accuracy": 10.0}
    gradients = {"start": [0.0, 1.0, float("nan"), float("inf")], "end": []}
    run = {"depth": 56, "shortcuts": False, "batch_norm": False, "history": [row], "gradients": gradients}
    html = depth_html(write_study(tmp_path, [run | {"diverged": True}]), False, "start")
    assert "exactly zero in 1 of 4 layers" in html and "no finite number in 2 of 4 layers" in html
    assert not re.search(r"""points=["'][^"']*(nan|inf)""", html) and "diverged in epoch 2" in html
    html = depth_html(write_study(tmp_path, [run | {"diverged": True, "history": []}]), False, "end")
    assert "diverged in epoch 1" in html and "<td>–" in html


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "7",
        '{"runs": [], "recipe": 7}',
        '{"runs": 7}',
        '{"runs": [{}]}',
        '{"runs": [null]}',
        '{"runs": [{"batch_norm": false}]}',
    ],
)
def test_a_damaged_study_is_said_and_stops_nothing(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert "is damaged" in depth_html(tmp_path / FILE, False, "start")


def test_a_study_that_comes_later_is_seen_when_the_page_is_opened_again(tmp_path):
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Learn") as whole, gr.Tabs(), gr.Tab("Shortcuts") as page:
        depth_page(tmp_path, (page, whole))
    (event,) = blocks.fns.values()
    assert {(page._id, "select"), (whole._id, "select")} <= set(event.targets)
    assert "not been run" in event.fn(False, "start")
    write_study(tmp_path, [])
    assert "0 of 8" in event.fn(False, "start")


def test_looks_are_counted_and_drawn(hub):
    found, probabilities, cards = {}, {}, []
    for name in ("lenet5", "mini_resnet"):
        model, card = load_model(hub.folder(f"{name}.mnist"))
        cards.append(card)
        found[card.id] = look_on(Network(model, card, torch.device("cpu")), {}, 100)
        assert list(found[card.id]["accuracy"]) == ["1", "6", "12", "18", "24"] and found[card.id]["pictures"] == 100
        assert (
            found[card.id]["accuracy"]["1"] == measure_part(model, card, slice(100)).accuracy
            and min(found[card.id]["accuracy"].values()) > 50
        )
        probabilities[card.id] = nn.functional.one_hot(torch.arange(10), 10).double()
    averaged = {"mnist": average(cards, probabilities, torch.arange(10)) | {"looks": found}}
    averaged = json.loads(json.dumps(averaged, sort_keys=True))  # as the file has it
    some = type("Hub", (), {"cards": lambda self: {card.id: card for card in cards}})()
    html = ensembles_html(some, averaged, "mnist", ["lenet5", "mini_resnet", "alexnet"])
    assert "when this was measured:</span> AlexNet" in html and ">crops: 100 pictures<" in html
    for end, paper in (("1", "1"), ("24", "72")):
        low, high = binomial_interval(round(found["lenet5.mnist"]["accuracy"][end]), 100)
        assert f"<small>{low:.2f}–{high:.2f}</small>" in html and f"LeNet-5: {paper} → " in html
    gained = [each["accuracy"]["24"] > each["accuracy"]["1"] for each in found.values()]
    assert f"{sum(gained)} of 2 networks have more" in html and "with 95 % confidence" in html
    assert "Ensemble of 2. Together: 100.00 %" in html and html.count("<polyline") == 4 + 2
    crops = [int(count) for count in re.findall(r"LeNet-5: (\d+) →", html)]
    assert crops == [1, 18, 36, 54, 72] and "MACs, 72 crops" in html and f"{24 * 416_520:,}" in html
    assert "Choose at least one" in ensembles_html(some, averaged, "mnist", ["alexnet"])
    averaged["mnist"]["weights"]["lenet5.mnist"] = "other"
    assert "training.evaluate --averages" in ensembles_html(some, averaged, "mnist", [])


def test_a_damaged_file_of_averages_stops_nothing(tmp_path):
    (tmp_path / "averaged.json").write_text("{")
    with gr.Blocks(), gr.Tabs(), gr.Tab("Averages") as page:
        ensembles_page(ModelHub(tmp_path), page, page)


def test_looks_are_averaged_as_the_compare_tab_does(hub):
    net = hub.get("lenet5.mnist")
    net = replace(net, card=replace(net.card, mean=0.6))  # dazzled, or it would have all of them right
    pictures, labels = load_test_set("mnist")
    chosen = balanced_order(labels)[:100]
    answers = [many_looks(net, pictures[number]).probabilities for number in chosen]
    right = sum(max(each, key=each.get) == str(labels[number]) for each, number in zip(answers, chosen, strict=True))
    begun = look_on(net, {}, 40)
    assert begun["pictures"] == 40
    assert look_on(net, begun, 100) == look_on(net, {}, 100)
    assert look_on(net, {}, 100)["accuracy"]["24"] == right
