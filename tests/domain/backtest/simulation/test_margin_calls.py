"""Margin calls: rounding calls for none, and a trade that is too small to be made pays no fee."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel


def outcome_of(
    prices: np.ndarray, weights: np.ndarray, ratio: float, costs: CostModel, holdings: dict[str, float] | None = None
) -> StrategyOutcome:
    symbols = [f"S{i}" for i in range(prices.shape[1])]
    specification = BacktestSpecification(
        (FixedWeights(dict(zip(symbols, weights.tolist(), strict=True)), leveraged=True),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        costs=costs,
        initial_capital=1000.0,
        initial_holdings=holdings or {},
        maintenance_ratio=ratio,
        periods_per_year=252.0,
    )
    panel = PricePanel.of(symbols, range(len(prices)), prices)
    return run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0]


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_what_is_restored_is_not_called_again(seed: int) -> None:
    """Prices fall once and stay: all sales are of that date, with their fees."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 6))
    weights = 1.9 * rng.dirichlet(np.ones(count)) * rng.choice([1.0, -1.0])
    before = np.exp(rng.normal(2.0, 1.0, count))
    after = before * np.exp(np.sign(weights) * rng.uniform(-0.3, -0.02))
    fees = CostModel(LinearCost(float(rng.choice([0.0, 7.0]))), fixed_fee=float(rng.choice([0.0, 1.0])))
    outcome = outcome_of(np.array([before, before, *[after] * 5]), weights, 0.52, fees)
    record = outcome.record
    assert record is not None
    calls = [int(one[0]) for one in record.events]
    assert calls == [2] * len(calls)
    assert len(calls) in (0, count)
    assert record.nav[2:] == pytest.approx(np.full(5, record.nav[2]), rel=1e-12)


def test_a_position_that_is_too_small_to_trade_pays_no_fee() -> None:
    """S1 is worth 1e-13 of the account: closing it would cost a fee and change nothing."""
    prices = np.array([[1.0, 1.0], [0.9, 1.0], [0.9, 1.0]])
    weights = np.array([1.9, 0.5e-12])
    record = outcome_of(prices, weights, 0.52, CostModel(fixed_fee=1.0), {"S1": 2e-10}).record
    assert record is not None
    assert [int(one[1]) for one in record.events] == [0]
    expected = 1000.0 - 1.0 - 0.1 * record.units[0][0]
    assert record.nav[1] == pytest.approx(expected - 1.0, rel=1e-9)
