"""A benchmark has its own dates, and a year of its own; what compares has the dates that both have."""

import statistics
from dataclasses import astuple, fields
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.result import CostTotals
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Fill
from domain.backtest.strategies import EqualWeightStrategy
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from tests.families import generated

EPOCH = date(1970, 1, 1)
YEARS = [date(2018, 1, 1) + timedelta(days=k) for k in range(3 * 365)]
BUSINESS = [day for day in YEARS if day.weekday() < 5]
A_YEAR = {"daily": 252, "weekly": 52, "monthly": 12, "quarterly": 4}


def day_numbers(days: list[date]) -> list[int]:
    return [(day - EPOCH).days for day in days]


def dates_of(frequency: str, offset: int) -> list[date]:
    """Every business day but some; Wednesdays; the last business day of each month, of each quarter."""
    if frequency == "daily":
        return [day for i, day in enumerate(BUSINESS) if i % 17 != offset]
    if frequency == "weekly":
        return [day for day in BUSINESS if day.weekday() == 2]
    months = 1 if frequency == "monthly" else 3
    ends = [a for a, b in pairwise(BUSINESS) if (a.month - 1) // months != (b.month - 1) // months]
    return ends[offset % 4 :]


@given(
    st.sampled_from(sorted(A_YEAR)), st.integers(0, 16), st.integers(0, 10_000), st.sampled_from([None, 252.0, 261.0])
)
@generated(40)
def test_each_curve_is_annualised_by_its_own_dates(
    frequency: str, offset: int, seed: int, given_periods: float | None
) -> None:
    generator = np.random.default_rng(seed)
    prices = 100 * np.exp(np.cumsum(generator.normal(0.0003, 0.01, len(BUSINESS))))
    chosen = dates_of(frequency, offset)
    index = 50 * np.exp(np.cumsum(generator.normal(0.001, 0.02, len(chosen))))
    spec = BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        benchmarks=(BenchmarkSymbol("I"),),
        periods_per_year=given_periods,
    )
    benchmark = PricePanel.of(["I"], day_numbers(chosen), index)
    plan = prepare(spec, PricePanel.of(["X"], day_numbers(BUSINESS), prices), {"I": benchmark})
    done = run(plan, lambda backtest: None, lambda: None)
    ours, theirs = done.strategies[0].performance, done.benchmarks[0].performance
    main = given_periods or 252.0

    moves = [b / a - 1 for a, b in pairwise(index)]
    assert theirs.periods_per_year == A_YEAR[frequency]
    assert theirs.volatility_annual == pytest.approx(statistics.stdev(moves) * A_YEAR[frequency] ** 0.5)
    assert theirs.sharpe == pytest.approx(statistics.mean(moves) / statistics.stdev(moves) * A_YEAR[frequency] ** 0.5)
    assert ours.volatility_annual == pytest.approx(np.std(np.diff(prices) / prices[:-1], ddof=1) * main**0.5)

    places = [BUSINESS.index(day) for day in chosen]
    active = [prices[j] / prices[i] - 1 - m for (i, j), m in zip(pairwise(places), moves, strict=True)]
    common = A_YEAR[frequency]  # of the dates that both have
    assert ours.tracking_error_annual == pytest.approx(statistics.stdev(active) * common**0.5)
    ratio = statistics.mean(active) / statistics.stdev(active) * common**0.5
    assert ours.information_ratio == pytest.approx(ratio, abs=1e-9)


def test_the_number_that_is_given_is_that_of_strategies_alone() -> None:
    """A benchmark with the same dates, a symbol or a strategy, has what its dates say."""
    generator = np.random.default_rng(4)
    prices = 100 * np.exp(np.cumsum(generator.normal(0.0003, 0.01, (len(BUSINESS), 2)), axis=0))
    spec = BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        benchmarks=(BenchmarkSymbol("X"), EqualWeightStrategy("same")),
        periods_per_year=260.0,
    )
    done = run(
        prepare(spec, PricePanel.of(["X", "Y"], day_numbers(BUSINESS), prices)), lambda backtest: None, lambda: None
    )
    ours, (symbol, strategy) = done.strategies[0].performance, (one.performance for one in done.benchmarks)
    assert (ours.periods_per_year, symbol.periods_per_year, strategy.periods_per_year) == (260, 252, 252)
    assert ours.volatility_annual == pytest.approx(strategy.volatility_annual * (260 / 252) ** 0.5)
    moves = prices[1:, 0] / prices[:-1, 0] - 1
    levels = prices @ (0.5 / prices[0])
    active = levels[1:] / levels[:-1] - 1 - moves
    assert symbol.volatility_annual == pytest.approx(moves.std(ddof=1) * 252**0.5)
    assert ours.tracking_error_annual == pytest.approx(active.std(ddof=1) * 252**0.5)
    assert strategy.tracking_error_annual == pytest.approx(ours.tracking_error_annual)


def test_a_spacing_that_is_none_has_its_share_of_the_dates() -> None:
    """Every third of 40 weekly dates, which is no usual spacing: 52 / 3 a year."""
    weekly = PricePanel.of(["X"], range(0, 280, 7), np.linspace(1.0, 2.0, 40) ** 2)
    third = PricePanel.of(["I"], range(0, 280, 21), np.linspace(1.0, 3.0, 14))
    spec = BacktestSpecification(
        (EqualWeightStrategy(),), Rebalancing(BuyAndHold()), Fill.SAME_CLOSE, benchmarks=(BenchmarkSymbol("I"),)
    )
    done = run(prepare(spec, weekly, {"I": third}), lambda backtest: None, lambda: None)
    assert done.strategies[0].performance.periods_per_year == 52
    assert done.benchmarks[0].performance.periods_per_year == pytest.approx(52 / 3)


def test_dates_that_are_dropped_do_not_shrink_the_year() -> None:
    """One asset has a price a month only: the backtest is one of months."""
    values = np.cumprod(np.full((600, 2), 1.001), axis=0)
    values[np.arange(600) % 30 != 0, 1] = np.nan
    spec = BacktestSpecification((EqualWeightStrategy(),), missing_data=MissingDataPolicy.DROP_DATES)
    plan = prepare(spec, PricePanel.of("AB", range(600), values))
    assert plan.market.periods_per_year == 12


def test_a_benchmark_that_is_a_symbol_pays_nothing_of_any_kind() -> None:
    """It is bought and held without costs, where the strategy beside it pays them."""
    prices = np.array([[100.0, 50.0], [101.0, 51.0], [103.0, 49.0], [102.0, 52.0]])
    spec = BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(BuyAndHold()),
        costs=CostModel(LinearCost(10.0)),
        benchmarks=(BenchmarkSymbol("B"),),
        periods_per_year=252.0,
    )
    done = run(prepare(spec, PricePanel.of("AB", range(4), prices)), lambda backtest: None, lambda: None)
    assert done.strategies[0].costs.commission > 0.0
    assert astuple(done.benchmarks[0].costs) == (0.0,) * len(fields(CostTotals))
    assert done.benchmarks[0].costs.total == 0.0
    assert done.benchmarks[0].performance.total_return == pytest.approx(52.0 / 50.0 - 1.0)
