"""Soft targets: the teachers' probabilities for the views that the student is trained on, computed once."""

import dataclasses

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

from cnn_models import ARCHITECTURES
from cnn_models.checkpoints.folder import CheckpointError
from cnn_models.images.preprocess import to_input
from training import distill
from training.data import LabelledImages
from training.init import initialise
from training.learner import Setup
from training.loop import fit, objective, prepare
from training.recipes import RECIPES, recipe_for
from training.state import TrainingError

CPU = torch.device("cpu")


@pytest.fixture
def recipe(tmp_path, monkeypatch, checkpoint):
    monkeypatch.setenv("CNN_WEIGHTS_DIR", str(tmp_path))
    recipe = dataclasses.replace(
        recipe_for("lenet5.mnist", "distilled"), teachers=("lenet5", "mini_resnet"), views=3, size=28, mean=0.1, std=0.3
    )
    for teacher in recipe.teachers:
        checkpoint(f"{teacher}.mnist", tmp_path)
    return recipe


@pytest.fixture
def examples():
    return LabelledImages(torch.randint(0, 256, (20, 28, 28), dtype=torch.uint8), torch.arange(20) % 10)


def test_soft_targets_are_the_teachers_mean_probabilities_for_the_students_views(recipe, examples, tmp_path):
    views, hashes = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, tmp_path / "answers.safetensors")
    assert list(hashes) == ["lenet5.mnist", "mini_resnet.mnist"] and len(views) == 60
    assert torch.equal(views.labels[20:40], examples.labels) and not torch.equal(views.images[:20], views.images[20:40])
    expected = 0
    for id in hashes:
        model, card = distill.load_model(tmp_path / id)
        expected += (model(to_input(views.images, 28, card.mean, card.std)) / recipe.temperature).softmax(1) / 2
    torch.testing.assert_close(views.soft_targets, expected)
    assert torch.equal(prepare(views.images, recipe, 28), to_input(views.images, 28, 0.1, 0.3)), "augmented once more"


def test_soft_targets_are_computed_once(recipe, examples, tmp_path, monkeypatch):
    cache = tmp_path / "kept" / "answers.safetensors"
    first, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    monkeypatch.setattr(distill, "to_input", None)
    again, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    assert torch.equal(first.soft_targets, again.soft_targets) and torch.equal(first.images, again.images)
    with pytest.raises(TypeError):  # other views have no cached soft targets
        distill.with_soft_targets("mnist", examples, recipe, 1, CPU, cache)


def test_stopped_soft_targets_resume_with_the_next_images(recipe, examples, tmp_path, monkeypatch):
    cache, shown = tmp_path / "answers.safetensors", []
    monkeypatch.setattr(distill, "BATCH", 10)
    whole, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, tmp_path / "whole.safetensors")

    def interrupted(images, *normalisation):
        shown.append(len(images))
        if len(shown) == 8:
            raise KeyboardInterrupt
        return to_input(images, *normalisation)

    monkeypatch.setattr(distill, "SAVE_EVERY", 0)
    monkeypatch.setattr(distill, "to_input", interrupted)
    with pytest.raises(KeyboardInterrupt):
        distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    again, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    assert torch.equal(whole.soft_targets, again.soft_targets) and sum(shown) == 2 * 60 + 2 * 10


DAMAGES = {
    "another form": lambda found: found[:, :9].contiguous(),
    "more than there are": lambda found: torch.cat([found, found]),
    "another type": torch.Tensor.half,
    "no numbers": lambda found: found * float("nan"),
    "no probabilities": lambda found: found + 1,
    "others": lambda found: found.flip(0).contiguous(),
}


@pytest.mark.parametrize("damage", [*DAMAGES, "nonsense", "nothing", "a tensor less"])
def test_damaged_soft_targets_are_computed_again(damage, recipe, examples, tmp_path, capsys):
    cache = tmp_path / "answers.safetensors"
    whole, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    tensors = load_file(cache)
    with safe_open(cache, framework="pt") as file:
        header = file.metadata()
    if damage in DAMAGES:
        save_file({"answers": DAMAGES[damage](tensors["answers"])}, cache, header)
    elif damage == "a tensor less":
        save_file({}, cache, header)
    else:
        cache.write_bytes(b"<html>" if damage == "nonsense" else b"")
    again, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    assert torch.equal(whole.soft_targets, again.soft_targets)
    assert torch.equal(whole.soft_targets, load_file(cache)["answers"]), "the damaged file stayed"
    assert f"{cache} is damaged" in capsys.readouterr().err


def test_soft_targets_of_before_there_was_a_hash_are_used(recipe, examples, tmp_path, monkeypatch):
    cache = tmp_path / "answers.safetensors"
    whole, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    with safe_open(cache, framework="pt") as file:
        header = file.metadata()
    save_file(load_file(cache), cache, {"asked": header["asked"]})
    monkeypatch.setattr(distill, "to_input", None)
    again, _ = distill.with_soft_targets("mnist", examples, recipe, 0, CPU, cache)
    assert torch.equal(whole.soft_targets, again.soft_targets)


def test_soft_targets_that_cannot_be_saved_are_reported(recipe, examples, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"could not be saved to .*; make room"):
        distill.with_soft_targets("mnist", examples, recipe, 0, CPU, tmp_path / "file" / "answers.safetensors")


def test_a_missing_teacher_is_named(recipe, examples, tmp_path):
    recipe = dataclasses.replace(recipe, teachers=("googlenet",))
    with pytest.raises(CheckpointError, match=r"no weights for googlenet.mnist in .* training.train googlenet"):
        distill.with_soft_targets("mnist", examples, recipe, 0, CPU, tmp_path / "answers.safetensors")


def test_a_student_with_the_probabilities_of_its_teacher_has_no_gradient():
    torch.manual_seed(0)
    logits = torch.randn(5, 10, requires_grad=True)
    soft_targets = (logits.detach() / 4).softmax(1)
    objective(logits, soft_targets, 4).backward()
    assert logits.grad.abs().max() < 1e-6
    other = torch.randn(5, 10, requires_grad=True)
    objective(other, soft_targets, 4).backward()
    assert logits.grad.abs().max() < 1e-3 * other.grad.abs().max()


def test_the_reported_loss_of_a_student_is_against_the_labels(recipe, examples, tmp_path):
    """As of every other network, and as on validation images; not 16 times that against the soft targets."""
    recipe = dataclasses.replace(recipe, epochs=1, batch_size=len(examples))
    views = dataclasses.replace(examples, soft_targets=torch.full((len(examples), 10), 0.1))
    build = ARCHITECTURES["lenet5"].build
    setup = Setup("lenet5.mnist", build, views, examples, recipe, 0, CPU)
    _, progress = fit(setup, tmp_path / "state.safetensors")
    torch.manual_seed(0)
    model = build()
    initialise(model, recipe.init)
    logits = model(prepare(examples.images, recipe, recipe.size))
    expected = F.cross_entropy(logits, examples.labels).item()
    assert progress.history[0]["train_loss"] == pytest.approx(expected, rel=1e-4)


def test_best_recipes_have_no_teacher_and_distilled_ones_do():
    for recipes in RECIPES.values():
        assert not recipes["best"].teachers
        assert all(recipe.teachers for name, recipe in recipes.items() if name == "distilled")
