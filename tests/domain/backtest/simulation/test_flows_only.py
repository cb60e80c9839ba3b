"""Flows only: money that came in buys what is below its target, and nothing is sold."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.backtest.cash_flows import CashFlow
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights, WeightSchedule
from domain.costs.impact import Liquidity
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.missing import MissingDataPolicy
from domain.market_data.panel import PricePanel
from tests.domain.backtest.simulation.random_cases import random_backtest

HALF = {"A": 0.5, "B": 0.5}
NAN = float("nan")


def simulated(
    prices: Mapping[str, Sequence[float]],
    flows: Mapping[int, float],
    weights: Mapping[str, float] = HALF,
    rebalancing: Rebalancing | None = None,
    bps: float = 0.0,
    **more: Any,
) -> RecordPart:
    panel = PricePanel.of(list(prices), range(len(prices["A"])), np.column_stack(list(prices.values())))
    specification = BacktestSpecification(
        (FixedWeights(weights),),
        rebalancing or Rebalancing(BuyAndHold(), flows_only=True),
        **{
            "fill": Fill.SAME_CLOSE,
            "initial_capital": 100.0,
            "costs": CostModel(LinearCost(bps)),
            "cash_flows": tuple(CashFlow(day, amount) for day, amount in flows.items()),
            "periods_per_year": 252.0,
        }
        | more,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


def falls(record: RecordPart, units: np.ndarray) -> list[tuple[int, int]]:
    """Dates and assets whose quantity falls through a fill; `units` (N,) are those at the start."""
    found = []
    for index, is_fill, after in zip(record.indices, record.fills, record.units, strict=True):
        found += [(int(index), int(j)) for j in np.flatnonzero(after < units) if is_fill]
        units = after
    return found


@pytest.mark.parametrize("bps", [0.0, 100.0])
def test_a_price_that_rises_before_the_fill_sells_nothing(bps: float) -> None:
    """20 come in while A and B are worth 50 each; B doubles before it is filled. Costs are paid from the 20."""
    record = simulated({"A": [1.0] * 4, "B": [1.0, 1.0, 1.0, 2.0]}, {2: 20.0}, bps=bps, fill=Fill.NEXT_CLOSE)
    bought = 100.0 / (1.0 + bps * 1e-4)
    more = 20.0 / (1.0 + bps * 1e-4)
    assert record.indices.tolist() == [1, 3]
    assert record.units[1] == pytest.approx([0.5 * bought + 0.5 * more, 0.5 * bought + 0.25 * more], rel=1e-13)
    assert record.cash[1] == pytest.approx(0.0, abs=1e-12)


def test_what_is_not_bought_is_left_as_it_is() -> None:
    """All of the money goes to B. Its costs do not make A a little too heavy."""
    record = simulated({"A": [1.0, 2.0], "B": [1.0, 1.0]}, {1: 20.0}, bps=50.0)
    assert record.units[1][0] == record.units[0][0]
    assert record.units[1][1] - record.units[0][1] == pytest.approx(20.0 / 1.005, rel=1e-13)


def test_a_withdrawal_sells_nothing() -> None:
    """Cash goes down, below 0 where it is short; money that comes in later fills it up first."""
    record = simulated({"A": [1.0] * 4, "B": [1.0] * 4}, {1: -30.0, 2: 50.0})
    assert record.indices.tolist() == [0, 2]
    assert record.units[1] == pytest.approx([60.0, 60.0], rel=1e-13)
    assert record.nav.tolist() == pytest.approx([100.0, 70.0, 120.0, 120.0], rel=1e-13)


def test_a_flow_in_a_cooldown_is_invested_after_it() -> None:
    rule = Rebalancing(BuyAndHold(), min_periods_between=4, flows_only=True)
    record = simulated({"A": [1.0] * 8, "B": [1.0] * 8}, {1: 10.0, 2: 10.0}, rebalancing=rule)
    assert record.indices.tolist() == [0, 4]
    assert record.units[1] == pytest.approx([60.0, 60.0], rel=1e-13)


def test_a_flow_beside_a_trade_that_waits_is_invested_after_it() -> None:
    """B is halted on date 3, where the first 20 buy it; those of date 3 wait until it has been traded."""
    prices = {"A": [1.0] * 6, "B": [1.0, 1.0, NAN, NAN, 1.0, 1.0]}
    record = simulated(prices, {2: 20.0, 3: 20.0}, fill=Fill.NEXT_CLOSE, missing_data=MissingDataPolicy.ASSET_STATES)
    assert record.indices[record.fills].tolist() == [1, 3, 4, 5]
    assert record.units[-1] == pytest.approx([70.0, 70.0], rel=1e-13)
    assert falls(record, np.zeros(2)) == []
    assert record.cash[-1] == pytest.approx(0.0, abs=1e-11)


def test_decisions_that_are_not_filled_hold_up_no_flow() -> None:
    """A decision on every date, each waiting for the next close in vain."""
    rule = Rebalancing(EveryPeriods(1), flows_only=True)
    record = simulated({"A": [1.0] * 6, "B": [1.0] * 6}, {2: 20.0}, rebalancing=rule, fill=Fill.NEXT_CLOSE)
    assert record.indices.tolist() == [1, 3]
    assert record.units[1] == pytest.approx([60.0, 60.0], rel=1e-13)


def test_a_later_decision_is_the_target_and_sells_nothing() -> None:
    panel = PricePanel.of("AB", range(4), np.ones((4, 2)))
    specification = BacktestSpecification(
        (WeightSchedule(((0, {"A": 1.0}), (1, {"B": 1.0}))),),
        Rebalancing(BuyAndHold(), flows_only=True),
        Fill.SAME_CLOSE,
        initial_capital=100.0,
        cash_flows=(CashFlow(2, 20.0),),
        periods_per_year=252.0,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    assert record.units[-1] == pytest.approx([100.0, 20.0], rel=1e-13)


def test_the_first_decision_sells_none_of_the_initial_holdings() -> None:
    """The cash beside them is money to invest: 20 for B, which is 90 below its target."""
    record = simulated(
        {"A": [1.0] * 3, "B": [1.0] * 3}, {}, initial_capital=20.0, initial_holdings={"A": 200.0, "B": 10.0}
    )
    assert record.indices.tolist() == [0]
    assert record.units[0] == pytest.approx([200.0, 30.0], rel=1e-13)


def test_a_turnover_limit_leaves_money_for_the_next_date() -> None:
    rule = Rebalancing(BuyAndHold(), flows_only=True, max_turnover=0.05)
    record = simulated({"A": [1.0] * 6, "B": [1.0] * 6}, {1: 25.0}, rebalancing=rule)
    # 10 % of 125 are bought on each of two dates.
    assert record.indices.tolist() == [0, 1, 2]
    assert record.units[1] == pytest.approx([56.25, 56.25], rel=1e-13)
    assert record.units[2] == pytest.approx([62.5, 62.5], rel=1e-13)


def test_a_participation_limit_carries_money() -> None:
    """At most 4 of each on a date: 3 dates for 10 of each, of which the price of A doubles after the first."""
    costs = CostModel(liquidity={name: Liquidity(400.0, 0.1) for name in "AB"})
    prices = {"A": [1.0, 1.0, 2.0, 2.0, 2.0], "B": [1.0] * 5}
    record = simulated(
        prices, {1: 20.0}, costs=costs, max_participation=0.01, initial_holdings={"A": 50.0, "B": 50.0},
        initial_capital=0.0,
    )  # fmt: skip
    assert record.indices[record.fills].tolist() == [1, 2, 3]
    assert record.units[-1] == pytest.approx([50.0 + 4.0 + 6.0 / 2.0, 60.0], rel=1e-13)


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_no_quantity_falls_through_a_fill(seed: int) -> None:
    """At the same close, the next close and the next open, with lags, and everything else switched on."""
    rng = np.random.default_rng(seed)
    backtest = random_backtest(seed)
    specification = backtest.specification
    count = len(backtest.case.units)
    schedule = specification.strategies[0]
    assert isinstance(schedule, WeightSchedule)
    entries = tuple(
        (day, dict(zip(weights, rng.dirichlet(np.ones(count + 1))[:count].tolist(), strict=True)))
        for day, weights in schedule.entries
    )
    rules = replace(specification.rebalancing, band=None, flows_only=True)
    changed = replace(specification, strategies=(WeightSchedule(entries),), rebalancing=rules, maintenance_ratio=None)
    try:
        record = replace(backtest, specification=changed).outcome().record
    except InvalidInput as error:
        assert "leave" in error.rule  # noqa: PT017  # a withdrawal of everything is refused
        return
    assert record is not None
    units = np.array([specification.initial_holdings.get(symbol, 0.0) for symbol in backtest.panel.symbols])
    assert falls(record, units) == []


def test_no_money_stays_behind() -> None:
    """Flows on most dates, a cooldown and halts."""
    rng = np.random.default_rng(3)
    values = 10.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (30, 2)), axis=0))
    values[[5, 6, 12], 0] = NAN
    panel = PricePanel.of("AB", range(30), values)
    flows = {t: float(rng.uniform(1.0, 9.0)) for t in range(2, 25)}
    specification = BacktestSpecification(
        (FixedWeights(HALF),),
        Rebalancing(BuyAndHold(), min_periods_between=3, flows_only=True),
        Fill.NEXT_CLOSE,
        initial_capital=100.0,
        cash_flows=tuple(CashFlow(t, amount) for t, amount in flows.items()),
        missing_data=MissingDataPolicy.ASSET_STATES,
        periods_per_year=252.0,
    )
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    assert record.cash[-1] == pytest.approx(0.0, abs=1e-9)
    assert falls(record, np.zeros(2)) == []
