"""Figures of short curves that can be worked out on paper, and those that do not exist."""

import gc
import math
import statistics
import weakref
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.market import Market, no_actions
from domain.backtest.metrics import Curve, MetricSettings, performance
from domain.backtest.record import RecordPart
from domain.backtest.series import Series, rows
from domain.backtest.simulation.arrays import FILL
from domain.checks import rounding_of
from domain.market_data.corporate_actions import DividendPolicy
from domain.market_data.panel import PricePanel, ReturnPanel
from domain.risk.analyzer import analyze
from domain.risk.figure import TOO_LARGE, Absent
from domain.risk.measures.drawdown import deepest, level_drawdowns
from domain.risk.outcomes import Outcomes
from domain.risk.query import RiskQuery
from domain.risk.ratios import sharpe_ratio, sortino_ratio
from tests.families import generated

DAYS = np.array([0, 365, 731, 1096], np.int32)  # 1970-01-01 to 1973-01-01: 3.0007 years of 365.25 days


def figures(*nav: float, days: np.ndarray = DAYS, benchmark: Curve | None = None, **marks: float) -> object:
    curve = Curve(days[: len(nav)], np.array(nav))
    return performance(curve, MetricSettings(1.0, **marks), turnover=3.0, cost_total=0.01, benchmark=benchmark)


def test_a_curve_of_three_years() -> None:
    """Returns +20 %, -25 %, +50 %."""
    found = figures(100.0, 120.0, 90.0, 135.0)
    mean, variance = 0.15, (0.05**2 + 0.40**2 + 0.35**2) / 2
    years = 1096 / 365.25
    assert found.final_wealth == 1.35
    assert found.cagr == pytest.approx(1.35 ** (1 / years) - 1)
    assert found.volatility_annual == pytest.approx(math.sqrt(variance))
    assert found.sharpe == pytest.approx(mean / math.sqrt(variance))
    assert found.sortino == pytest.approx(mean / math.sqrt(0.25**2 / 3))
    assert found.max_drawdown == pytest.approx(0.25)
    assert found.calmar == pytest.approx(found.cagr / 0.25)
    # Type 7 at 5 % of three returns: 0.1 of the way from -25 % to +20 %; the tail is all in the worst return.
    assert found.value_at_risk == pytest.approx(0.25 - 0.1 * 0.45)
    assert found.conditional_value_at_risk == pytest.approx(0.25)
    assert found.turnover_annual == pytest.approx(3.0 / years)


def test_rates_are_taken_off_each_period() -> None:
    found = figures(100.0, 120.0, 90.0, 135.0, risk_free_rate_annual=0.05, minimum_acceptable_return_annual=0.10)
    assert found.sharpe == pytest.approx((0.15 - 0.05) / math.sqrt((0.05**2 + 0.40**2 + 0.35**2) / 2))
    assert found.sortino == pytest.approx((0.15 - 0.10) / math.sqrt(0.35**2 / 3))


def test_what_does_not_exist_says_why() -> None:
    steady = figures(100.0, 110.0, 121.0)
    assert set(steady.undefined) >= {"sharpe", "sortino", "calmar", "beta_to_benchmark"}
    single = figures(100.0, 110.0)
    assert single.volatility_annual == Absent("needs at least two returns")
    assert single.undefined["volatility_annual"] == "needs at least two returns"


def test_the_drawdown_counts_from_the_capital_given() -> None:
    assert figures(100.0, 90.0, 95.0).max_drawdown == pytest.approx(0.1)


def test_a_benchmark_counts_on_common_dates() -> None:
    benchmark = Curve(DAYS[[0, 1, 3]], np.array([10.0, 11.0, 9.0]))
    found = figures(100.0, 120.0, 90.0, 135.0, benchmark=benchmark)
    ours, theirs = np.array([0.2, 135 / 120 - 1]), np.array([0.1, 9 / 11 - 1])
    assert found.beta_to_benchmark == pytest.approx(np.cov(ours, theirs)[0, 1] / theirs.var(ddof=1))


@given(
    st.lists(st.floats(0.2, 3.0), min_size=2, max_size=30),
    st.integers(0, 2**30 - 1),
    st.sampled_from([1.0, 12.0, 252.0]),
)
def test_figures_beside_a_benchmark_have_the_periods_of_common_dates(
    changes: list[float], chosen: int, periods: float
) -> None:
    """Any subset of the dates: what its spacing says, or as many periods fewer as there are fewer dates."""
    days = np.arange(0, 7 * (len(changes) + 1), 7, dtype=np.int32)
    nav = np.cumprod([1.0, *changes])
    places = [i for i in range(len(days)) if chosen >> i & 1]
    other = np.random.default_rng(chosen).uniform(0.5, 2.0, len(places))
    found = performance(
        Curve(days, nav), MetricSettings(periods), turnover=0.0, cost_total=0.0, benchmark=Curve(days[places], other)
    )
    if len(places) < 3:
        assert "tracking_error_annual" in found.undefined
        return
    active = [nav[j] / nav[i] - other[b] / other[a] for (a, i), (b, j) in pairwise(enumerate(places))]
    count = len(active)
    spacing = statistics.median(7 * (b - a) for a, b in pairwise(places))
    skipped = periods * count / (places[-1] - places[0])
    a_year = periods if count == places[-1] - places[0] else {7: 52, 28: 12, 91: 4}.get(spacing, skipped)
    assert found.tracking_error_annual == pytest.approx(statistics.stdev(active) * a_year**0.5, rel=1e-9, abs=1e-12)
    assert found.volatility_annual == pytest.approx(statistics.stdev(np.array(changes) - 1) * periods**0.5, abs=1e-12)


def test_a_number_that_is_given_is_not_that_of_figures_beside_a_benchmark() -> None:
    """Weekly dates with 60 periods a year: the volatility has them, the tracking error has the 52 of the dates."""
    days = np.arange(0, 28, 7, dtype=np.int32)
    nav, other = np.array([100.0, 120.0, 90.0, 135.0]), np.array([10.0, 11.0, 9.0, 12.0])
    found = performance(
        Curve(days, nav), MetricSettings(60.0, is_given=True), turnover=0.0, cost_total=0.0,
        benchmark=Curve(days, other),
    )  # fmt: skip
    changes = nav[1:] / nav[:-1]
    assert found.volatility_annual == pytest.approx(changes.std(ddof=1) * 60**0.5)
    assert found.tracking_error_annual == pytest.approx((changes - other[1:] / other[:-1]).std(ddof=1) * 52**0.5)


def test_growth_beyond_a_double_is_absent_and_the_rest_is_there() -> None:
    """From 1 to 8 in a day: 8^365.25 is exp(759.5); the largest double is exp(709.8)."""
    found = figures(1.0, 8.0, days=np.array([0, 1], np.int32))
    assert (found.final_wealth, found.total_return, found.max_drawdown) == (8.0, 7.0, 0.0)
    assert (found.cagr, found.calmar) == (Absent(TOO_LARGE), Absent(TOO_LARGE))
    assert found.undefined["cagr"] == TOO_LARGE
    assert figures(1.0, 6.9, days=np.array([0, 1], np.int32)).cagr == pytest.approx(6.9**365.25)


@given(
    st.lists(st.floats(1e-300, 1e300), min_size=2, max_size=12),
    st.lists(st.floats(1e-300, 1e300), min_size=12, max_size=12),
    st.booleans(),
    st.sampled_from([1.0, 252.0, 1e300]),
)
@generated(300)
def test_no_figure_is_ever_infinite(nav: list[float], other: list[float], lost: bool, periods: float) -> None:
    levels = np.array([*nav, 0.0, 0.0] if lost else nav)
    days = np.arange(len(levels), dtype=np.int32)
    benchmark = Curve(days[::2], np.array(other)[: len(days[::2])])
    found = performance(
        Curve(days, levels), MetricSettings(periods, 0.02), turnover=1.0, cost_total=0.0, benchmark=benchmark
    )
    for name, figure in found.figures.items():
        assert isinstance(figure, Absent) or math.isfinite(figure), name
    if lost:
        assert (found.final_wealth, found.cagr, found.max_drawdown) == (0.0, -1.0, 1.0)
        assert found.observations == len(nav)


def test_a_total_loss_is_told_as_in_a_risk_report() -> None:
    """Half, half again, everything: what the data says afterwards is no return of this portfolio."""
    days = np.arange(6, dtype=np.int32)
    found = performance(
        Curve(days, np.array([4.0, 2.0, 1.0, 0.0, 0.0, 0.0])),
        MetricSettings(252.0), turnover=0.0, cost_total=0.0, benchmark=None,
    )  # fmt: skip
    returns = ReturnPanel.of(["X"], days[1:], [-0.5, -0.5, -1.0, 0.2, 0.3])
    report = analyze(RiskQuery(returns, np.ones(1), 252.0, start=0))
    assert (found.cagr, found.max_drawdown, found.calmar, found.total_return) == (-1.0, 1.0, -1.0, -1.0)
    assert (report.cagr, report.drawdowns.max_drawdown, report.calmar) == (-1.0, 1.0, -1.0)
    assert found.observations == 3
    assert found.volatility_annual == pytest.approx(statistics.stdev([-0.5, -0.5, -1.0]) * 252**0.5)


def test_series_follow_from_units_and_prices() -> None:
    prices = np.array([[10.0, 20.0], [11.0, 20.0], [12.0, 10.0]])
    record = replace(
        RecordPart.empty(2),
        nav=np.array([100.0, 100.0, 104.545]),
        indices=np.array([1]),
        kinds=np.array([FILL]),
        units=np.array([[4.5, 2.5]]),
        cash=np.array([0.5]),
        cost_fractions=np.zeros(1),
        turnovers=np.array([0.5]),
    )
    opening = np.zeros(2)
    actions = no_actions(DividendPolicy.CASH, 0.0)
    market = Market(PricePanel.of("AB", range(3), prices), None, None, prices, actions, 252.0, all_listed=True)
    weights = rows(Series.WEIGHTS, market, record, opening, 0, 3)
    assert weights[0].tolist() == [0.0, 0.0]
    assert weights[1] == pytest.approx([0.495, 0.5])
    assert rows(Series.TRADES, market, record, opening, 0, 3).tolist() == [[0.0, 0.0], [4.5, 2.5], [0.0, 0.0]]
    assert rows(Series.TRADES, market, record, opening, 2, 3).tolist() == [[0.0, 0.0]]
    assert rows(Series.EQUITY, market, record, opening, 1, 3)[:, 0].tolist() == [100.0, 104.545]
    assert rows(Series.DRAWDOWN, market, record, opening, 0, 3).max() == 0.0


def test_what_cash_earned_is_taken_off_each_return() -> None:
    """Excess of .1, -.3 and .4, whose deviation counts; cash alone has none, and a rate beyond numbers has no ratio."""
    settings = MetricSettings(1.0, cash_returns=np.array([9.0, 0.1, 0.05, 0.1]))
    curve = Curve(DAYS, np.array([100.0, 120.0, 90.0, 135.0]))
    found = performance(curve, settings, turnover=0.0, cost_total=0.0, benchmark=None)
    assert found.sharpe == pytest.approx((0.2 / 3) / statistics.stdev([0.1, -0.3, 0.4]))
    cash = Curve(DAYS, 100.0 * np.cumprod([1.0, 1.1, 1.05, 1.1]))
    assert isinstance(performance(cash, settings, turnover=0.0, cost_total=0.0, benchmark=None).sharpe, Absent)
    huge = MetricSettings(1.0, cash_returns=np.array([0.0, 1e200, 1e300, 0.0]))
    assert performance(curve, huge, turnover=0.0, cost_total=0.0, benchmark=None).sharpe == Absent(TOO_LARGE)


@pytest.mark.parametrize("deviation", [0.02, 1e-9, 1e-16, 0.0])
def test_moments_have_the_bits_of_a_risk_report(deviation: float) -> None:
    """Of returns that vary, that vary hardly more than rounding, by rounding alone, and not at all."""
    growth = 1.01 + deviation * np.random.default_rng(8).normal(size=300)
    curve = Curve(np.arange(301, dtype=np.int32), np.cumprod(np.append(1.0, growth)))
    found = performance(curve, MetricSettings(252.0, 0.03, 0.02), turnover=0.0, cost_total=0.0, benchmark=None)
    sample = Outcomes(curve.returns, rounding=rounding_of(curve.returns))
    assert found.volatility_annual == sample.deviation * 252.0**0.5
    assert found.sharpe == sharpe_ratio(sample, sample.deviation, 252.0, 0.03 / 252.0)
    assert found.sortino == sortino_ratio(sample, 252.0, 0.02 / 252.0)
    assert found.max_drawdown == float(deepest(level_drawdowns(curve.nav)))
    assert (found.volatility_annual == 0.0) == (deviation < 1e-15)


def test_a_measured_curve_is_freed_with_its_last_reference() -> None:
    """A curve that had itself would wait for the collector, which does not count the bytes of its arrays."""
    curve = Curve(np.arange(300, dtype=np.int32), np.linspace(1.0, 2.0, 300))
    assert len(curve.returns) == 299
    known = weakref.ref(curve)
    gc.disable()
    try:
        del curve
        assert known() is None
    finally:
        gc.enable()
