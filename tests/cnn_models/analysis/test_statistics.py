"""Interval and test, held against what they mean."""

from itertools import product
from math import comb, sqrt

import numpy as np
import pytest

from cnn_models.analysis.statistics import binomial_interval, calibration_error_by_chance, mcnemar, rank_correlation
from cnn_models.checkpoints.evaluation import Bin


@pytest.mark.parametrize(("right", "count"), [(9951, 10_000), (9100, 10_000), (1, 3)])
def test_the_ends_are_the_shares_from_which_the_count_is_1_96_deviations_away(right, count):
    for end in binomial_interval(right, count):
        deviations = (right / count - end / 100) / sqrt(end / 100 * (1 - end / 100) / count)
        assert abs(deviations) == pytest.approx(1.959964, abs=1e-5)


def test_the_interval_stays_within_what_is_possible():
    assert binomial_interval(0, 10)[0] == pytest.approx(0) and binomial_interval(10, 10)[1] == pytest.approx(100)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """Of all outcomes of 200 images at 90 %, those whose interval holds 90 % have about 95 % of the probability."""
    held = sum(
        comb(200, right) * 0.9**right * 0.1 ** (200 - right)
        for right in range(201)
        if (interval := binomial_interval(right, 200))[0] <= 90 <= interval[1]
    )
    assert held == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize("confidences", [(0.5, 0.7, 0.9, 0.99), (0.9, 0.999)])
def test_labels_drawn_with_the_confidences_have_the_calibration_error_of_chance(confidences):
    generator, count = np.random.default_rng(0), 2_000
    drawn = generator.binomial(count, confidences, (4_000, len(confidences)))
    expected = 100 * np.abs(drawn / count - confidences).mean()
    bins = [Bin(0, 0, 0.0), *(Bin(count, 0, count * each) for each in confidences)]
    assert calibration_error_by_chance(bins) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("one", "other"), [(0, 0), (5, 5), (1, 9), (7, 4)])
def test_mcnemar_counts_all_outcomes_at_least_as_unequal(one, other):
    outcomes = [sum(coins) for coins in product((0, 1), repeat=one + other)]
    unequal = sum(abs(2 * heads - one - other) >= abs(one - other) for heads in outcomes)
    assert mcnemar(one, other) == mcnemar(other, one) == pytest.approx(unequal / len(outcomes))


def test_mcnemar_of_many_images():
    assert mcnemar(400, 300) == pytest.approx(1.8e-4, rel=0.05)


def test_nonsense_is_refused():
    for right, count in ((1, 0), (-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="cannot be correct"):
            binomial_interval(right, count)


def test_the_rank_correlation_is_that_of_the_tables():
    x, y = [1.0, 2.0, 3.0, 4.0, 5.0], [0.1, 0.3, 0.2, 0.9, 0.8]
    found, chance = rank_correlation(x, y)
    assert found == pytest.approx(1 - 6 * (1 + 1 + 1 + 1) / (5 * 24))  # 1 - 6 sum(d^2) / (n (n^2 - 1)), without ties
    assert chance == pytest.approx(16 / 120)  # tabulated: P(|rho| >= 0.8) for n = 5 is 0.133
    assert rank_correlation(x, x) == pytest.approx((1, 2 / 120)) and rank_correlation(x, x[::-1])[0] == -1
    assert rank_correlation(x[:4], [1, 1, 2, 2])[0] == pytest.approx(4 / 20**0.5)


def test_the_rank_correlation_of_more_pairs_has_a_p_value_from_drawn_permutations():
    x, y = list(range(9)), [3, 1, 2, 0, 4, 8, 5, 6, 7]
    found, chance = rank_correlation(x, y)
    squares = sum((a - b) ** 2 for a, b in zip(x, y, strict=True))
    assert found == pytest.approx(1 - 6 * squares / (9 * 80))
    assert found == pytest.approx(0.75) and rank_correlation(x, y) == (found, chance)
    assert 0.02 < chance < 0.05  # tabulated for n = 9: P(|rho| >= 0.700) is 0.05, P(|rho| >= 0.783) is 0.02
    assert rank_correlation(x, x) == pytest.approx((1, 1e-4), abs=2e-4)
