"""The purchase from cash alone: what it is free of, and which trades are not one."""

from typing import Any

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.record import RecordPart
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights, WeightSchedule
from domain.costs.impact import Liquidity
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel

HALF = FixedWeights({"A": 0.5, "B": 0.5})


def simulated(strategy: Any = HALF, rebalancing: Rebalancing | None = None, **more: Any) -> RecordPart:
    fields: dict[str, Any] = {
        "costs": CostModel(LinearCost(100.0)), "initial_capital": 100.0, "charge_initial_purchase": False,
    }  # fmt: skip
    specification = BacktestSpecification(
        (strategy,), rebalancing or Rebalancing(BuyAndHold()), Fill.SAME_CLOSE, periods_per_year=252.0, **fields | more
    )
    panel = PricePanel.of("AB", range(6), np.ones((6, 2)))
    record = run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0].record
    assert record is not None
    return record


def test_the_purchase_from_cash_is_free() -> None:
    record = simulated()
    assert record.cost_fractions.tolist() == [0.0]
    assert record.units[0] == pytest.approx([50.0, 50.0], rel=1e-13)


def test_the_first_rebalancing_of_holdings_is_an_ordinary_one() -> None:
    """100 of A become half A, half B: of V' afterwards, 100 - V'/2 are sold and V'/2 bought, together 100 at 1 %."""
    record = simulated(initial_holdings={"A": 100.0}, initial_capital=0.0)
    assert record.nav.tolist() == pytest.approx([100.0, 99.0, 99.0, 99.0, 99.0, 99.0], rel=1e-13)


def test_a_turnover_limit_holds_for_holdings_from_the_start() -> None:
    rule = Rebalancing(BuyAndHold(), max_turnover=0.1)
    record = simulated(rebalancing=rule, initial_holdings={"A": 100.0}, initial_capital=0.0, costs=CostModel())
    assert record.turnovers.tolist() == pytest.approx([0.1], rel=1e-12)
    once = Rebalancing(EveryPeriods(9), max_turnover=0.1)
    assert simulated(rebalancing=once, costs=CostModel()).turnovers.tolist() == pytest.approx([0.5], rel=1e-12)


def test_cash_alone_after_a_decision_for_cash_is_a_first_purchase_still() -> None:
    record = simulated(WeightSchedule(((0, {"A": 0.0}), (1, {"A": 1.0}), (2, {"B": 1.0}))))
    assert record.cost_fractions == pytest.approx([0.0, 0.0, 0.02 / 1.01], rel=1e-12)


def test_the_rest_of_a_first_purchase_is_free() -> None:
    """25 of 50 on each of two dates."""
    costs = CostModel(LinearCost(100.0), liquidity={name: Liquidity(2500.0, 0.1) for name in "AB"})
    record = simulated(costs=costs, max_participation=0.01)
    assert record.units.tolist() == [[25.0, 25.0], [50.0, 50.0]]
    assert record.cost_fractions.tolist() == [0.0, 0.0]
