"""A net asset value of 0 or less ends an account; what it says then agrees with itself."""

from typing import Any

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow, FlowTiming, RecurringCashFlow
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, EveryPeriods, Rebalancing
from domain.backtest.result import StrategyOutcome
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import FixedWeights
from domain.calendar import Frequency
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel


def ruined(prices: list[float], weight: float = 3.0, **more: Any) -> StrategyOutcome:
    """3 units at 100, 200 of them borrowed; the dates are days 10, 11, ..."""
    specification = BacktestSpecification(
        (FixedWeights({"A": weight}, leveraged=True),),
        **(
            {
                "rebalancing": Rebalancing(BuyAndHold()),
                "initial_holdings": {"A": 3.0},
                "initial_capital": -200.0,
                "periods_per_year": 252.0,
            }
            | more
        ),
    )
    panel = PricePanel.of("A", range(10, 10 + len(prices)), np.array(prices)[:, None])
    return run(prepare(specification, panel), lambda _: None, lambda: None).strategies[0]


def assert_agrees(outcome: StrategyOutcome, day: int) -> None:
    """Nothing is left, and it says how that came about."""
    parts = outcome.reconciliation
    assert parts is not None
    assert outcome.record is not None
    assert outcome.bankrupt_day == day
    assert outcome.final_nav == parts.end_nav == 0.0
    assert outcome.performance.total_return == outcome.performance.cagr == -1.0
    assert outcome.performance.max_drawdown == 1.0
    assert outcome.record.unit_values[-1] == 0.0
    assert parts.start_nav + parts.flows + parts.gains - parts.costs == pytest.approx(0.0, abs=1e-10)


FALL = [100.0, 100.0, 50.0, 60.0, 200.0]


@pytest.mark.parametrize("amount", [1000.0, -10.0])
def test_a_flow_on_the_date_of_ruin_is_not_received(amount: float) -> None:
    """3 units at 50 less 200 are -50: the loss of 100 is what there was, and 50 are the lender's."""
    outcome = ruined(FALL, cash_flows=(CashFlow(12, amount),))
    assert_agrees(outcome, 12)
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.flows == 0.0
    assert outcome.reconciliation.gains == pytest.approx(-100.0, rel=1e-12)
    assert outcome.reconciliation.uncovered_loss == pytest.approx(50.0, rel=1e-12)
    assert "no external cash flow is received" in outcome.failures[-1].message


def test_money_that_came_before_the_period_is_lost_with_the_rest() -> None:
    outcome = ruined(FALL, cash_flows=(CashFlow(12, 20.0, FlowTiming.START_OF_DAY), CashFlow(13, 5.0)))
    assert_agrees(outcome, 12)
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.flows == 20.0
    assert outcome.reconciliation.gains == pytest.approx(-120.0, rel=1e-12)
    assert outcome.reconciliation.uncovered_loss == pytest.approx(30.0, rel=1e-12)


def test_recurring_flows_end_with_the_account() -> None:
    outcome = ruined(FALL, recurring_cash_flows=(RecurringCashFlow(Frequency.DAILY, amount=1.0),))
    assert_agrees(outcome, 12)
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.flows == 1.0


def test_money_whose_investment_costs_more_than_there_was_without_it_is_not_received() -> None:
    """1 is left of 100 when 1000 come in; to invest them costs 5, a return of -104 % without them."""
    outcome = ruined(
        [100.0, 100.0, 67.0, 67.0],
        rebalancing=Rebalancing(EveryPeriods(1)),
        costs=CostModel(fixed_fee=5.0),
        cash_flows=(CashFlow(12, 1000.0),),
        charge_initial_purchase=False,
    )
    assert_agrees(outcome, 12)
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.flows == 0.0
    assert outcome.reconciliation.uncovered_loss == pytest.approx(4.0, rel=1e-9)


def test_capital_that_is_lost_in_the_rounding_of_a_flow_is_refused() -> None:
    """Nothing was lost, and no return of 1e-300 can be told beside 1000: neither ruin nor a figure would be true."""
    with pytest.raises(InvalidInput, match="too large or too small for a number"):
        ruined(FALL, 0.0, initial_holdings={}, initial_capital=1e-300, cash_flows=(CashFlow(12, 1000.0),))


def test_ruin_to_exactly_nothing_leaves_no_uncovered_loss() -> None:
    outcome = ruined([150.0, 150.0, 0.0], 1.0, initial_capital=0.0)
    assert_agrees(outcome, 12)
    assert outcome.reconciliation is not None
    assert outcome.reconciliation.uncovered_loss == 0.0


def test_the_reconciliation_of_a_ruined_account_would_notice_a_missing_gain() -> None:
    """Gains come from prices, and the uncovered loss from cash and positions at the mark: neither from the other."""
    outcome = ruined(FALL)
    assert outcome.record is not None
    assert outcome.record.gains.sum() == pytest.approx(-150.0, rel=1e-12)
    assert float(outcome.record.account["uncovered_loss"][-1]) == pytest.approx(50.0, rel=1e-12)
