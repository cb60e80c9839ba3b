"""Fees that exceed the net asset value make a rebalancing fail; nothing is traded and nothing is lost."""

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import EqualWeightStrategy
from domain.costs.model import CostModel
from domain.market_data.panel import PricePanel

PANEL = PricePanel.of(("A", "B"), range(9000, 9005), np.full((5, 2), 10.0))


@pytest.mark.parametrize(("fee", "fills"), [(9.0, 0), (0.6, 0), (0.4, 1)])
def test_a_fixed_fee(fee: float, fills: int) -> None:
    """Two trades at the start: they cost twice the fee, of a net asset value of 1."""
    specification = BacktestSpecification(
        (EqualWeightStrategy(),), Rebalancing(EveryPeriods(10)), costs=CostModel(fixed_fee=fee), periods_per_year=252.0
    )
    (outcome,) = run(prepare(specification, PANEL), lambda backtest: None, lambda: None).strategies
    assert outcome.rebalances == fills
    assert [failure.reason for failure in outcome.failures] == ["WEALTH_EXHAUSTED"] * (1 - fills)
    assert outcome.costs.fixed == pytest.approx(2.0 * fee * fills)
    assert outcome.final_nav == pytest.approx(1.0 - 2.0 * fee * fills)
