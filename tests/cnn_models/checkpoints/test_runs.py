"""Runs found below a folder, and their curves made smooth and put together."""

import json
import os
import re
import shutil
import time

import pytest
import torch
from safetensors.torch import save_file

from cnn_models.analysis.attacks import ATTACKS
from cnn_models.analysis.projection import path_of
from cnn_models.analysis.similarity_results import SIMILARITY
from cnn_models.checkpoints.folder import CONFIG, WEIGHTS
from cnn_models.checkpoints.reported import QUOTED
from cnn_models.checkpoints.runs import SILENT, band, find_runs, smooth, versions
from tests.conftest import save_unfinished
from training.recipes import RECIPES
from ui.training.names import label

ROW = {
    "epoch": 1, "lr": 0.1, "train_loss": 1, "train_accuracy": 60, "val_loss": 1, "val_accuracy": 70,
    "images_per_second": 100, "seconds": 30,
}  # fmt: skip


def text(html):
    return re.sub("<[^>]+>", "", html)


def test_checkpoints_other_seeds_and_trainings_under_way_are_runs(checkpoint, tmp_path):
    weights = tmp_path / "weights"
    checkpoint("lenet5.mnist")
    for name in ("a", "b"):
        checkpoint("mini_resnet.mnist", weights / "runs" / name)
        (weights / "runs" / name / "mini_resnet.mnist" / WEIGHTS).unlink()
    history = [ROW, ROW | {"epoch": 2, "seconds": 60}]
    state = weights / ".training" / "googlenet.fashion_mnist.safetensors"
    save_unfinished(state, history, seed=3)
    found = find_runs(weights)
    assert list(found) == ["lenet5.mnist test 0", "mini_resnet.mnist test 0", "googlenet.fashion_mnist training"]
    assert [len(runs) for runs in found.values()] == [1, 2, 1]
    (running,) = found["googlenet.fashion_mnist training"]
    assert (running.seed, running.card, running.minutes()) == (3, None, [0.5, 1.5])
    assert running.history[1]["epoch"] == 2 and not running.stopped


def test_a_training_that_no_longer_saves_has_stopped(tmp_path):
    state = tmp_path / ".training" / "lenet5.mnist.safetensors"
    save_unfinished(state, [ROW], seed=3)
    os.utime(state, (time.time() - SILENT - 1,) * 2)
    ((run,),) = find_runs(tmp_path).values()
    assert run.stopped and run.card is None and text(label([run])) == "LeNet-5 · stopped"


def test_a_training_that_is_to_replace_a_checkpoint_is_a_run_beside_it(checkpoint, tmp_path):
    checkpoint("lenet5.mnist")
    state = tmp_path / "weights" / ".training" / "lenet5.mnist.safetensors"
    save_unfinished(state, [ROW], seed=3)
    found = find_runs(tmp_path / "weights")
    assert list(found) == ["lenet5.mnist test 0", "lenet5.mnist training"]
    assert [run.card is None for runs in found.values() for run in runs] == [False, True]


def test_what_is_damaged_is_left_out(checkpoint, tmp_path):
    weights = tmp_path / "weights"
    assert find_runs(weights) == {}
    folder = checkpoint("lenet5.mnist")
    shutil.copytree(folder, weights / "runs" / "a" / "lenet5.mnist")
    (folder / "history.csv").write_text("epoch\n1\n")
    (weights / ".training").mkdir()
    (weights / ".training" / "alexnet.mnist.safetensors").write_bytes(b"nonsense")
    for number, run in enumerate((None, [], {"facts": []}, {"facts": {"seed": 1e999}}, {"facts": {"seed": 0}})):
        header = {"progress": {"history": [ROW | {"lr": float("nan")}]}} | run if isinstance(run, dict) else run
        state = weights / "runs" / str(number) / ".training" / "lenet5.mnist.safetensors"
        state.parent.mkdir(parents=True)
        save_file({"a": torch.ones(1)}, state, {"run": json.dumps(header)})
    assert [len(runs) for runs in find_runs(weights).values()] == [1]
    card = json.loads((folder / "config.json").read_text())
    (weights / "runs" / "a" / "lenet5.mnist" / "config.json").write_text(json.dumps(card | {"architecture": "vgg"}))
    assert find_runs(weights) == {}


def test_cards_and_measurements_have_versions(checkpoint, tmp_path):
    weights = checkpoint("lenet5.mnist").parent
    checkpoint("lenet5.mnist", weights / "runs" / "a")
    measured = [weights / ATTACKS, weights / SIMILARITY, path_of(weights, "lenet5.mnist")]
    measured[-1].parent.mkdir()
    for path in [*weights.rglob(CONFIG), *measured]:
        before = versions(weights)
        path.touch()
        os.utime(path, (1, 1))
        assert versions(weights) == before | {str(path): 10**9}
    before = versions(weights)
    save_unfinished(weights / ".training" / "lenet5.mnist.safetensors", [ROW], seed=0)
    assert versions(weights) == before, "the state of a training, which is saved every two minutes"


def test_smoothing_is_a_weighted_mean_of_what_came_before():
    values = [1.0, 2.0, 4.0]
    assert smooth(values, 0) == values
    assert smooth([3.0] * 5, 0.9) == pytest.approx([3.0] * 5)
    assert smooth(values, 0.5) == pytest.approx([1, (0.5 * 1 + 2) / 1.5, (0.25 * 1 + 0.5 * 2 + 4) / 1.75])


def test_a_band_goes_as_far_as_all_curves():
    assert band([[1, 2, 3], [3, 6]]) == [(2, 1, 3), (4, 2, 6)]


@pytest.mark.parametrize("id", QUOTED)
def test_quoted_figures_are_of_the_runs_that_the_recipe_source_repeats(id):
    recipe, quoted = RECIPES[id]["source"], QUOTED[id]
    assert 80 < quoted.accuracy < 100 and quoted[1:] == (recipe.lr, recipe.batch_size, recipe.epochs)
    assert (recipe.optimizer, recipe.held_out) == ("sgd", 0)


def train(folder, seed=0, **recipe):
    """A training of lenet5.mnist that is under way there, by a recipe."""
    save_unfinished(folder / ".training" / "lenet5.mnist.safetensors", [ROW], seed=seed, recipe=recipe)


def test_only_runs_that_differ_in_their_seed_alone_are_one_group(checkpoint, tmp_path):
    """Nor are those by a recipe that has become longer meanwhile."""
    weights, other = tmp_path / "weights", {"lr": 0.01, "precision": "bfloat16"}
    for place, seed, epochs, changed in (("a", 0, 40, {}), ("b", 1, 40, {}), ("c", 0, 60, {}), ("d", 0, 60, other)):
        path = checkpoint("lenet5.mnist", weights / "runs" / place) / CONFIG
        card = json.loads(path.read_text())
        card["recipe"] |= {"changed": changed, "epochs": epochs}
        path.write_text(json.dumps(card | {"seed": seed}))
    for place, seed, rate in (("e", 0, 0.1), ("f", 1, 0.1), ("g", 0, 0.2)):
        train(weights / "runs" / place, seed, epochs=5, lr=rate)
    assert [text(label(runs)) for runs in find_runs(weights).values()] == [
        "LeNet-5 · test, 40 epochs, 2 runs",
        "LeNet-5 · test, 60 epochs",
        "LeNet-5 · test, 60 epochs, lr 0.01, bfloat16",
        "LeNet-5 · under way, 5 epochs, lr 0.1, 2 runs",
        "LeNet-5 · under way, 5 epochs, lr 0.2",
    ]
