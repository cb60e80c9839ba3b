"""Rolling forecasts against pandas, scipy and the measures of the risk report, and that they see no future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from domain.errors import InvalidInput
from domain.risk.measures.tail import conditional_value_at_risk, value_at_risk
from domain.risk.parametric import Shape, cornish_fisher_value_at_risk
from domain.risk.validation import forecasts as module
from domain.risk.validation.forecasts import ForecastMethod, Forecasts, rolling_forecasts

RETURNS = np.random.default_rng(7).standard_t(4, 300) * 0.01 + 0.0004
SERIES = pd.Series(RETURNS)
WINDOW = 60
METHODS = list(ForecastMethod)


@pytest.mark.parametrize("level", [0.9, 0.95, 0.975, 0.999])
@pytest.mark.parametrize("window", [1, 2, 60, 299])
def test_historical_forecasts_are_the_measures_of_the_window(level: float, window: int) -> None:
    forecasts = rolling_forecasts(RETURNS, window, level, ForecastMethod.HISTORICAL)
    before = [RETURNS[t - window : t] for t in range(window, 300)]
    assert forecasts.value_at_risk == pytest.approx([value_at_risk(r, level) for r in before], rel=1e-12)
    expected = [conditional_value_at_risk(r, level) for r in before]
    assert forecasts.expected_shortfall == pytest.approx(expected, rel=1e-12)


def test_gaussian_forecasts_are_quantiles_and_tail_means_of_a_normal() -> None:
    """Moments by pandas, one day late; the quantile and the mean beyond it by scipy."""
    forecasts = rolling_forecasts(RETURNS, WINDOW, 0.975, ForecastMethod.GAUSSIAN)
    mean = SERIES.rolling(WINDOW).mean().shift(1)[WINDOW:].to_numpy()
    deviation = SERIES.rolling(WINDOW).std().shift(1)[WINDOW:].to_numpy()
    assert forecasts.value_at_risk == pytest.approx(-stats.norm.ppf(0.025, mean, deviation), rel=1e-9)
    beyond = stats.norm.expect(ub=stats.norm.ppf(0.025), conditional=True)
    assert forecasts.expected_shortfall == pytest.approx(-mean - deviation * beyond, rel=1e-8)


def test_cornish_fisher_forecasts_have_the_moments_of_the_window() -> None:
    forecasts = rolling_forecasts(RETURNS, WINDOW, 0.99, ForecastMethod.CORNISH_FISHER)
    before = [RETURNS[t - WINDOW : t] for t in range(WINDOW, 300)]
    expected = [
        cornish_fisher_value_at_risk(Shape(r.mean(), r.std(ddof=1), stats.skew(r), stats.kurtosis(r)), 0.99)
        for r in before
    ]
    assert forecasts.value_at_risk == pytest.approx(expected, rel=1e-9)
    assert (forecasts.expected_shortfall, forecasts.draw) == (None, None)


def test_weighted_forecasts_follow_the_recursion() -> None:
    """RiskMetrics Technical Document 1996, by the exponential mean of pandas."""
    forecasts = rolling_forecasts(RETURNS, WINDOW, 0.95, ForecastMethod.EWMA, decay=0.97)
    start = (RETURNS[:WINDOW] ** 2).mean()
    variance = pd.Series([start, *RETURNS[WINDOW:-1] ** 2]).ewm(alpha=0.03, adjust=False).mean()
    assert forecasts.value_at_risk == pytest.approx(stats.norm.ppf(0.95) * variance**0.5, rel=1e-10)
    tail = stats.norm.pdf(stats.norm.ppf(0.95)) / 0.05
    assert forecasts.expected_shortfall == pytest.approx(tail * variance**0.5, rel=1e-10)


@given(st.sampled_from(METHODS), st.integers(2, 40), st.data())
def test_no_forecast_sees_its_own_period_or_a_later_one(
    method: ForecastMethod, window: int, data: st.DataObject
) -> None:
    """Property: from some period on returns are others, and every forecast up to that period is the same to the bit."""
    period = data.draw(st.integers(window, 59))
    later = data.draw(st.lists(st.floats(-0.9, 0.9), min_size=60 - period, max_size=60 - period))
    changed = np.concatenate([RETURNS[:period], later])
    forecasts, others = (rolling_forecasts(r, window, 0.95, method) for r in (RETURNS[:60], changed))
    same = period - window + 1
    assert np.array_equal(forecasts.value_at_risk[:same], others.value_at_risk[:same])
    if forecasts.expected_shortfall is not None:
        assert others.expected_shortfall is not None
        assert np.array_equal(forecasts.expected_shortfall[:same], others.expected_shortfall[:same])
    if forecasts.draw is not None:
        assert others.draw is not None
        drawn, redrawn = (draw(np.random.default_rng(0), 5) for draw in (forecasts.draw, others.draw))
        assert np.array_equal(drawn[:, :same], redrawn[:, :same])


@pytest.mark.parametrize("method", METHODS)
def test_blocks_do_not_matter(method: ForecastMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rolling_forecasts(RETURNS, WINDOW, 0.95, method)
    monkeypatch.setattr(module, "BLOCK", 7 * WINDOW)
    parts = rolling_forecasts(RETURNS, WINDOW, 0.95, method)
    assert parts.value_at_risk == pytest.approx(whole.value_at_risk, rel=1e-12)


@pytest.mark.parametrize("method", [ForecastMethod.HISTORICAL, ForecastMethod.GAUSSIAN, ForecastMethod.EWMA])
def test_draws_have_the_quantile_that_was_forecast(method: ForecastMethod) -> None:
    """Monte Carlo: the share of draws beyond VaR and their mean, within five standard errors.

    A quantile between two of 60 returns leaves 3 of them beyond it at 95 %, which is 5 %.
    """
    forecasts = rolling_forecasts(RETURNS, WINDOW, 0.95, method)
    assert forecasts.draw is not None
    assert forecasts.expected_shortfall is not None
    drawn = forecasts.draw(np.random.default_rng(1), 4000)
    assert drawn.shape == (4000, 240)
    beyond = -drawn > forecasts.value_at_risk
    assert beyond.mean() == pytest.approx(0.05, abs=5 * (0.05 * 0.95 / beyond.size) ** 0.5)
    multiples = (-drawn / forecasts.expected_shortfall)[beyond]
    assert multiples.mean() == pytest.approx(1.0, abs=5 * multiples.std() / len(multiples) ** 0.5)


def test_historical_draws_are_returns_of_their_window() -> None:
    forecasts = rolling_forecasts(RETURNS, 5, 0.95, ForecastMethod.HISTORICAL)
    assert forecasts.draw is not None
    drawn = forecasts.draw(np.random.default_rng(1), 200)
    for t in range(5, 300):
        assert set(drawn[:, t - 5]) == set(RETURNS[t - 5 : t])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.0, 0.1 + 0.2, -0.003])
def test_constant_returns_have_no_spread(method: ForecastMethod, level: float) -> None:
    """Normal with mean 0 they are all the same a spread, of the size of the return."""
    forecasts = rolling_forecasts(np.full(40, level), 10, 0.95, method)
    risk = abs(level) * stats.norm.ppf(0.95) if method is ForecastMethod.EWMA else -level
    assert forecasts.value_at_risk == pytest.approx(np.full(30, risk), rel=1e-9)


@given(
    st.lists(st.floats(-0.9, 3.0), min_size=3, max_size=40),
    st.sampled_from(METHODS),
    st.integers(2, 10),
    st.floats(0.01, 0.999),
)
def test_every_forecast_is_a_number_and_shortfall_is_beyond_value_at_risk(
    values: list[float], method: ForecastMethod, window: int, level: float
) -> None:
    """Property; `Forecasts` itself refuses what is not."""
    returns = np.array(values)
    forecasts = rolling_forecasts(returns, min(window, len(returns) - 1), level, method)
    assert np.isfinite(forecasts.value_at_risk).all()
    assert len(forecasts.value_at_risk) == len(returns) - min(window, len(returns) - 1)


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("returns[2]", {"returns": np.array([0.1, 0.2, np.nan, 0.1])}),
        ("window", {"window": 300}),
        ("window", {"window": 0}),
        ("window", {"window": 1}),
        ("confidence_level", {"confidence_level": 0.0}),
        ("decay", {"decay": 1.0}),
    ],
)
def test_input_is_checked(field: str, options: dict[str, object]) -> None:
    good: dict[str, object] = {"returns": RETURNS, "window": 60, "confidence_level": 0.95}
    with pytest.raises(InvalidInput) as error:
        rolling_forecasts(**(good | options), method=ForecastMethod.GAUSSIAN)
    assert error.value.field == field


@pytest.mark.parametrize(
    ("field", "risk", "shortfall"),
    [
        ("forecasts.value_at_risk[0]", [np.nan, 1.0], None),
        ("forecasts.expected_shortfall", [1.0, 1.0], [1.0]),
        ("forecasts.expected_shortfall[1]", [1.0, 1.0], [1.0, np.inf]),
        ("forecasts.expected_shortfall[1]", [0.5, 1.0], [0.6, 0.9]),
    ],
)
def test_forecasts_of_anyone_are_checked(field: str, risk: list[float], shortfall: list[float] | None) -> None:
    with pytest.raises(InvalidInput) as error:
        Forecasts(np.array(risk), None if shortfall is None else np.array(shortfall))
    assert error.value.field == field
