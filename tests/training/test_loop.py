"""The training loop: files, kills, and that a resumed run ends with the weights of an uninterrupted one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from cnn_models import ARCHITECTURES, DATASETS
from cnn_models.checkpoints.folder import (
    EVALUATION,
    FILES,
    HISTORY_COLUMNS,
    SNAPSHOTS,
    load_model,
    read_card,
    read_history,
    read_snapshots,
    read_weights,
)
from cnn_models.checkpoints.runs import find_runs
from cnn_models.images.preprocess import to_input
from tests.conftest import ROOT
from tests.small_training import Training
from training import data, loop, saver, state
from training.init import initialise
from training.optimizers import OPTIMIZERS
from training.process_group import SingleProcess
from training.recipes import RECIPES, Recipe, recipe_for
from training.trainer import provenance, tracker

WAITING = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"}


def run(out, *options):
    return Training("mini_resnet.mnist", "--epochs=2", "--device=cpu", f"--out={out}", *options)


def finish(process):
    output = "".join(process.communicate(timeout=120))
    return process.returncode, output


def wait_for_files(process, *paths):
    """Return once a training has written all files, or has ended; fail after two minutes."""
    end = time.monotonic() + 120
    while process.poll() is None and not all(path.exists() for path in paths):
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, data_dir):
    out = tmp_path_factory.mktemp("uninterrupted")
    code, errors = finish(run(out))
    assert code == 0, errors
    assert f"measure it with `python -m training.evaluate mini_resnet.mnist --weights {out}`" in errors
    return out / "mini_resnet.mnist"


def without_timings(folder):
    timings = {"images_per_second", "seconds"}
    return [{k: v for k, v in row.items() if k not in timings} for row in read_history(folder)]


def test_a_training_writes_a_whole_checkpoint(uninterrupted):
    assert {path.name for path in uninterrupted.iterdir()} == set(FILES) - {EVALUATION} | {SNAPSHOTS}
    _, card = load_model(uninterrupted)
    rows = read_history(uninterrupted)
    assert [row["epoch"] for row in rows] == [1, 2]
    assert tuple(rows[0]) == HISTORY_COLUMNS
    assert card.metrics == {"val_loss": rows[-1]["val_loss"], "val_accuracy": rows[-1]["val_accuracy"]}
    assert card.recipe["changed"] == {"epochs": 2}
    assert card.command == "python -m training.train mini_resnet.mnist --recipe best --seed 0 --epochs 2"
    assert card.command in (uninterrupted / "README.md").read_text()
    left = [path.name for path in uninterrupted.parent.glob(".training/*")]
    assert left == ["mini_resnet.mnist.lock"], "the state of a finished training stayed"


def test_snapshots_go_from_the_initialisation_to_the_weights(uninterrupted):
    snapshots, (weights, card) = read_snapshots(uninterrupted), read_weights(uninterrupted)
    torch.manual_seed(0)
    fresh = ARCHITECTURES["mini_resnet"].build()
    initialise(fresh, card.recipe["init"])
    for name, tensor in fresh.state_dict().items():
        before, middle, after = snapshots[name]
        assert torch.equal(before, tensor.half()) and torch.equal(after, weights[name].half())
        assert not torch.equal(middle, before) and not torch.equal(middle, after)


def assert_same(folder, uninterrupted):
    assert without_timings(folder) == without_timings(uninterrupted)
    for tensors in (lambda folder: read_weights(folder)[0], read_snapshots):
        ours, theirs = tensors(folder), tensors(uninterrupted)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_training_killed_at_random_moments_ends_with_the_same_weights(tmp_path, uninterrupted):
    saved, folder = tmp_path / ".training" / "mini_resnet.mnist.safetensors", tmp_path / "mini_resnet.mnist"
    kills, moments = 0, random.Random(0)
    while kills < 3 and not folder.exists():
        process = run(tmp_path, *(["--resume"] if state.exists(saved) else []))
        started, written = time.monotonic(), saved.stat().st_mtime if saved.exists() else 0
        while process.poll() is None and not (saved.exists() and saved.stat().st_mtime > written):
            assert time.monotonic() < started + 120
            time.sleep(0.005)
        time.sleep(moments.uniform(0, 0.1))
        process.kill()
        finish(process)
        kills += not folder.exists()
    assert kills, "it was over before it was killed"
    if not folder.exists():  # a fast machine may have ended it between two kills
        code, errors = finish(run(tmp_path, "--resume"))
        assert code == 0, errors
    assert_same(folder, uninterrupted)


def test_after_a_damaged_state_the_one_before_is_resumed(tmp_path, uninterrupted):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run(tmp_path)
    wait_for_files(process, saved, state.before(saved))
    process.send_signal(signal.SIGINT)
    finish(process)
    saved.write_bytes(saved.read_bytes()[:-100])
    code, errors = finish(run(tmp_path, "--resume"))
    assert code == 0, errors
    assert_same(tmp_path / "mini_resnet.mnist", uninterrupted)


def test_a_stopped_training_ends_with_the_same_weights(tmp_path, uninterrupted):
    saved = tmp_path / ".training" / "mini_resnet.mnist.safetensors"
    process = run(tmp_path)
    wait_for_files(process, saved)
    time.sleep(0.03)  # a step or two of ten
    process.send_signal(signal.SIGINT)
    code, errors = finish(process)
    assert code != 0 and not (tmp_path / "mini_resnet.mnist").exists(), "it was over before it was stopped"
    assert state.GO_ON in errors and "Traceback" not in errors
    code, errors = finish(run(tmp_path))
    assert code == 1 and "--resume" in errors and saved.exists(), "an unfinished training was thrown away"
    code, errors = finish(run(tmp_path, "--resume"))
    assert code == 0, errors
    assert_same(tmp_path / "mini_resnet.mnist", uninterrupted)


def test_a_state_of_another_recipe_is_refused(tmp_path, data_dir):
    process = run(tmp_path)
    while not (tmp_path / ".training" / "mini_resnet.mnist.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    code, errors = finish(run(tmp_path, "--resume", "--seed=1"))
    assert code == 1 and "is of another run: seed 0 instead of 1; repeat" in errors and "Traceback" not in errors


def test_a_run_in_bfloat16_learns_and_its_card_records_it(tmp_path, data_dir, uninterrupted):
    code, errors = finish(run(tmp_path, "--precision=bfloat16"))
    assert code == 0, errors
    weights, card = read_weights(tmp_path / "mini_resnet.mnist")
    assert card.recipe["precision"] == "bfloat16" and "--precision bfloat16" in card.command
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    ours, theirs = (
        read_history(folder)[-1]["train_loss"] for folder in (tmp_path / "mini_resnet.mnist", uninterrupted)
    )
    assert ours != theirs and ours == pytest.approx(theirs, rel=0.05)


def test_a_fine_tuning_is_tracked_and_its_card_records_where_it_started(tmp_path, uninterrupted, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    options = ("--track", f"--init={uninterrupted}", "--epochs=2", "--device=cpu", f"--out={tmp_path}")
    command = [sys.executable, "-m", "tests.small_training", "mini_resnet.mnist", *options]  # trackio writes at exit
    subprocess.run(command, cwd=ROOT, check=True)
    first, card = read_card(uninterrupted), read_card(tmp_path / "mini_resnet.mnist")
    begun = {"command": first.command, "commit": first.commit, "weights_sha256": first.weights_sha256}
    assert card.recipe["started_from"] == begun and card.command.endswith("--init weights/mini_resnet.mnist")
    assert provenance(card)["started_from"] == begun, "the first training is lost"
    ended, began = read_weights(uninterrupted)[0], read_snapshots(tmp_path / "mini_resnet.mnist")
    assert all(torch.equal(began[name][0], ended[name].half()) for name in ended)
    query = ["get", "metric", "--project", "cnn-lineup", "--run", "mini_resnet.mnist", "--metric", "val_loss", "--json"]
    found = subprocess.run([sys.executable, "-m", "trackio.cli", *query], capture_output=True, text=True, check=True)
    values = [row["value"] for row in json.loads(found.stdout)["values"]]
    assert values == [row["val_loss"] for row in read_history(tmp_path / "mini_resnet.mnist")]


def test_tracking_without_trackio_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "trackio", None)
    with pytest.raises(state.TrainingError, match="pip install trackio"):
        tracker("lenet5.mnist", {})


def test_resume_without_a_state_is_refused(tmp_path, data_dir):
    code, errors = finish(run(tmp_path, "--resume"))
    assert code == 1 and "start it without --resume" in errors and "Traceback" not in errors


def test_a_learning_rate_too_high_is_reported(tmp_path, data_dir):
    code, errors = finish(run(tmp_path, "--lr=1e9"))
    assert code == 1 and "lower --lr" in errors and "Traceback" not in errors
    assert not (tmp_path / "mini_resnet.mnist").exists()


@pytest.mark.parametrize("id", RECIPES)
def test_every_network_takes_a_step_of_every_recipe(id):
    architecture, dataset = (table[part] for table, part in zip((ARCHITECTURES, DATASETS), id.split("."), strict=True))
    for name in RECIPES[id]:
        recipe = recipe_for(id, name).filled(architecture, dataset, {})
        assert {recipe.size_in(epoch) for epoch in range(recipe.epochs)} <= set(architecture.sizes)
        assert recipe.size_in(recipe.epochs - 1) == recipe.size, "the last epochs are not at the size of the card"
        recipe = replace(recipe, size=min(recipe.size, max(architecture.sizes.start, 32)))
        torch.manual_seed(0)
        x = loop.prepare(torch.randint(0, 256, (4, 28, 28), dtype=torch.uint8), recipe, recipe.size)
        assert x.shape == (4, 1, recipe.size, recipe.size) and x.isfinite().all()
        assert recipe.optimizer in OPTIMIZERS


def test_without_augmentation_training_has_the_input_of_the_page():
    examples = torch.randint(0, 256, (4, 28, 28), dtype=torch.uint8)
    recipe = Recipe(1, 1, 1, size=96, mean=0.3, std=0.4)
    assert torch.equal(loop.prepare(examples, recipe, recipe.size), to_input(examples, 96, 0.3, 0.4))


def test_seeds_and_processes_augment_differently_and_a_seed_reproducibly(monkeypatch, tmp_path):
    """The random numbers of each step; those of seed 0 are those of the bundled runs."""

    class Second(SingleProcess):
        rank = 1

    def randomness(seed, group):
        drawn = []
        monkeypatch.setattr(loop, "prepare", lambda images, *_: drawn.append(torch.rand(4)) or images[:, None].float())
        examples = data.LabelledImages(torch.zeros(8, 28, 28, dtype=torch.uint8), torch.arange(8))
        recipe = Recipe(1, 4, 1e-3, average=0, held_out=0, size=28, mean=0.1, std=0.3)
        build = ARCHITECTURES["lenet5"].build
        state = tmp_path / f"{seed}.{group.rank}"
        loop.fit(loop.Setup("a", build, examples, examples, recipe, seed, torch.device("cpu"), group), state)
        return torch.stack(drawn)

    first = randomness(0, SingleProcess())
    assert torch.equal(first, torch.stack([torch.rand(4, generator=torch.Generator().manual_seed(n)) for n in (0, 1)]))
    assert torch.equal(first, randomness(0, SingleProcess()))
    all = torch.cat([first, randomness(1, SingleProcess()), randomness(0, Second())])
    assert len(all.unique(dim=0)) == len(all)


@pytest.mark.parametrize(("saving", "expected"), [(10, [0, 0, 1, 1, 2, 2]), (0, [0] * 6)])
def test_each_epoch_is_saved_for_the_page_where_saving_costs_little(saving, expected, monkeypatch, tmp_path):
    monkeypatch.setattr(saver, "SAVING", saving)
    epochs = []

    def count_epochs():
        epochs.append(sum(len(run.history) for runs in find_runs(tmp_path).values() for run in runs))
        time.sleep(0.01)

    examples = data.LabelledImages(torch.zeros(8, 28, 28, dtype=torch.uint8), torch.arange(8))
    recipe = Recipe(3, 4, 1e-3, average=0, held_out=0, size=28, mean=0.1, std=0.3)
    state = tmp_path / ".training" / "lenet5.mnist.safetensors"
    build = ARCHITECTURES["lenet5"].build
    loop.fit(loop.Setup("a", build, examples, examples, recipe, 0, torch.device("cpu")), state, stop=count_epochs)
    assert epochs == expected


def waiting_policy(module, **environment):
    """The variables in `WAITING` at the moment when the module imports torch."""
    code = f"""
import os, sys
class Watch:
    def find_spec(self, name, *_):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT"), flush=True)
            os._exit(0)
sys.meta_path.insert(0, Watch())
import {module}"""
    environment |= {name: value for name, value in os.environ.items() if name not in WAITING}
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    return found.stdout.split() or found.stderr


@pytest.mark.parametrize("module", ["training.trainer", "training.evaluation", "training.study", "ui.tabs"])
def test_the_waiting_policy_of_threads_is_set_before_torch_is_imported(module):
    assert waiting_policy(module) == ["PASSIVE", "3000"]


def test_the_waiting_policy_of_the_user_is_kept():
    assert waiting_policy("cnn_models.network", OMP_WAIT_POLICY="ACTIVE") == ["ACTIVE", "None"]
