"""The study of depth on the Learn tab, without a browser."""

import json
import re

import gradio as gr
import pytest
import torch

from tests.ui.tables import without_heads
from training.deep_net import DeepNet, gradient_norms
from ui.learn.depth import FILE, depth_html, depth_page


def test_the_depth_study_is_drawn(tmp_path):
    runs = []
    for shortcuts in (False, True):
        model, x = DeepNet(8, shortcuts, norm=False), torch.rand(4, 1, 28, 28)
        row = {"train_loss": 0.5, "train_accuracy": 50.0, "val_accuracy": 40.0}
        history = [row | {"epoch": epoch} for epoch in (1.0, 2.0, 3.0)]
        gradients = gradient_norms(model, x, torch.arange(4))
        runs.append({"depth": 8, "shortcuts": shortcuts, "batch_norm": False, "history": history,
                     "gradients": {"start": gradients, "end": gradients}})  # fmt: skip
    path = write_study(tmp_path, runs)
    html = without_heads(depth_html(path, False, "end")[0])
    assert html.count("<polyline") == 3 * 2 and "8 layers," in html and "<p>Fashion-MNIST<" in html
    assert html.count("<path") == 2 * 2 * 3 and "8: F(x): 50.00 %" in html, "a dot for every epoch"
    assert "trained on all 60,000" in html and "; today." in html and "2 of 8 networks so far" in html
    gradients = html.split("<polyline")[5]
    assert len(re.search(r"""points=["']([^"']+)""", gradients)[1].split()) == 8
    figures = [">8<", ">no<", ">no<", "<td>0.500</td>", "<td>50.00 %</td>", "<td>40.00 %</td>"]
    assert all(figure in html.split("<tbody>")[1].split("</tr>")[0] for figure in figures)
    assert html.split("<tbody>")[1] == without_heads(depth_html(path, True, "start")[0]).split("<tbody>")[1], (
        "of all networks"
    )


def test_a_study_of_two_epochs_has_bars_and_no_curves(tmp_path):
    rows = [{"epoch": e, "train_loss": 0.5, "train_accuracy": 50.0 + e, "val_accuracy": 40.0} for e in (1.0, 2.0)]
    run = {"depth": 20, "shortcuts": True, "batch_norm": True, "history": rows, "gradients": {"start": [1.0, 2.0]}}
    html, _ = depth_html(write_study(tmp_path, [run]), True, "start")
    assert html.count("<polyline") == 1 and "width:52.00%" in html and "52.00 %" in html


def test_the_findings_of_the_depth_study_are_stated(tmp_path):
    runs = [
        {"depth": depth, "shortcuts": shortcuts, "batch_norm": True,
         "gradients": {"start": [8.0, 9.0, 1.0 + shortcuts, 5.0], "end": [1.0]},
         "history": [{"epoch": 1.0, "train_loss": 0.5, "train_accuracy": accuracy, "val_accuracy": 40.0}]}
        for depth, shortcuts, accuracy in ((20, False, 88.5), (56, False, 69.25), (20, True, 90.0), (56, True, 91.0))
    ]  # fmt: skip
    _, found = depth_html(write_study(tmp_path, runs), True, "start")
    assert "From 20 to 56 layers, with batch norm" in found and "by −19.25 percentage points without" in found
    assert "by +1.00 with" in found
    assert "the first layer is 8 times that of the last convolution without shortcuts, and 4 times with" in found
    assert "The chain rule" not in depth_html(write_study(tmp_path, runs), True, "end")[1]
    _, part = depth_html(write_study(tmp_path, runs[:3]), True, "start")
    assert "From 20" not in part and "The chain rule" not in part and "Nothing is measured" in part


def write_study(folder, runs):
    path = folder / FILE
    facts = {"dataset": "fashion_mnist", "recipe": {"epochs": 2}, "split": "trained on all 60,000", "date": "today"}
    path.write_text(json.dumps(facts | {"runs": runs}))
    return path


def test_a_study_with_zero_and_infinite_gradients_is_drawn(tmp_path):
    """Also of a network that diverged."""
    row = {"epoch": 1.0, "train_loss": 2.3, "train_accuracy": 10.0, "val_accuracy": 10.0}
    gradients = {"start": [0.0, 1.0, float("nan"), float("inf")], "end": []}
    run = {"depth": 56, "shortcuts": False, "batch_norm": False, "history": [row], "gradients": gradients}
    html, _ = depth_html(write_study(tmp_path, [run | {"diverged": True}]), False, "start")
    assert "exactly zero in 1 of 4 layers" in html and "is not finite in 2 of 4 layers" in html
    assert not re.search(r"""points=["'][^"']*(nan|inf)""", html) and "diverged in epoch 2" in html
    html, _ = depth_html(write_study(tmp_path, [run | {"diverged": True, "history": []}]), False, "end")
    assert "diverged in epoch 1" in html and "<td>–" in without_heads(html)


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
def test_a_damaged_study_gives_a_sentence(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert "is damaged" in depth_html(tmp_path / FILE, False, "start")[0]


def test_a_new_study_is_shown_when_the_page_is_opened_again(tmp_path):
    with gr.Blocks() as blocks, gr.Tabs(), gr.Tab("Learn") as whole, gr.Tabs(), gr.Tab("Shortcuts") as page:
        depth_page(tmp_path, (page, whole), gr.HTML())
    (event,) = blocks.fns.values()
    assert {(page._id, "select"), (whole._id, "select")} <= set(event.targets)
    assert "not been run" in event.fn(False, "start")[0]
    write_study(tmp_path, [])
    assert "0 of 8" in event.fn(False, "start")[0]
