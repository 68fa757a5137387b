"""Snapshots of a training: refused as strictly as weights, fetched only when asked for, and replayed."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cnn_models import ModelHub, create_model
from cnn_models.checkpoints.folder import (
    CONFIG,
    HISTORY_COLUMNS,
    SNAPSHOTS,
    CheckpointError,
    load_model,
    read_snapshots,
    write_checkpoint,
)
from cnn_models.checkpoints.snapshots import replay
from cnn_models.datasets.test_sets import load_test_set
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.predict import predict
from tests.conftest import make_card
from training.evaluation import evaluate
from training.saved_run import Progress
from training.uploads import pack

ID, REMOTE = "lenet5.mnist", "someone/lenet5.mnist"


@pytest.fixture
def folder(tmp_path):
    """A checkpoint with two snapshots, the second of which are its weights; on the Hub, not in `weights/`."""
    progress = Progress(history=[dict.fromkeys(HISTORY_COLUMNS, 1)])
    for _ in range(2):
        progress.take(model := create_model("lenet5"))
    folder, state = tmp_path / "published" / ID, model.state_dict()
    card = dataclasses.replace(make_card(), metrics={"val_accuracy": 1.0, "val_loss": 1.0})
    write_checkpoint(folder, state, card, progress.history, "# LeNet\n", snapshots=progress.snapshots)
    return folder


def change(edit, name="c1.bias"):
    def damage(folder):
        tensors = load_file(folder / SNAPSHOTS)
        tensors[name] = edit(tensors.get(name, tensors["c1.bias"])).contiguous()
        save_file(tensors, folder / SNAPSHOTS, {"card": (folder / CONFIG).read_text()})

    return damage


def not_finite(tensor):
    return tensor.index_fill(1, torch.tensor(0), float("nan"))


REFUSED = {
    "gone": (lambda folder: (folder / SNAPSHOTS).unlink(), "is not the snapshots of lenet5.mnist"),
    "an epoch less": (change(lambda t: t[:1]), r"c1.bias has shape \(1, 6\) instead of \(2, 6\)"),
    "another tensor": (change(torch.clone, "c9.bias"), "unknown tensors: c9.bias"),
    "another type": (change(torch.Tensor.float), "c1.bias is torch.float32"),
    "not finite": (change(not_finite), "c1.bias is not finite"),
    "other numbers": (change(lambda t: t + 1), "its hash is not the one recorded"),
    "no card": (lambda f: save_file(load_file(f / SNAPSHOTS), f / SNAPSHOTS), "card in its header is not that of"),
}  # fmt: skip


@pytest.mark.parametrize("fault", REFUSED)
def test_damaged_snapshots_are_refused_and_the_network_is_not(fault, folder):
    damage, sentence = REFUSED[fault]
    damage(folder)
    with pytest.raises(CheckpointError, match=sentence):
        read_snapshots(folder)
    load_model(folder)


def test_a_hub_has_them_only_where_one_asks(folder, checkpoint, hub, fake_hub):
    commit = fake_hub.push(REMOTE, folder)
    hub.get(REMOTE)
    assert {path.name for path in hub.folder(REMOTE).iterdir()} == {path.name for path in folder.iterdir()} - {
        SNAPSHOTS
    }
    fetched, written = hub.snapshots(f"{REMOTE}@{commit}"), read_snapshots(folder)
    assert fetched.keys() == written.keys() and all(torch.equal(fetched[name], written[name]) for name in written)
    checkpoint("mini_resnet.mnist")
    assert hub.snapshots("mini_resnet.mnist") is None
    assert ModelHub(folder.parent).snapshots(ID).keys() == written.keys()


def test_the_last_replayed_answer_is_the_networks_own(folder):
    model, card = load_model(folder)
    image = load_test_set("mnist")[0][0]
    found = replay(read_snapshots(folder), card, image)
    answer = predict(LoadedModel(model, card, torch.device("cpu"), ID, ""), image)
    assert found.shape == (2, 10)
    np.testing.assert_allclose(found[-1], list(answer.probabilities.values()), atol=1e-3)
    assert not torch.allclose(found[0], found[-1], atol=1e-3)


def test_they_survive_an_evaluation_and_are_published(folder, data_dir):
    before = (folder / SNAPSHOTS).read_bytes()
    card, _ = evaluate(folder, torch.device("cpu"))
    assert "test_accuracy" in card.metrics and len((folder / SNAPSHOTS).read_bytes()) > len(before)
    assert read_snapshots(folder).keys() == create_model("lenet5").state_dict().keys()
    assert pack(folder, "someone").files[SNAPSHOTS] == folder / SNAPSHOTS
    assert SNAPSHOTS in (folder / "README.md").read_text()
