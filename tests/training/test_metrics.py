"""Temperature, calibration error, energy threshold and AUROC, against slower or simpler computations."""

import dataclasses
from itertools import product

import pytest
import torch
from torch.nn import functional as F

from cnn_models.analysis.ood import energy
from tests.conftest import make_card
from training.evaluation import evaluation_of, examine
from training.metrics import (
    auroc,
    calibration_error,
    fit_factors,
    fit_temperature,
    fit_threshold,
    gains_significantly,
    reliability,
)
from training.model_card import model_card


@pytest.fixture
def sample():
    """Calibrated logits: labels are drawn with their probabilities."""
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(20_000, 10, generator=generator)
    return logits, logits.softmax(1).multinomial(1, generator=generator).flatten()


@pytest.mark.parametrize("factor", [0.2, 1.0, 7.0])
def test_the_temperature_undoes_a_factor(sample, factor):
    logits, labels = sample
    found = fit_temperature(factor * logits, labels)
    assert found == pytest.approx(factor, rel=0.03)
    losses = [F.cross_entropy(factor * logits / (found * other), labels) for other in (0.97, 1, 1.03)]
    assert losses[1] == min(losses)


def test_the_temperature_of_a_network_that_is_never_or_always_right_is_bounded():
    labels = torch.arange(100) % 10
    right = 10 * F.one_hot(labels, 10).float()
    assert 1 / 20 <= fit_temperature(right, labels) < 1
    assert fit_temperature(-right, labels) == pytest.approx(20)


def test_a_temperature_is_used_only_where_its_gain_is_beyond_chance(sample):
    logits, labels = sample
    assert gains_significantly(fit_temperature(1.2 * logits, labels), 1.2 * logits, labels)
    parts = zip(logits.split(500), labels.split(500), strict=True)
    assert sum(gains_significantly(fit_temperature(*part), *part) for part in parts) <= 4, (
        "of 40 samples of a calibrated network about 2 are beyond two standard errors"
    )


def test_calibration_error(sample):
    logits, labels = sample
    assert calibration_error(reliability(logits.softmax(1), labels)) < 1
    probabilities = (3 * logits).softmax(1)
    confidence, answers = probabilities.max(1)
    expected = 0
    for low in range(15):
        of_bin = (confidence > low / 15) & (confidence <= (low + 1) / 15)
        if of_bin.any():
            gap = confidence[of_bin].mean() - (answers == labels)[of_bin].float().mean()
            expected += 100 * of_bin.float().mean().item() * abs(gap.item())
    assert calibration_error(reliability(probabilities, labels)) == pytest.approx(expected, rel=1e-4) and expected > 5
    assert calibration_error(reliability(F.one_hot(labels, 10).float(), labels)) == 0
    assert calibration_error(reliability(F.one_hot(9 - labels, 10).float(), labels)) == 100


def test_one_in_200_is_above_the_threshold(sample):
    logits, _ = sample
    assert (energy(logits.double()) > fit_threshold(logits)).sum() == len(logits) / 200


def test_auroc_is_the_share_of_pairs_in_the_right_order():
    generator = torch.Generator().manual_seed(0)
    negatives = torch.randint(20, (300,), generator=generator).double()
    positives = torch.randint(5, 30, (200,), generator=generator).double()
    pairs = (positives[:, None] > negatives).double() + (positives[:, None] == negatives).double() / 2
    assert auroc(negatives, positives) == pytest.approx(pairs.mean().item())
    assert auroc(negatives, negatives) == pytest.approx(0.5) and auroc(negatives, negatives + 100) == 1


def loss_and_gradient(factors, logits, labels):
    """The cross-entropy of the log-linear ensemble, and its gradient by the factors."""
    factors = factors.clone().requires_grad_()
    loss = F.nll_loss((factors[:, None, None] * logits.log_softmax(-1)).sum(0).log_softmax(1), labels)
    loss.backward()
    return loss.item(), factors.grad


def test_the_factors_are_those_of_the_least_loss(sample):
    """Against a grid for two networks, and for three by the conditions that only the minimum of a convex loss fulfils.

    The networks see the logits through noise of their own; the third one contradicts them.
    """
    logits, labels = (each[:2_000] for each in sample)
    noise = torch.randn(2, *logits.shape, generator=torch.Generator().manual_seed(1))
    networks = torch.stack([2 * (logits + noise[0]), (logits + 2 * noise[1]) / 2, -logits]).double()
    found = fit_factors(networks[:2], labels)
    grid = [torch.tensor(each).double() for each in product([each / 20 for each in range(21)], repeat=2)]
    losses = [loss_and_gradient(each, networks[:2], labels)[0] for each in grid]
    assert loss_and_gradient(found, networks[:2], labels)[0] < min(losses)
    assert found.tolist() == pytest.approx(grid[losses.index(min(losses))].tolist(), abs=0.05)

    found = fit_factors(networks, labels)
    _, gradient = loss_and_gradient(found, networks, labels)
    assert (found >= 0).all() and found[2] < 1e-4 and gradient[2] > 0
    assert gradient[:2].tolist() == pytest.approx([0, 0], abs=1e-4)


def test_the_evaluation_has_the_confusion_matrix_and_the_misclassified_images():
    labels = torch.tensor([*range(10), 3, 3])
    answers = torch.tensor([*range(9), 3, 8, 8])
    found = evaluation_of(answers, labels, "hash")
    assert found.confusion[3] == (0, 0, 0, 1, 0, 0, 0, 0, 2, 0) and found.confusion[9][3] == 1
    assert found.wrong[8] == (10, 11) and found.wrong[3] == (9,) and sum(map(len, found.wrong)) == 3
    assert found.accuracies[3] == pytest.approx(100 / 3) and found.accuracies[9] == 0
    assert type(found).from_json(found.to_json()) == found
    bins = reliability(F.one_hot(answers, 10).float(), labels)
    whole = dataclasses.replace(found, reliability=(bins, bins))
    assert bins[-1] == (12, 9, 12) and type(found).from_json(whole.to_json()) == whole
    for wrong in ((bins, bins[:-1]), (bins,), (bins, (*bins[:-1], (12, 9, 13.0))), (bins, (*bins[:-1], (12, 8, 12.0)))):
        with pytest.raises(ValueError, match=r"reliability|confidence"):
            type(found).from_json(dataclasses.replace(found, reliability=wrong).to_json())


def test_a_network_without_validation_images_has_no_temperature_and_threshold(data_dir):
    """As with the `source` recipes; the network is a tiny one, to be quick."""
    model = torch.nn.Sequential(torch.nn.AvgPool2d(9), torch.nn.Flatten(), torch.nn.Linear(9, 10))
    card = dataclasses.replace(make_card(), recipe={"name": "source", "held_out": 0})
    found, evaluation, _ = examine(model, card, torch.device("cpu"))
    assert (found.temperature, found.energy_threshold) == (1.0, None)
    assert found.metrics["test_ece"] == found.metrics["test_ece_uncalibrated"]
    assert {"auroc_fashion_mnist", "auroc_noise"} <= found.metrics.keys()
    text = model_card(found, evaluation)
    assert "no validation images to fit it on" in text and "{" not in text.split("## Use")[0]
