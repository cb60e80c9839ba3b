"""The binomial distribution against scipy."""

import numpy as np
import pytest
from scipy import stats

from domain.risk.validation.binomial import coverage_ratio, entropies, probabilities


@pytest.mark.parametrize("observations", [1, 7, 250, 8000])
@pytest.mark.parametrize("tail", [1e-6, 0.01, 0.05, 0.5, 0.99])
def test_probabilities(observations: int, tail: float) -> None:
    expected = stats.binom.pmf(np.arange(observations + 1), observations, tail)
    assert probabilities(observations, tail) == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_the_ratio_is_that_of_two_likelihoods() -> None:
    """Of 20 observations at p = 0.1, from the probabilities of scipy; the binomial coefficient cancels."""
    x = np.arange(21)
    expected = 2 * (stats.binom.logpmf(x, 20, x / 20) - stats.binom.logpmf(x, 20, 0.1))
    assert coverage_ratio(x, 20, 0.1, entropies(20)) == pytest.approx(expected, abs=1e-12)
