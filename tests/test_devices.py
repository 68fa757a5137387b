"""Training, evaluation and every analysis on CUDA and MPS, as far as a machine without them shows it.

Each result is that of the CPU; a tensor that is left on the CPU is an error (`tests.fake_device`). Not here: compiled
networks and process groups of GPUs, which `tests.benchmarks.device` runs on a real device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from cnn_models import ARCHITECTURES, DATASETS, ModelHub, compare, create_model
from cnn_models.analysis.ablation import derivatives, parts, without
from cnn_models.analysis.attribution import explain
from cnn_models.analysis.robustness import corrupted, measure_robustness
from cnn_models.analysis.tta import multi_crop
from cnn_models.datasets.test_sets import load_test_set, measure_part
from cnn_models.hub.model_hub import LoadedModel
from cnn_models.layers import architecture_layers, milliseconds
from cnn_models.layers.channels import activations, channels, dead_channels, filters
from cnn_models.predict import predict
from cnn_models.runtime import best_device, place
from tests.conftest import ROOT, make_card
from tests.fake_device import FakeDevice, fake_device, is_on_device
from training import clusters, distill, ensembles, evaluation, loop, study
from training.data import LabelledImages
from training.learner import Learner, Setup
from training.process_group import join
from training.recipes import DEPTH_STUDY, RECIPES, Recipe, recipe_for
from training.state import TrainingError

CPU = torch.device("cpu")


@pytest.fixture(params=["cuda", "mps"])
def gpu(request) -> Iterator[FakeDevice]:
    with fake_device(request.param) as gpu:
        yield gpu


def numbers(result: Any) -> np.ndarray:
    """The numbers in nested dictionaries, sequences and arrays, in order."""
    leaves = [each for each in tree_leaves(result) if not isinstance(each, str)]
    return np.hstack([[], *(np.ravel(np.float64(each)) for each in leaves)])


def assert_same(found: Any, expected: Any) -> None:
    """The same numbers, up to rounding by threads that add in another order."""
    np.testing.assert_allclose(numbers(found), numbers(expected), rtol=1e-3, atol=1e-6)


def some(dataset: str, count: int, device: torch.device = CPU) -> LabelledImages:
    """Test images with their labels."""
    images, labels = load_test_set(dataset)
    return LabelledImages(torch.tensor(images[:count]).to(device), torch.tensor(labels[:count]).long().to(device))


def setup(
    id: str, recipe: Recipe, device: torch.device, count: int, build: Callable[[], nn.Module] | None = None
) -> Setup:
    """A training of the recipe on `count` images of the id's data set, by default of the id's network."""
    architecture, dataset = id.split(".")
    train = some(dataset, count, device)
    if recipe.teachers:
        train = replace(train, soft_targets=torch.full((count, 10), 0.1, device=device))
    return Setup(id, build or ARCHITECTURES[architecture].build, train, train, recipe, 0, device)


def filled(id: str, name: str, **changed) -> Recipe:
    architecture, dataset = id.split(".")
    return recipe_for(id, name).filled(ARCHITECTURES[architecture], DATASETS[dataset], changed)


def first_and_last_step(training: Setup) -> tuple[Tensor, Learner]:
    """The loss and the correct predictions of each, and the network; in the first, images may be smaller."""
    learner = Learner(training)
    batch = torch.arange(len(training.train), device=training.device)
    steps = [loop.train_step(training, learner, step, batch) for step in (0, training.steps - 1)]
    return torch.stack(steps), learner


def any_size() -> nn.Module:
    """A network of images of any size."""
    return nn.Sequential(nn.Conv2d(1, 8, 5, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(8, 10))


@pytest.mark.parametrize(("id", "name"), [(id, name) for id, recipes in RECIPES.items() for name in recipes])
def test_every_recipe_trains_on_a_device_as_on_the_cpu(gpu, id, name):
    recipe = filled(id, name, batch_size=20)
    recipe = replace(recipe, cutmix=float(recipe.cutmix > 0))  # every batch, or none
    losses, learner = first_and_last_step(setup(id, recipe, gpu.device, 20, any_size))
    expected, _ = first_and_last_step(setup(id, recipe, CPU, 20, any_size))
    assert_same(losses.cpu(), expected)
    assert all(is_on_device(each) for module in learner.modules.values() for each in module.parameters())


@cache
def trained_on_cpu(id: str) -> Tensor:
    return first_and_last_step(setup(id, filled(id, "best"), CPU, 2))[0]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_network_trains_on_a_device_as_on_the_cpu(gpu, name):
    id = f"{name}.mnist"
    losses, _ = first_and_last_step(setup(id, filled(id, "best"), gpu.device, 2))
    assert_same(losses.cpu(), trained_on_cpu(id))


@pytest.mark.parametrize("name", ["best", "source", "fast"])  # AdamW, SGD, Muon
def test_a_training_resumed_on_a_device_ends_as_on_the_cpu(gpu, name, tmp_path):
    def training(device: torch.device) -> Setup:
        return setup("lenet5.mnist", filled("lenet5.mnist", name, epochs=2, batch_size=20), device, 50)

    calls = []
    with pytest.raises(TrainingError, match="stopped in epoch 2 of 2"):
        loop.fit(training(gpu.device), tmp_path / "run", stop=lambda: bool(calls.append(0) or len(calls) == 5))
    model, progress = loop.fit(training(gpu.device), tmp_path / "run", resume=True)
    expected, whole = loop.fit(training(CPU), tmp_path / "whole")
    assert all(is_on_device(each) for each in model.parameters())
    assert_same({name: each.cpu() for name, each in model.state_dict().items()}, expected.state_dict())
    assert_same([progress.snapshots[name] for name in whole.snapshots], list(whole.snapshots.values()))
    assert_same([row["val_loss"] for row in progress.history], [row["val_loss"] for row in whole.history])


def test_soft_targets_of_a_device_are_those_of_the_cpu(gpu, tmp_path):
    def soft_targets(device: torch.device) -> Tensor:
        images, recipe = some("mnist", 4, device), filled("lenet5.mnist", "distilled")
        compute = partial(distill.with_soft_targets, "mnist", images, recipe, 0, device, tmp_path / device.type)
        compute()
        found, _ = compute()  # reads those of the first
        assert found.images.device == found.soft_targets.device == device
        return found.soft_targets.cpu()

    assert_same(soft_targets(gpu.device), soft_targets(CPU))


def test_drawings_join_the_images_on_a_device(gpu):
    drawings = some("mnist", 3)
    joined = some("mnist", 2, gpu.device).joined(drawings.images.numpy(), drawings.labels.numpy())
    assert len(joined) == 5
    assert joined.images.device == joined.labels.device == gpu.device


def test_the_depth_study_runs_on_a_device_as_on_the_cpu(gpu, tmp_path):
    def studied(device: torch.device) -> dict:
        data = some("fashion_mnist", 20, device)
        recipe = replace(DEPTH_STUDY, epochs=1, batch_size=10, size=28, mean=0.3, std=0.3)
        found = study.study(8, True, True, recipe, (data, data), tmp_path / device.type, lambda: False)
        return found | {"history": found["history"][0]["val_loss"]}

    assert_same(studied(gpu.device), studied(CPU))


def small_network(name: str, device: torch.device) -> LoadedModel:
    """A network with random weights, of the smallest images that it allows."""
    torch.manual_seed(0)
    dataset = "fashion_mnist" if name == "lenet5" else "mnist"  # with mirrored crops, and without
    card = replace(make_card(name, dataset), input_size=min(ARCHITECTURES[name].sizes), recipe={"held_out": 20})
    return LoadedModel(place(create_model(name).eval(), device), card, device, card.id, "tests")


def analyses(net: LoadedModel) -> dict[str, Any]:
    """The result of every analysis of a network for a test image."""
    card, image = net.card, load_test_set(net.card.dataset)[0][0]
    layers = architecture_layers(card.architecture, card.input_size)
    outputs = activations(net.model, card, image, card.input_size)
    found = {
        "prediction": predict(net, image).probabilities,
        "crops": multi_crop(net, image).probabilities,
        "robustness": measure_robustness(net, corrupted(image)),
        "saliency": explain(net, image, card.classes[0]),
        "test images": asdict(measure_part(net.model, card, slice(20))),
        "activations": [each.cpu().numpy() for each in outputs],
        "channels": [channels(each) for each in outputs],
        "filters": [filters(net.model, each) for each in layers.steps() if each.index is not None],
        "dead channels": dead_channels(net.model, card, layers),
        "derivatives": derivatives(net, image, 0) if card.architecture == "mini_resnet" else 0,
    }
    for part in parts(net.model)[:4]:  # of the first block
        found[part] = predict(replace(net, model=without(net.model, [part])), image).probabilities
    return found


@cache
def analyses_on_cpu(name: str) -> dict[str, Any]:
    return analyses(small_network(name, CPU))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_analysis_on_a_device_has_the_result_of_the_cpu(gpu, name):
    for analysis, found in analyses(small_network(name, gpu.device)).items():
        assert_same(found, analyses_on_cpu(name)[analysis])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_evaluation_on_a_device_has_the_result_of_the_cpu(gpu, name, monkeypatch):
    monkeypatch.setattr(evaluation, "load", lambda dataset, train: some(dataset, 40))
    monkeypatch.setattr(evaluation, "ood_data", lambda dataset: {"flipped": some(dataset, 5).images.flip(1)})

    def examined(device: torch.device) -> tuple:
        net = small_network(name, device)
        card, found, probabilities = evaluation.examine(net.model, net.card, device)
        return card.metrics, card.temperature, card.energy_threshold, asdict(found), probabilities

    assert_same(examined(gpu.device), examined(CPU))


@cache
def compared(dataset: str, device: torch.device) -> tuple:
    """The probabilities by all networks for a test image, and its warning, and that of the image turned."""
    hub, image = ModelHub(ROOT / "weights", device=device), load_test_set(dataset)[0][0]
    upright, turned = compare(image, dataset, hub=hub), compare(np.rot90(image), dataset, ["mini_resnet"], hub)
    assert hub.get(f"lenet5.{dataset}").device == device
    return [each.probabilities for each in upright.models], upright.verdict.warning, turned.verdict.warning


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_comparison_on_a_device_has_the_result_of_the_cpu(gpu, dataset):
    found, expected = compared(dataset, gpu.device), compared(dataset, CPU)
    assert_same(found, expected)
    assert found[1:] == expected[1:]


def test_centroids_fitted_on_a_device_are_those_of_the_cpu(gpu, monkeypatch):
    monkeypatch.setattr(clusters, "PIXEL_CENTROIDS", 2)
    monkeypatch.setattr(clusters, "FEATURE_CENTROIDS", 2)
    images = some("mnist", 100)
    networks = [small_network("mini_resnet", device) for device in (gpu.device, CPU)]
    assert_same(*(clusters.fit_centroids(net, images, images) for net in networks))


def test_ensembles_and_crops_on_a_device_have_the_result_of_the_cpu(gpu, tmp_path, monkeypatch):
    monkeypatch.setattr(ensembles, "load", lambda dataset, train: some(dataset, 40))
    monkeypatch.setattr(ensembles, "initial_count", lambda card: 1)
    monkeypatch.setattr(ensembles, "COUNT", 2)
    # In place of the fit, which 40 images do not bound.
    monkeypatch.setattr(ensembles, "fit_factors", lambda logits, labels: logits.std((1, 2)))

    def measured(device: torch.device) -> dict:
        weights = tmp_path / device.type
        weights.mkdir()
        for id in ("lenet5.mnist", "mini_resnet.mnist"):
            (weights / id).symlink_to(ROOT / "weights" / id)
        cards = list(ModelHub(weights).cards().values())
        ensembles.write_averaged(weights, ensembles.measure_ensembles(weights, cards, {}, device))
        ensembles.complete_tta(weights, cards, device)
        return ensembles.read_averaged(weights)

    assert_same(measured(gpu.device), measured(CPU))


def test_a_process_without_a_gpu_of_its_own_is_refused(monkeypatch):
    for name, value in {"WORLD_SIZE": "3", "LOCAL_RANK": "2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(TrainingError, match="more processes than GPUs; use --nproc-per-node 2"):
        join(torch.device("cuda"))


def test_a_device_that_cannot_compute_is_refused():
    with pytest.raises(ValueError, match="the device 'meta' cannot be used here"):
        best_device("meta")


def test_times_are_taken_after_the_very_device_has_finished():
    with fake_device("cuda:1") as gpu:
        net = small_network("lenet5", gpu.device)
        net.run(torch.zeros(1, 28, 28))
        milliseconds(net.model, torch.zeros(1, 1, 28, 28, device=gpu.device))
        assert {call.args for call in gpu.synchronize.call_args_list} == {(gpu.device,)}
