"""Net asset values at any proportional cost from one simulation without costs, and where that is not allowed."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from domain.backtest.cash_flows import CashFlow
from domain.backtest.drift_band import BandWidth, DriftBand
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import EqualWeightStrategy, FixedWeights, inverse_volatility
from domain.costs.impact import Liquidity, SquareRootImpact
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel

SYMBOLS, DATES = "ABC", 60
LIQUID = {symbol: Liquidity(1e6, 0.3) for symbol in SYMBOLS}


def panel(seed: int) -> PricePanel:
    steps = np.random.default_rng(seed).normal(0.0, 0.03, (DATES, len(SYMBOLS)))
    return PricePanel.of(SYMBOLS, range(20_000, 20_000 + DATES), 40.0 * np.exp(np.cumsum(steps, axis=0)))


def simulated(specification: BacktestSpecification, prices: PricePanel) -> RecordPart:
    record = run(prepare(specification, prices), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


def final_values(specification: BacktestSpecification, seed: int, bps: float) -> tuple[float, float]:
    """At a cost in proportion: by the roots of each fill of a simulation without it, and simulated."""
    prices, linear = panel(seed), LinearCost(bps)
    without = simulated(replace(specification, costs=replace(specification.costs, linear=LinearCost())), prices)
    start, held, kept = DATES - len(without.nav), np.zeros(len(SYMBOLS)), 1.0
    rate = float(linear.rates(("A",))[0])
    for index, units in zip(without.indices, without.units, strict=True):
        marks = prices.values[start + index]
        nav = float(units @ marks + without.cash[np.flatnonzero(without.indices == index)[0]])
        kept *= _root(units * marks / nav, held * marks / nav, rate)
        held = units
    paid = simulated(replace(specification, costs=replace(specification.costs, linear=linear)), prices)
    return without.nav[-1] * kept, float(paid.nav[-1])


def _root(weights: np.ndarray, fractions: np.ndarray, rate: float) -> float:
    found: float = brentq(lambda x: x - 1.0 + rate * np.abs(weights * x - fractions).sum(), 0.0, 1.0, xtol=1e-16)
    return found


PROPORTIONAL = BacktestSpecification((EqualWeightStrategy(),), Rebalancing(EveryPeriods(5)), initial_capital=1e4)


@pytest.mark.parametrize(
    "specification",
    [
        PROPORTIONAL,
        replace(PROPORTIONAL, fill=Fill.SAME_CLOSE),
        replace(PROPORTIONAL, strategies=(FixedWeights({"A": 0.5, "B": 0.2}),)),
        replace(PROPORTIONAL, strategies=(inverse_volatility(10),)),
        replace(PROPORTIONAL, rebalancing=Rebalancing(BuyAndHold(), DriftBand(BandWidth(absolute=0.03)))),
    ],
    ids=["next close", "same close", "with cash", "from the past", "bands"],
)
@given(st.integers(0, 10**6), st.floats(0.0, 300.0))
def test_one_simulation_without_costs_is_enough(specification: BacktestSpecification, seed: int, bps: float) -> None:
    found, expected = final_values(specification, seed, bps)
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {"costs": CostModel(fixed_fee=5.0)},
        {"costs": CostModel(least_commission=5.0)},
        {"costs": CostModel(impact=SquareRootImpact(1.0), liquidity=LIQUID)},
        {"fractional_holdings": False},
        {"cash_flows": (CashFlow(20_030, 1e3),)},
        {"rebalancing": Rebalancing(EveryPeriods(5), max_turnover=0.02)},
    ],
    ids=["fixed fee", "least commission", "impact", "whole units", "flow", "turnover limit"],
)
def test_with_anything_else_it_is_not(change: dict[str, Any]) -> None:
    found, expected = final_values(replace(PROPORTIONAL, **change), 3, 50.0)
    assert abs(found / expected - 1.0) > 1e-7
