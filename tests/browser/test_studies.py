"""Training snapshots and the depth study in Chromium: the app serves a folder that the tests write."""

import dataclasses
import json

import pytest
import torch
from playwright.sync_api import expect

from cnn_models import ModelHub, create_model
from cnn_models.checkpoints.folder import HISTORY_COLUMNS, write_checkpoint
from cnn_models.checkpoints.snapshots import replay
from cnn_models.images.decode import decode
from tests.conftest import make_card, served
from training.saved_run import Progress
from ui.common.numbers import percent
from ui.common.texts import say
from ui.learn.depth import FILE

ID = "lenet5.mnist"


@pytest.fixture
def weights(tmp_path):
    """LeNet-5 before and after a training that made it overconfident, and a depth study."""
    torch.manual_seed(0)
    progress, model = Progress(history=[dict.fromkeys(HISTORY_COLUMNS, 1)]), create_model("lenet5")
    progress.take(model)
    with torch.no_grad():
        model.output.weight.mul_(400)
    progress.take(model)
    card = dataclasses.replace(make_card(), metrics={"val_accuracy": 1.0, "val_loss": 1.0})
    write_checkpoint(tmp_path / ID, model.state_dict(), card, progress.history, "#", snapshots=progress.snapshots)
    row = {"epoch": 1.0, "train_loss": 1.0, "train_accuracy": 50.0, "val_accuracy": 40.0}
    runs = [
        {"depth": depth, "shortcuts": True, "batch_norm": norm, "history": [row],
         "gradients": {"start": [1.0] * depth, "end": [0.0, *[1.0] * (depth - 1)]}}
        for depth, norm in ((20, False), (56, True))
    ]  # fmt: skip
    facts = {"dataset": "fashion_mnist", "recipe": {"epochs": 1}, "split": "trained on all 60,000", "date": "today"}
    (tmp_path / FILE).write_text(json.dumps(facts | {"runs": runs}))
    return tmp_path


@pytest.fixture
def url(weights):
    with served("--weights", str(weights)) as address:
        yield address


def test_predictions_over_the_epochs_and_the_depth_study_follow_their_controls(page, weights):
    page.locator("#samples .samples:not([hidden]) button").nth(4).click()
    expect(page.locator("#verdict")).to_contain_text("LeNet-5 reads")
    page.get_by_role("tab", name="Training").click()
    page.get_by_role("tab", name=say("en", "training.tab.epochs"), exact=True).click()
    replayed = page.locator("#epochs")
    expect(replayed).to_contain_text("your drawing")
    hub = ModelHub(weights, device="cpu")
    epochs = replay(hub.snapshots(ID), hub.card(ID), decode("ui/common/samples/mnist.4.png"))
    assert {percent(p) for p in epochs[1].tolist()} & {"<0.01", ">99.99"}, "probabilities at which rounding matters"
    cursor = replayed.locator(".chart-cursor").first
    end, shares = cursor.get_attribute("x1"), replayed.locator("td:last-child")
    for epoch in (0, 1):  # the slider stands at the last at first
        replayed.locator("input").fill(str(epoch))
        expect(replayed.locator("output")).to_contain_text(f"Epoch {epoch} of 1")
        assert shares.all_inner_texts() == [percent(p) for p in epochs[epoch].tolist()]
        assert (cursor.get_attribute("x1") == end) == (epoch == 1)

    page.get_by_role("tab", name="Learn", exact=True).click()
    page.get_by_role("tab", name=say("en", "learn.shortcuts"), exact=True).click()
    depth = page.locator("#depth-shown")
    expect(depth.locator(".chart-legend")).to_contain_text("56 layers")
    expect(depth).not_to_contain_text("exactly zero")
    page.locator("#depth-when").get_by_text(say("en", "depth.end")).click()
    expect(depth).to_contain_text("exactly zero in 1 of 56 layers")
    page.locator("#depth-norm").get_by_text(say("en", "depth.no_norm")).click()
    expect(depth).to_contain_text("exactly zero in 1 of 20 layers")
    expect(depth.locator(".chart-legend")).not_to_contain_text("56 layers")
