"""The saved states of a training: damaged ones are never resumed, and the state before them is not lost."""

import itertools
import json
import os
import re
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cnn_models import ARCHITECTURES
from training import saver, state
from training.data import LabelledImages
from training.learner import Learner, Setup
from training.loop import fit
from training.recipes import Recipe
from training.saved_run import Progress, SavedRun, differences

EXAMPLES = LabelledImages(torch.arange(8 * 784).view(8, 28, 28).to(torch.uint8), torch.arange(8))
RECIPE = Recipe(3, 4, 1e-3, average=0.9, held_out=0, size=28, mean=0.1, std=0.3)
SETUP = Setup("a", ARCHITECTURES["lenet5"].build, EXAMPLES, EXAMPLES, RECIPE, 0, torch.device("cpu"))


def stop_after(steps, path, resume=False):
    count = itertools.count(1)
    with pytest.raises(state.TrainingError, match="stopped in epoch"):
        fit(SETUP, path, resume=resume, stop=lambda: next(count) == steps)


def load(path):
    """A learner after loading a state, and the progress."""
    learner = Learner(SETUP)
    return learner, saver.Saver(path, SETUP, learner, lambda: False).load()


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The state after three of six steps, which is one epoch, and the one before."""
    path = tmp_path_factory.mktemp("saved") / "a.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saver, "SAVE_EVERY", -1)
        stop_after(3, path)
    return path


@pytest.fixture
def path(saved, tmp_path):
    for file in (saved, state.before(saved)):
        shutil.copyfile(file, tmp_path / file.name)
    return tmp_path / saved.name


def read(path):
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["run"]), load_file(path)


def with_progress(**changed):
    return lambda run, tensors: run["progress"].update(changed)


def with_row(**changed):
    return lambda run, tensors: run["progress"]["history"][0].update(changed)


def with_tensor(name, change):
    return lambda run, tensors: tensors.update({name: change(tensors[name]).contiguous()})


def without(name):
    return lambda run, tensors: tensors.pop(name)


DAMAGES = {
    "no bias": (without("model.c1.bias"), "missing or unknown tensors: model.c1.bias"),
    "no average": (without("average.module.c1.bias"), "missing or unknown tensors: average.module.c1.bias"),
    "no moments": (without("optimizer.0.exp_avg"), "missing or unknown tensors: optimizer.0.exp_avg"),
    "no snapshots": (without("snapshots.c1.bias"), "missing or unknown tensors: snapshots.c1.bias"),
    "one more": (lambda run, tensors: tensors.update(more=torch.ones(1)), "missing or unknown tensors: more"),
    "another shape": (with_tensor("model.c1.bias", lambda t: t[:-1]), r"model.c1.bias has shape \(5,\) instead"),
    "moments of another shape": (with_tensor("optimizer.0.exp_avg", lambda t: t[:1]), "exp_avg has shape"),
    "an epoch less": (with_tensor("snapshots.c1.bias", lambda t: t[:1]), "snapshots.c1.bias has shape"),
    "another type": (with_tensor("model.c1.bias", torch.Tensor.double), "model.c1.bias is torch.float64 instead"),
    "not finite": (with_tensor("model.c1.bias", lambda t: t / 0), "model.c1.bias is not finite"),
    "a negative step": (with_progress(step=-5), "step -5 is not one of its 6"),
    "no step": (with_progress(step=0), "step 0 is not"),
    "a step too far": (with_progress(step=7), "step 7 is not"),
    "half a step": (with_progress(step=2.5), "step 2.5 is not"),
    "a text": (with_progress(step="3"), "step '3' is not"),
    "a step of another epoch": (with_progress(step=4), "does not have 2 epochs"),
    "no history": (with_progress(history=[]), "does not have 1 epochs"),
    "another epoch": (with_row(epoch=2), "epoch 1 of its history has impossible numbers"),
    "a loss that is none": (with_row(val_loss=float("nan")), "epoch 1 of its history has impossible numbers"),
    "a column less": (lambda run, tensors: run["progress"]["history"][0].pop("lr"), "other fields"),
    "a sum that is none": (with_progress(loss=float("inf")), "a sum of its epoch"),
    "another field": (with_progress(best=1), "other fields"),
    "no progress": (lambda run, tensors: run.pop("progress"), "other fields"),
    "facts that are none": (lambda run, tensors: run.update(facts=[]), "no facts"),
}


def damage(path, change):
    run, tensors = read(path)
    change(run, tensors)
    save_file(tensors, path, {"run": json.dumps(run)})  # without a hash, as older ones


def overwrite(path):
    content = bytearray(path.read_bytes())
    content[-100:] = bytes(100)  # finite numbers, in a tensor
    path.write_bytes(content)


FILES = {
    "overwritten": (overwrite, "its hash is not the one recorded"),
    "empty": (lambda path: path.write_bytes(b""), "header"),
    "cut short": (lambda path: os.truncate(path, path.stat().st_size - 100), ""),
    "a page": (lambda path: path.write_text("<html>Please log in</html>"), ""),
    "no run": (lambda path: save_file({"a": torch.ones(1)}, path), "other fields"),
    "no JSON": (lambda path: save_file({"a": torch.ones(1)}, path, {"run": "{"}), ""),
    "deep": (lambda path: save_file({"a": torch.ones(1)}, path, {"run": "[" * 100_000}), "recursion"),
}
FILES |= {name: (partial(damage, change=change), why) for name, (change, why) in DAMAGES.items()}


@pytest.mark.parametrize("kind", FILES)
def test_after_a_damaged_state_the_one_before_is_used(kind, path, capsys):
    FILES[kind][0](path)
    before = load_file(state.before(path))
    learner, progress = load(path)
    assert progress.step == 2 and len(progress.history) == 1 and len(progress.snapshots["c1.bias"]) == 2
    assert all(torch.equal(tensor, before[f"model.{name}"]) for name, tensor in learner.model.state_dict().items())
    printed = capsys.readouterr().err
    assert f"{path} is damaged (" in printed and "; the state before it is used, step 2 of 6\n" in printed


@pytest.mark.parametrize("kind", FILES)
def test_without_a_whole_state_a_sentence_names_both(kind, path):
    change, why = FILES[kind]
    both = (path, state.before(path))
    for file in both:
        change(file)
    content = [file.read_bytes() for file in both]
    with pytest.raises(state.TrainingError) as found:
        load(path)
    first, second = (f"{file} is damaged (" for file in both)
    sentence = rf"{re.escape(first)}.*{why}.*\) and {re.escape(second)}.*\); remove what is damaged, then start"
    assert re.match(sentence, str(found.value), re.DOTALL)
    assert [file.read_bytes() for file in both] == content


def test_a_run_that_goes_on_from_the_state_before_ends_with_the_same_weights(path, tmp_path):
    damage(path, without("model.c1.bias"))
    ended, _ = fit(SETUP, path, resume=True)
    uninterrupted, _ = fit(SETUP, tmp_path / "b.safetensors")
    theirs = uninterrupted.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ended.state_dict().items())


def test_the_state_before_takes_the_place_of_the_damaged_one(path):
    """Otherwise the next state to be saved would replace the only whole one by the damaged one."""
    whole = state.before(path).read_bytes()
    overwrite(path)
    load(path)
    assert path.read_bytes() == whole and not state.before(path).exists()
    stop_after(1, path, resume=True)
    assert state.before(path).read_bytes() == whole and read(path)[0]["progress"]["step"] == 3


def test_a_folder_in_place_of_a_state_is_reported(path):
    path.unlink()
    path.mkdir()
    with pytest.raises(
        state.TrainingError, match=rf"{path} is damaged, and {state.before(path)} cannot take its place"
    ):
        fit(SETUP, path, resume=True)
    assert state.before(path).exists()


def test_older_states_have_no_hash(path, capsys):
    damage(path, lambda run, tensors: None)
    assert load(path)[1].step == 3 and not capsys.readouterr().err


def test_a_state_of_another_run_is_refused_by_the_fields_that_differ(path):
    longer = replace(SETUP, recipe=replace(RECIPE, epochs=5, lr=0.1), seed=1, train=EXAMPLES[:4])
    with pytest.raises(state.TrainingError) as found:
        fit(longer, path, resume=True)
    fields = "epochs 3 instead of 5, lr 0.001 instead of 0.1, seed 0 instead of 1, images 8 instead of 4"
    assert str(found.value).startswith(f"{path} is of another run: ")
    for field in fields.split(", "):
        assert field in str(found.value)
    assert str(found.value).count("instead of") == 4 and "; repeat that run" in str(found.value)


def test_fields_that_only_one_has_differ_too():
    assert differences({"recipe": {"a": 1}}, {"seed": 2, "recipe": {}}) == "seed None instead of 2, a 1 instead of None"
    assert differences({"recipe": {"teachers": []}}, {"recipe": {"teachers": ()}}) == ""


def linear(facts=None, epochs=4):
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(2)).sum().backward()
    optimizer.step()
    return SavedRun(facts or {}, epochs, 5, {"model": model}, optimizer)


def test_a_full_disk_leaves_the_last_complete_state(tmp_path, monkeypatch):
    run = linear()
    path = tmp_path / "state.safetensors"
    state.save_state(path, run, Progress(step=1))
    before = load_file(path)

    def full(tensors, target, metadata):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state, "save_file", full)
    with pytest.raises(state.TrainingError, match=r"No space left.*still there.*--resume"):
        state.save_state(path, run, Progress(step=2))
    after = load_file(path)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_first_state_that_cannot_be_saved_is_not_said_to_be_there(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(state.TrainingError, match=r"could not be saved to .*; nothing of it is saved"):
        state.save_state(tmp_path / "file" / "state.safetensors", linear(), Progress(step=1))


def test_two_states_are_kept_and_no_more(tmp_path):
    run = linear()
    path = tmp_path / "state.safetensors"
    for step in range(1, 5):
        state.save_state(path, run, Progress(step=step))
    assert len(list(tmp_path.iterdir())) == 2
    assert state.load_state(path, run).step == 4
    path.unlink()
    assert state.load_state(path, run).step == 3
    state.discard(path)
    assert not list(tmp_path.iterdir())


def test_without_a_state_there_is_nothing_to_resume(tmp_path):
    with pytest.raises(state.TrainingError, match=r"no unfinished training in .*; start it without --resume"):
        state.load_state(tmp_path / "state.safetensors", linear())
