"""The recipes and their learning rates."""

import math

import pytest
import torch

from cnn_models import ARCHITECTURES, DATASETS, create_model
from cnn_models.checkpoints.folder import CheckpointError, read_weights
from training.init import initialise
from training.recipes import RECIPES, recipe_for

# network, data, learning rate, batch, epochs, initialisation, as the course texts state them
SOURCES = [
    ("lenet5.mnist", "source", 0.9, 256, 5, "default"),
    ("alexnet.fashion_mnist", "source", 0.1, 128, 10, "default"),
    ("alexnet.fashion_mnist", "source_xavier", 0.01, 128, 10, "xavier_uniform"),
    ("mini_inception.fashion_mnist", "source", 0.1, 128, 10, "default"),
    ("mini_resnet.fashion_mnist", "source", 0.1, 128, 10, "default"),
    ("mini_inception.mnist", "source", 0.01, 64, 10, "default"),
    ("mini_resnet.mnist", "source", 0.01, 64, 10, "default"),
    ("googlenet.fashion_mnist", "source", 0.01, 256, 10, "xavier_uniform"),
]


@pytest.mark.parametrize(("id", "name", "lr", "batch", "epochs", "init"), SOURCES)
def test_source_recipes_are_the_runs_of_the_texts(id, name, lr, batch, epochs, init):
    recipe = recipe_for(id, name)
    assert (recipe.lr, recipe.batch_size, recipe.epochs, recipe.init) == (lr, batch, epochs, init)
    assert (recipe.optimizer, recipe.schedule, recipe.weight_decay, recipe.average) == ("sgd", "constant", 0, 0)
    assert (recipe.mean, recipe.std, recipe.held_out) == (0.1307, 0.3081, 0)
    assert not any((recipe.degrees, recipe.shift, recipe.scale, recipe.shear, recipe.elastic, recipe.flip))
    assert recipe.learning_rate(0) == recipe.learning_rate(1) == lr


def test_there_is_a_best_recipe_for_everything_and_it_never_validates_on_the_test_set():
    assert RECIPES.keys() == {f"{a}.{d}" for a in ARCHITECTURES for d in DATASETS}
    assert all(recipes["best"].held_out > 0 for recipes in RECIPES.values())
    assert sum("source" in name for recipes in RECIPES.values() for name in recipes) == len(SOURCES)


def test_digits_are_never_mirrored():
    assert not any(r.flip for id, recipes in RECIPES.items() if id.endswith(".mnist") for r in recipes.values())


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing():
    recipe = recipe_for("lenet5.mnist", "best")
    rates = [recipe.learning_rate(step / 1000) for step in range(1000)]
    peak = max(range(1000), key=rates.__getitem__)
    assert math.isclose(rates[peak], recipe.lr, rel_tol=1e-6)
    assert rates[: peak + 1] == sorted(rates[: peak + 1]) and rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 0.01 * recipe.lr


@pytest.mark.parametrize(
    ("id", "name", "sentence"),
    [("lenet6.mnist", "best", "known are lenet5.mnist"), ("lenet5.fashion_mnist", "source", "exists for lenet5.mnist")],
)
def test_a_recipe_that_is_not_there_names_those_that_are(id, name, sentence):
    with pytest.raises(ValueError, match=sentence):
        recipe_for(id, name)


def test_other_epochs_change_the_size_at_the_same_share():
    recipe, spec = recipe_for("alexnet.mnist", "best"), ARCHITECTURES["alexnet"]
    for epochs in (1, 3, recipe.epochs, 2 * recipe.epochs):
        changed = recipe.filled(spec, DATASETS["mnist"], {"epochs": epochs})
        sizes = [changed.size_in(epoch) for epoch in range(epochs)]
        assert (
            sizes.count(recipe.small_size) == recipe.small_epochs * epochs // recipe.epochs
            and sizes[-1] == spec.input_size
        )
    assert recipe.filled(spec, DATASETS["mnist"], {}).small_epochs == recipe.small_epochs > 0


def test_impossible_changes_are_refused():
    for change in ({"epochs": 0}, {"batch_size": 0}, {"lr": 0.0}, {"lr": math.nan}):
        with pytest.raises(ValueError, match="must be positive"):
            recipe_for("lenet5.mnist", "best").filled(ARCHITECTURES["lenet5"], DATASETS["mnist"], change)


def test_he_starts_residual_blocks_as_the_identity():
    model = create_model("mini_resnet")
    initialise(model, "he")
    x = torch.rand(2, 16, 12, 12)
    assert torch.equal(model.block1(x), x)
    assert not model.conv1.bias.any() and model.conv1.weight.std() > 0


def test_fine_tuning_starts_from_the_weights_of_a_checkpoint_of_the_same_network(checkpoint):
    folder, model = checkpoint("lenet5.mnist"), create_model("lenet5")
    initialise(model, str(folder))
    weights, _ = read_weights(folder)
    assert all(torch.equal(tensor, weights[name]) for name, tensor in model.state_dict().items())
    with pytest.raises(ValueError, match=r"holds lenet5.mnist, which is another network"):
        initialise(create_model("mini_resnet"), str(folder))
    with pytest.raises(CheckpointError, match=r"config\.json"):
        initialise(model, str(folder.parent))


def test_initialisations_have_the_standard_deviation_of_their_papers():
    for name, fan in (("lecun", lambda m: 1 / m.in_features), ("he", lambda m: 2 / m.in_features)):
        model = create_model("mini_inception")
        initialise(model, name)
        assert model.output.weight.std().item() == pytest.approx(fan(model.output) ** 0.5, rel=0.05)
    initialise(model, "xavier_uniform")
    assert model.output.weight.abs().max() <= (6 / (1408 + 10)) ** 0.5
    with pytest.raises(ValueError, match="known are default"):
        initialise(model, "zeros")
