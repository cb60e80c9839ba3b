"""A benchmark that is a symbol goes through the corporate actions that the strategy goes through."""

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.specification import BacktestSpecification, BenchmarkSymbol, Fill
from domain.backtest.strategies import EqualWeightStrategy
from domain.market_data.corporate_actions import CashDividend, CorporateAction, PriceBasis, Split
from domain.market_data.panel import PricePanel


@pytest.mark.parametrize("event", [Split(2.0), CashDividend(5.0)])
def test_a_fall_that_an_action_explains(event: Split | CashDividend) -> None:
    """From 10 to 5 by a 2:1 split, or by a dividend of 5: nothing is lost."""
    panel = PricePanel.of(("A",), range(9000, 9004), np.array([[10.0], [10.0], [5.0], [5.0]]))
    specification = BacktestSpecification(
        (EqualWeightStrategy(),),
        Rebalancing(BuyAndHold()),
        Fill.SAME_CLOSE,
        benchmarks=(BenchmarkSymbol("A"),),
        corporate_actions=(CorporateAction("A", 9002, event),),
        price_basis=PriceBasis.UNADJUSTED,
        periods_per_year=252.0,
    )
    outcome = run(prepare(specification, panel), lambda backtest: None, lambda: None)
    for one in (*outcome.strategies, *outcome.benchmarks):
        assert one.performance.final_wealth == pytest.approx(1.0, rel=1e-12)
