"""The dynamic quantile test against least squares, its distribution, and where its regressors are dependent."""

import numpy as np
import pytest
from scipy import stats

from domain.errors import InvalidInput
from domain.risk.validation.dynamic_quantile import dynamic_quantile
from domain.risk.validation.exceptions import Exceptions


def example(seed: int, total: int = 600, level: float = 0.95) -> Exceptions:
    """Right forecasts of returns whose volatility moves; the exceptions are independent of everything."""
    generator = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(0.5 * np.sin(np.arange(total) / 40) + 0.1 * generator.standard_normal(total))
    returns = volatility * generator.standard_normal(total)
    return Exceptions(returns, -stats.norm.ppf(1 - level) * volatility, level)


@pytest.mark.parametrize("lags", [0, 1, 4, 7])
def test_it_is_the_explained_sum_of_squares(lags: int) -> None:
    """Engle & Manganelli 2004, with the regression done by numpy.linalg.lstsq on regressors written out."""
    exceptions = example(2)
    surplus = exceptions.hits - 0.05
    total = exceptions.observations
    rows = [
        [1.0, *(surplus[t - lag] for lag in range(1, lags + 1)), exceptions.value_at_risk[t]]
        for t in range(lags, total)
    ]
    regressors = np.array(rows)
    slopes = np.linalg.lstsq(regressors, surplus[lags:])[0]
    expected = slopes @ regressors.T @ regressors @ slopes / (0.05 * 0.95)
    verdict = dynamic_quantile(exceptions, lags)
    assert verdict.statistic == pytest.approx(expected, rel=1e-9)
    assert verdict.p_value == pytest.approx(stats.chi2.sf(expected, lags + 2), rel=1e-9)
    assert (verdict.degrees_of_freedom, verdict.note, verdict.method) == (lags + 2, None, "asymptotic")


def test_it_is_chi_squared_if_the_forecasts_are_right() -> None:
    """1000 simulations of 600 observations at 90 %: the mean of six degrees, a size near 5 % (limit, four errors)."""
    verdicts = [dynamic_quantile(example(seed, level=0.9)) for seed in range(1000)]
    statistics = np.array([verdict.statistic for verdict in verdicts])
    assert statistics.mean() == pytest.approx(6.0, abs=4 * (12 / 1000) ** 0.5)
    rejected = np.mean([verdict.p_value <= 0.05 for verdict in verdicts])
    assert rejected == pytest.approx(0.05, abs=4 * (0.05 * 0.95 / 1000) ** 0.5)


def test_it_finds_a_forecast_that_is_wrong_when_it_is_high() -> None:
    """Power: the exceptions are as many as they should be and come only where the forecast is low."""
    level, total = 0.95, 1000
    forecast = np.where(np.arange(total) % 10 == 0, 0.01, 0.02)
    returns = np.where(np.arange(total) % 20 == 0, -0.015, 0.0)
    assert dynamic_quantile(Exceptions(returns, forecast, level)).p_value < 1e-6


@pytest.mark.parametrize("forecast", [0.0, 0.02, 1e-9])
def test_a_constant_forecast_is_one_with_the_constant(forecast: float) -> None:
    returns = np.random.default_rng(4).choice([-1.0, 1.0], 500, p=[0.05, 0.95])
    verdict = dynamic_quantile(Exceptions(returns, np.full(500, forecast), 0.95))
    assert (verdict.degrees_of_freedom, verdict.note) == (5, "of 6 regressors 5 are linearly independent")
    varied = dynamic_quantile(Exceptions(returns, forecast + np.linspace(0.0, 0.001, 500), 0.95))
    assert varied.degrees_of_freedom == 6
    assert varied.statistic >= verdict.statistic


@pytest.mark.parametrize(("hit", "share"), [(False, 0.05), (True, 0.95)])
def test_no_exceptions_or_nothing_else(hit: bool, share: float) -> None:
    """All hits are the same, so that only the constant is left: T - 4 times (hit - p)^2 / (p (1 - p))."""
    verdict = dynamic_quantile(Exceptions(np.full(100, -1.0 if hit else 0.0), np.full(100, 0.5), 0.95))
    assert verdict.statistic == pytest.approx(96 * share**2 / (0.05 * 0.95), rel=1e-9)
    assert verdict.degrees_of_freedom == 1


def test_few_observations_and_negative_lags() -> None:
    exceptions = Exceptions(np.zeros(10), np.ones(10), 0.95)
    assert dynamic_quantile(exceptions).reason == "needs more than 10 observations for 4 lags"
    with pytest.raises(InvalidInput) as error:
        dynamic_quantile(exceptions, -1)
    assert error.value.field == "lags"
