"""Branch ablation, weights and gradients on the Learn tab, without a browser."""

import itertools
import re
from html import unescape
from types import SimpleNamespace

import gradio as gr
import pytest
import torch

from cnn_models import ModelHub, create_model
from cnn_models.analysis.ablation import parts, sizes, without
from cnn_models.datasets.test_sets import Measured, measure_part
from cnn_models.predict import predict
from tests.conftest import make_card
from tests.ui.tables import without_heads
from ui.common.drawing import drawing_of
from ui.common.numbers import percent
from ui.common.texts import Text, say
from ui.learn import ablation
from ui.learn.ablation_grid import grid
from ui.learn.ablation_page import ablation_page
from ui.learn.blocks import derivatives_html, weights_html
from ui.learn.depth import depth_html
from ui.learn.ensembles import ensembles_html

FEW = 300  # test images


@pytest.fixture(scope="module")
def hub():
    return ModelHub(device="cpu")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(ablation, "COUNT", FEW)


def test_an_ablated_network_is_compared_with_the_whole_one(hub):
    study, part = ablation.Ablation(hub, ["mini_inception"]), "inception1/5×5"
    shown = list(study.show("mini_inception", [part], "", "mnist", lambda net, drawing, label: f"<{label}>"))
    net = hub.get("mini_inception.mnist")
    ablated = predict(ablation.ablate(net, [part]), drawing_of("", "mnist").grid)
    assert shown[0][2] == "<7>" and f"{percent(ablated.probabilities['7'])} %" in shown[0][0]
    before, after = (measure_part(without(net.model, off), net.card, slice(FEW)).right for off in ([], [part]))
    assert after < before
    for right in (before, after):
        assert f"{100 * right / FEW:.2f} %" in shown[-1][1]
    assert "progress" in shown[0][1] and "progress" not in shown[-1][1]
    assert {(answers, more) for answers, _, more in shown} == {(shown[0][0], "<7>")}, "every update is complete"


def test_an_unknown_branch_is_refused_by_name_before_a_network_is_loaded(tmp_path):
    study = ablation.Ablation(ModelHub(tmp_path), ["mini_inception"])
    ((sentence, *_),) = study.show("mini_inception", ["inception1/5×5", "nonsense"], "", "mnist", lambda *_: "")
    assert "off: unknown name" in sentence and "nonsense" in sentence


@pytest.mark.parametrize("name", ["mini_inception", "googlenet", "mini_resnet"])
def test_every_part_has_a_checkbox(name):
    assert sorted(re.findall(r'value="([^"]+)"', grid(name))) == sorted(parts(create_model(name)))


def test_parts_are_named_in_the_visitors_language():
    html = unescape(grid("mini_inception"))
    assert 'aria-label="inception1 pool" data-text-aria-label="ablation.part.of"' in html
    assert '"part": {"key": "ablation.branch.pool"}' in html and 'aria-label="All of pool"' in html
    assert say("zh", "ablation.all", part=Text("ablation.branch.pool")) == "池化 全部"
    model = create_model("mini_inception")
    net = type("Net", (), {"model": model, "card": make_card("mini_inception")})
    drawn = weights_html(net, [sizes(model.state_dict(), model)] * 2)
    assert drawn.count('<b></b> <span data-text="ablation.branch.pool">') == 2


def test_every_part_by_itself_is_a_row(hub):
    *_, html = ablation.Ablation(hub, ["mini_resnet"]).each_part("mini_resnet", "", "fashion_mnist")
    rows = re.findall(r'<th scope="row">(.+?)</th>', html)
    names = [re.sub("<.*?>", "", row).replace(" ", "/") for row in rows]
    assert names == parts(hub.get("mini_resnet.fashion_mnist").model) and "data-text" in rows[1]


def test_missing_weights_and_studies_give_the_command_that_makes_them(hub, tmp_path):
    study = ablation.Ablation(ModelHub(tmp_path), ["mini_resnet"])
    shown, _, _ = next(study.show("mini_resnet", [], "", "mnist", None))
    for found in (shown, next(study.each_part("mini_resnet", "", "mnist"))):
        assert "python -m training.train mini_<wbr>resnet.<wbr>mnist" in found or "no weights" in found
    assert "python -m training.depth_study" in depth_html(tmp_path / "none.json", True, "start")[0]
    assert "python -m training.evaluate --averages" in ensembles_html(ModelHub(tmp_path), {}, "mnist", [])


class FullGPU:
    """A hub whose GPU is always out of memory."""

    def run(self, id, use):
        raise torch.OutOfMemoryError("full")


def test_a_full_gpu_gives_a_sentence(hub, monkeypatch):
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


def test_a_long_measurement_is_shown_on_more_and_more_images(hub, monkeypatch):
    """Both networks are measured on the same images, and the accuracies are cached for the next visitor."""
    monkeypatch.setattr(ablation, "INTERVAL", 0)
    monkeypatch.setattr(ablation, "rounds", lambda architecture: range(100, FEW + 1, 100))
    study, measured = ablation.Ablation(hub, ["mini_resnet"]), []
    monkeypatch.setattr(ablation, "measure_part", lambda model, card, part: measured.append(part) or Measured(90, 100))
    *_, table = itertools.islice(study.each_part("mini_resnet", "", "mnist"), 6)
    assert "Measured on 100 of 300" in unescape(re.sub("<.*?>", "", table)) and "<progress" in table
    assert table.count("90.00 %") == 4 and len(measured) == 5 + 3, "the second round has begun"
    shown = [found for _, found, _ in study.show("mini_resnet", ["block1/F"], "", "mnist", lambda *_: "")]
    assert "200 of 300" in re.sub("<.*?>", "", shown[1]) and shown[1].count("90.00 %") == 2
    assert "all 300" in re.sub("<.*?>", "", shown[-1]) and "<progress" not in shown[-1]
    *_, table = study.each_part("mini_resnet", "", "mnist")
    assert "all 300" in re.sub("<.*?>", "", table) and "<progress" not in table and len(measured) == 5 * 3


def test_opening_the_page_or_the_tab_empties_the_table(hub):
    """Opening, and leaving too, ends a table that is being made."""
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Learn") as whole, gr.Tabs(), gr.Tab("Shortcuts") as page:
        ablation_page(hub, (page, whole), ["mini_resnet"], "shortcuts", None)
    alone = next(event for event in blocks.fns.values() if event.fn and event.fn.__name__ == "each_part")
    opened = {(tab._id, "select") for tab in (page, whole)}
    events = [event for event in blocks.fns.values() if opened <= set(event.targets)]
    (clear,) = [event.fn for event in events if event.fn and event.outputs == alone.outputs]
    mine, other = (SimpleNamespace(session_hash=name) for name in "ab")
    tables = [alone.fn("mini_resnet", 1, "", "mnist", each) for each in (mine, other)]
    assert all("<table" in next(table) for table in tables)
    ended = [gr.skip()]  # as gradio sends the last value once more
    assert clear(2, mine) == "" and list(tables[0]) == ended and "<table" in list(tables[1])[-1]
    older, oldest, newer = (alone.fn("mini_resnet", when, "", "mnist", mine) for when in (4, 3, 5))
    assert next(older) and not list(oldest) and next(newer) and list(older) == ended
    clear(3, mine)  # an older request that arrives late
    assert "<table" in list(newer)[-1]
    (leave,) = [event.fn for event in blocks.fns.values() if event.fn and event.fn.__name__ == "leave"]
    for opened, ends in (("Shortcuts", False), ("Learn", False), ("Compare", True), ("Averages", True)):
        table = alone.fn("mini_resnet", 6, "", "mnist", mine)
        next(table)
        leave(7, gr.EventData(None, {"value": opened}), mine)
        assert (list(table) == ended) is ends


def test_gradients_follow_the_ablation(hub):
    study, rows = ablation.Ablation(hub, ["mini_resnet"]), {}
    for off in ([], ["block1/shortcut"]):
        found = next(study.show("mini_resnet", off, "", "mnist", derivatives_html))[2]
        rows[bool(off)] = re.findall(r"<td>([^<]+)</td>", without_heads(found).split("block1")[1])[:3]
    assert "0" not in rows[False] and rows[True][1] == "0" and rows[True][0] == rows[True][2]


def test_sizes_of_weights_are_a_line_for_each_branch(hub):
    net = hub.get("mini_inception.mnist")
    history = [sizes(net.model.state_dict(), net.model)] * 3
    assert weights_html(net, history).count("<polyline") == 8 and "has no training snapshots" in weights_html(net, [])
