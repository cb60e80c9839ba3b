"""External flows that are refused: those of nothing, and withdrawals of all there is."""

import numpy as np
import pytest

from domain.backtest.cash_flows import CashFlow, RecurringCashFlow
from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import FixedWeights
from domain.calendar import Frequency
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel


def final_value(flows: tuple[CashFlow, ...], recurring: tuple[RecurringCashFlow, ...]) -> float:
    """Of 100 in an asset whose price does not change, on days 1970-01-11 to 1970-01-14."""
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),),
        rebalancing=Rebalancing(BuyAndHold()),
        initial_capital=100.0,
        cash_flows=flows,
        recurring_cash_flows=recurring,
        periods_per_year=252.0,
    )
    plan = prepare(specification, PricePanel.of("A", range(10, 14), np.ones((4, 1))))
    return run(plan, lambda _: None, lambda: None).strategies[0].final_nav


def daily(**more: float) -> RecurringCashFlow:
    return RecurringCashFlow(Frequency.DAILY, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["amount", "fraction_of_nav"])
def test_a_recurring_flow_of_nothing_is_refused(field: str) -> None:
    with pytest.raises(InvalidInput, match="must not be 0: such a flow has no effect") as raised:
        final_value((), (daily(amount=1.0), daily(**{field: 0.0})))
    assert raised.value.field == f"recurring_cash_flows[1].{field}"


def test_flows_of_three_dates() -> None:
    assert final_value((CashFlow(12, -10.0),), (daily(amount=1.0),)) == pytest.approx(93.0)


def test_a_withdrawal_of_all_there_is_is_refused() -> None:
    with pytest.raises(InvalidInput, match="leaves nothing: the withdrawal of 100 on 1970-01-13") as raised:
        final_value((CashFlow(11, 0.5), CashFlow(12, -100.0)), (daily(amount=-0.25),))
    assert raised.value.field == "cash_flows[1].amount"


def test_recurring_withdrawals_of_all_there_is_are_refused() -> None:
    """40 on each of three dates, of 100."""
    with pytest.raises(InvalidInput, match="leave nothing: the withdrawal on 1970-01-14 is the whole") as raised:
        final_value((), (daily(amount=-40.0),))
    assert raised.value.field == "recurring_cash_flows"
