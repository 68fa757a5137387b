"""Confidence interval of an accuracy, chance in a calibration error, significance of the difference of two networks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import chain, permutations
from random import Random
from statistics import NormalDist, correlation

from cnn_models.checkpoints.evaluation import Bin

CONFIDENCE = 0.95
EXACT = 8  # pairs up to which all permutations are counted: 40,320
DRAWN = 9_999  # permutations of more pairs


def binomial_interval(right: int, count: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of the accuracy in the population, in percent, from `right` of `count` images.

    E. B. Wilson: Probable inference, the law of succession, and statistical inference, 1927. Raises ValueError.
    """
    if not 0 <= right <= count or not count:
        raise ValueError(f"{right} of {count} images cannot be correct")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = right / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return 100 * max(0.0, middle - reach), 100 * min(1.0, middle + reach)


def mcnemar(only_first: int, only_second: int) -> float:
    """The two-sided p-value of McNemar's exact test, given the images that only one of two networks has right.

    Q. McNemar: Note on the sampling error of the difference between correlated proportions, 1947.
    """
    count, fewer = only_first + only_second, min(only_first, only_second)
    return min(1.0, 2 * sum(math.comb(count, i) for i in range(fewer + 1)) / 2**count)


def calibration_error_by_chance(bins: Iterable[Bin]) -> float:
    """The expected calibration error in percent that a perfectly calibrated network would have on these images.

    Its correct predictions in a bin of n and mean confidence p are nearly normal with variance n p (1 - p), and lie on
    average sqrt(2 / pi) standard deviations from n p.
    """
    filled = [bin for bin in bins if bin.count]
    distances = (math.sqrt(2 / math.pi * bin.confidence * (1 - bin.confidence / bin.count)) for bin in filled)
    return 100 * math.fsum(distances) / sum(bin.count for bin in filled)


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Spearman's rank correlation, and its two-sided p-value by the permutation test.

    The test is exact for up to EXACT pairs; for more, it draws DRAWN permutations, always the same. C. Spearman: The
    proof and measurement of association between two things, 1904. Raises StatisticsError where all values of one side
    are equal.
    """
    ranks, given, draw = _ranks(x), _ranks(y), Random(0)  # noqa: S311  no secret
    drawn = chain([given], (draw.sample(given, len(given)) for _ in range(DRAWN)))
    orders = permutations(given) if len(given) <= EXACT else drawn
    found, *others = (correlation(ranks, order) for order in orders)
    return found, sum(abs(each) >= abs(found) - 1e-9 for each in (found, *others)) / (1 + len(others))


def _ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value from 1; equal values share the mean of their ranks."""
    return [sum(other < value for other in values) + (values.count(value) + 1) / 2 for value in values]
