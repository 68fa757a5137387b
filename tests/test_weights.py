"""The bundled checkpoints: their cards are checked by measuring again."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn_models import ARCHITECTURES, DATASETS, ModelHub
from cnn_models.analysis.averaged import read_averaged
from cnn_models.analysis.seeds import read_seeds, seeds_of
from cnn_models.checkpoints.folder import (
    CONFIG,
    WEIGHTS,
    load_model,
    read_card,
    read_evaluation,
    read_history,
    read_snapshots,
)
from cnn_models.checkpoints.runs import RUNS, find_runs
from cnn_models.checkpoints.snapshots import networks
from cnn_models.datasets.test_sets import COUNT, measure_part
from cnn_models.folders import default_weights_dir
from cnn_models.network import Network
from cnn_models.runtime import place
from training.data import load
from training.evaluation import examine
from training.metrics import calibration_error, reliability, score
from training.model_card import model_card

WEIGHTS_DIR = default_weights_dir()
IDS = sorted(path.parent.name for path in WEIGHTS_DIR.glob(f"*/{CONFIG}"))
SMALL = [id for id in IDS if ARCHITECTURES[id.split(".")[0]].input_size == 28]
SAMPLE = 200  # images for the large networks; `python -m training.evaluate --all` takes minutes for all of them


@cache
def logits(id, count=None):
    """A network's logits N x 10 for the first test images, by default for all."""
    model, card = load_model(WEIGHTS_DIR / id)
    images = load(card.dataset, train=False)[:count]
    return Network(place(model, "cpu"), card, torch.device("cpu")).run(images.images).logits


def test_nothing_in_weights_is_refused():
    hub = ModelHub(WEIGHTS_DIR)
    assert sorted(hub.cards()) == IDS
    assert {f"{a}.{d}" for a in ("lenet5", "mini_inception", "mini_resnet") for d in DATASETS} <= set(IDS)


@pytest.mark.parametrize("folder", sorted((WEIGHTS_DIR / RUNS).glob("*/*")), ids=lambda path: "/".join(path.parts[-2:]))
def test_runs_are_read_as_strictly_as_checkpoints(folder):
    card, history = read_card(folder), read_history(folder)
    assert card.id == folder.name and len(history) == card.recipe["epochs"]
    assert (read_snapshots(folder) is None) is (card.snapshots_sha256 is None)
    if (folder / WEIGHTS).exists():  # for the ensembles over seeds
        load_model(folder)


@pytest.mark.parametrize("id", SMALL)
def test_the_last_snapshot_is_nearly_the_network_that_was_measured(id):
    card, history = read_card(WEIGHTS_DIR / id), read_history(WEIGHTS_DIR / id)
    epochs = list(networks(read_snapshots(WEIGHTS_DIR / id), card.architecture))
    assert len(epochs) == len(history) + 1
    found = measure_part(epochs[-1], card, slice(1000)).accuracy
    assert found == pytest.approx(card.metrics["test_accuracy"], abs=2)


@pytest.mark.parametrize("id", SMALL)
def test_the_figures_of_a_card_are_measured_again(id, data_dir):
    card, evaluation = read_card(WEIGHTS_DIR / id), read_evaluation(WEIGHTS_DIR / id)
    labels = load(card.dataset, train=False).labels
    found = score(logits(id), labels)
    assert found["accuracy"] == pytest.approx(card.metrics["test_accuracy"], abs=0.02)
    assert found["loss"] == pytest.approx(card.metrics["test_loss"], rel=0.01)
    for key, temperature in (("test_ece", card.temperature), ("test_ece_uncalibrated", 1.0)):
        measured = calibration_error(reliability((logits(id) / temperature).softmax(1), labels))
        assert measured == pytest.approx(card.metrics[key], abs=0.05)
    wrong = sorted(index for row in evaluation.wrong for index in row)
    assert len(set(wrong) ^ set((logits(id).argmax(1) != labels).nonzero().flatten().tolist())) <= 2
    assert 100 - len(wrong) / 100 == pytest.approx(card.metrics["test_accuracy"])
    assert [sum(row) for row in evaluation.confusion] == labels.bincount().tolist()


def test_temperature_and_threshold_of_a_card_are_fitted_again(data_dir):
    model, card = load_model(WEIGHTS_DIR / "lenet5.mnist")
    found, evaluation, probabilities = examine(model, card, torch.device("cpu"))
    assert found.temperature == pytest.approx(card.temperature, rel=0.01)
    assert found.energy_threshold == pytest.approx(card.energy_threshold, abs=0.05)
    assert found.metrics == pytest.approx(card.metrics, abs=0.02)
    assert np.abs(np.subtract(evaluation.confusion, read_evaluation(WEIGHTS_DIR / card.id).confusion)).sum() <= 4
    expected = (logits(card.id).double() / card.temperature).softmax(1)
    torch.testing.assert_close(probabilities, expected, rtol=0, atol=0.01)


@pytest.mark.parametrize("id", sorted({*IDS} - {*SMALL}))
def test_a_large_network_misclassifies_the_recorded_images(id, data_dir):
    card, evaluation = read_card(WEIGHTS_DIR / id), read_evaluation(WEIGHTS_DIR / id)
    labels = load(card.dataset, train=False).labels
    wrong = {index for row in evaluation.wrong for index in row}
    predictions = logits(id, SAMPLE).argmax(1)
    found = set((predictions != labels[:SAMPLE]).nonzero().flatten().tolist())
    assert len(found ^ {index for index in wrong if index < SAMPLE}) <= 1
    assert 100 - len(wrong) / 100 == pytest.approx(card.metrics["test_accuracy"])
    assert [sum(row) for row in evaluation.confusion] == labels.bincount().tolist()


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_ensemble_is_of_these_weights(dataset):
    cards = [read_card(WEIGHTS_DIR / id) for id in IDS if id.endswith(f".{dataset}")]
    recorded = read_averaged(WEIGHTS_DIR)[dataset]
    assert recorded["weights"] == {card.id: card.weights_sha256 for card in cards}
    assert recorded["accuracy"] >= max(card.metrics["test_accuracy"] for card in cards) - 0.5
    assert recorded["log_linear"]["accuracy"] >= recorded["accuracy"] - 0.1
    assert recorded["log_linear"]["loss"] < recorded["loss"]
    assert list(recorded["looks"]) == [card.id for card in cards]
    for card in cards:  # more with `python -m training.evaluate --looks`
        tta = recorded["looks"][card.id]
        assert 500 <= tta["pictures"] <= COUNT
        sampling = 400 * (0.25 / tta["pictures"] - 0.25 / COUNT) ** 0.5  # percent, four standard errors at most
        assert tta["accuracy"]["1"] == pytest.approx(card.metrics["test_accuracy"], abs=0.03 + sampling)


def test_the_ensembles_over_seeds_are_of_these_weights():
    groups, recorded = find_runs(WEIGHTS_DIR), read_seeds(WEIGHTS_DIR)
    assert len(seeds_of(WEIGHTS_DIR, groups.values())) == len(recorded)
    for group, found in recorded.items():
        cards = [run.card for run in groups[group] if str(run.seed) in found["weights"]]
        accuracies = [card.metrics["test_accuracy"] for card in cards]
        mean, low, high = found["accuracy"][0]
        assert (low, high) == pytest.approx((min(accuracies), max(accuracies)), abs=0.03)
        assert mean == pytest.approx(sum(accuracies) / len(accuracies), abs=0.03)


@pytest.mark.parametrize("id", IDS)
def test_card_history_and_model_card_agree(id):
    folder: Path = WEIGHTS_DIR / id
    _, card = load_model(folder)
    last = read_history(folder)[-1]
    assert card.id == id
    assert "interpolated" in card.recipe or card.metrics["val_accuracy"] == last["val_accuracy"]
    assert last["epoch"] == card.recipe["epochs"]
    assert card.input_size in ARCHITECTURES[card.architecture].sizes
    commits = [card.commit, card.recipe.get("interpolated", card.recipe).get("commit", card.commit)]
    assert all(len(commit) == 40 for commit in commits)  # not "dirty"
    assert (folder / "README.md").read_text(encoding="utf-8") == model_card(card, read_evaluation(folder))
