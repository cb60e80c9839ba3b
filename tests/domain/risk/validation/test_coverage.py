"""Kupiec's tests against his table, published output of another program, scipy, and their own size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from domain.risk.validation.coverage import proportion_of_failures, time_until_first_failure
from domain.risk.validation.exceptions import Exceptions
from domain.risk.validation.verdict import PValueMethod, Verdict


def of(hits: np.ndarray | list[bool], confidence_level: float) -> Exceptions:
    hits = np.asarray(hits, dtype=bool)
    return Exceptions(np.where(hits, -1.0, 0.0), np.full(len(hits), 0.5), confidence_level)


def failures(count: int, total: int, tail: float) -> Verdict:
    return proportion_of_failures(of(np.arange(total) < count, 1 - tail))


@pytest.mark.parametrize(
    ("tail", "total", "below", "above"),
    [
        (0.01, 255, None, 7),
        (0.01, 510, 1, 11),
        (0.01, 1000, 4, 17),
        (0.025, 255, 2, 12),
        (0.025, 510, 6, 21),
        (0.025, 1000, 15, 36),
        (0.05, 255, 6, 21),
        (0.05, 510, 16, 36),
        (0.05, 1000, 37, 65),
        (0.075, 255, 11, 28),
        (0.075, 510, 27, 51),
        (0.075, 1000, 59, 92),
        (0.1, 255, 16, 36),
        (0.1, 510, 38, 65),
        (0.1, 1000, 81, 120),
    ],
)
def test_the_regions_of_kupiec(tail: float, total: int, below: int | None, above: int) -> None:
    """Kupiec 1995, table 3: numbers of failures that are not rejected at 95 % lie strictly between these.

    For 255 observations at 1 % the table gives no lower limit. The ratio of no failures is 5.13, a rejection.
    """
    p_values = {count: failures(count, total, tail).p_value_asymptotic for count in range(above + 2)}
    kept = [count for count, p_value in p_values.items() if p_value is not None and p_value >= 0.05]
    assert kept == list(range((0 if below is None else below) + 1, above))


def test_published_output_of_another_program() -> None:
    """MathWorks, Risk Management Toolbox, `varbacktest.pof` and `.tuff`: EquityIndex against Normal95."""
    verdict = failures(57, 1043, 0.05)
    assert verdict.statistic == pytest.approx(0.46147, abs=5e-6)
    assert verdict.p_value_asymptotic == pytest.approx(0.49694, abs=5e-6)
    first = time_until_first_failure(of(np.arange(1043) >= 57, 0.95))
    assert first.statistic == pytest.approx(1.7354, abs=5e-5)
    assert first.p_value_asymptotic == pytest.approx(0.18773, abs=5e-6)


@given(st.integers(1, 300), st.floats(0.001, 0.6), st.data())
def test_the_exact_p_value_sums_the_binomial_distribution(total: int, tail: float, data: st.DataObject) -> None:
    """Against the likelihoods and probabilities of scipy, added up one by one."""
    count = data.draw(st.integers(0, total))
    x = np.arange(total + 1)
    exceptions = of(x[1:] <= count, 1 - tail)
    ratios = 2 * (stats.binom.logpmf(x, total, x / total) - stats.binom.logpmf(x, total, exceptions.tail_probability))
    chances = stats.binom.pmf(x, total, exceptions.tail_probability)
    verdict = proportion_of_failures(exceptions)
    assert verdict.statistic == pytest.approx(ratios[count], abs=1e-8)
    assert verdict.p_value == pytest.approx(chances[ratios >= ratios[count] - 1e-8].sum(), rel=1e-8, abs=1e-300)
    assert verdict.p_value_asymptotic == pytest.approx(stats.chi2.sf(verdict.statistic, 1), rel=1e-8)
    assert verdict.method is PValueMethod.EXACT


def test_symmetric_numbers_are_ties() -> None:
    """At p = 1/2 as many too few are as bad as too many: the test is that of scipy.stats.binomtest."""
    for count in range(13):
        assert failures(count, 12, 0.5).p_value == pytest.approx(stats.binomtest(count, 12, 0.5).pvalue, rel=1e-12)


@pytest.mark.parametrize("total", [20, 60, 250, 1000])
@pytest.mark.parametrize("tail", [0.01, 0.05, 0.25])
def test_the_exact_test_keeps_its_size(total: int, tail: float) -> None:
    """Its rejections at a level have at most that probability, by scipy's binomial distribution, without simulation."""
    p_values = np.array([failures(count, total, tail).p_value for count in range(total + 1)])
    chances = stats.binom.pmf(np.arange(total + 1), total, tail)
    for level in (0.01, 0.05, 0.1, *p_values[:5]):
        assert chances[p_values <= level].sum() <= level * (1 + 1e-9)


def test_the_asymptotic_test_does_not() -> None:
    """20 observations at 10 %: no failure is a rejection at 5 %, and happens in 12 % of cases."""
    verdict = failures(0, 20, 0.1)
    assert verdict.p_value_asymptotic is not None
    assert verdict.p_value_asymptotic < 0.05
    assert verdict.p_value is not None
    assert verdict.p_value > 0.9**20


@pytest.mark.parametrize("tail", [0.01, 0.05, 0.3, 0.5, 0.8])
def test_the_first_failure_is_geometric(tail: float) -> None:
    """Against scipy.stats.geom, ratios and probabilities of the first 20 000 periods added up one by one."""
    v = np.arange(1, 20_001)
    likeliest = np.log(stats.geom.pmf(v, 1 / v))
    for place in (1, 2, 3, 10, 20, 100, 140):
        exceptions = of(np.arange(1, 151) == place, 1 - tail)
        with np.errstate(divide="ignore"):  # the probability of the last periods is 0
            ratios = 2 * (likeliest - stats.geom.logpmf(v, exceptions.tail_probability))
        verdict = time_until_first_failure(exceptions)
        assert verdict.statistic == pytest.approx(ratios[place - 1], abs=1e-8)
        as_large = ratios >= ratios[place - 1] - 1e-8
        exact = stats.geom.pmf(v, exceptions.tail_probability)[as_large].sum()
        assert verdict.p_value == pytest.approx(exact, rel=1e-8, abs=1e-12)


def test_failures_always_and_never() -> None:
    always, never = of([True] * 30, 0.95), of([False] * 30, 0.95)
    assert proportion_of_failures(always).statistic == pytest.approx(-60 * np.log(0.05), rel=1e-12)
    assert proportion_of_failures(always).p_value == pytest.approx(0.05**30, rel=1e-9)
    assert proportion_of_failures(never).statistic == pytest.approx(-60 * np.log(0.95), rel=1e-12)
    assert time_until_first_failure(always).statistic == pytest.approx(-2 * np.log(0.05), rel=1e-12)
    assert time_until_first_failure(never) == Verdict.undefined("there is no exception")


def test_a_p_value_below_the_smallest_number_is_zero() -> None:
    assert failures(2000, 2000, 0.01).p_value == 0.0
