"""Amounts beside which the rest of an account would be lost in rounding are refused; those within reconcile."""

import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import EveryPeriods, Rebalancing
from domain.backtest.result import ReconciledNav
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import FixedWeights
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, PriceBasis
from domain.market_data.panel import PricePanel

PANEL = PricePanel.of("AB", range(100, 108), [[10.0 + t, 20.0 - t] for t in range(8)])


def reconciled(dividend: float = 0.0, weight: float = 1.0, **more: object) -> ReconciledNav:
    """Of an account of 1000 with A and B; A pays on date 3, when its price is 13."""
    given = {"initial_capital": 1000.0, **more}
    specification = BacktestSpecification(
        (FixedWeights({"A": weight, "B": 0.2}, leveraged=True),),
        Rebalancing(EveryPeriods(2)),
        price_basis=PriceBasis.UNADJUSTED,
        corporate_actions=(CorporateAction("A", 103, CashDividend(dividend)),),
        periods_per_year=252.0,
        **given,  # type: ignore[arg-type]
    )
    found = run(prepare(specification, PANEL), lambda _: None, lambda: None).strategies[0].reconciliation
    assert found is not None
    return found


@pytest.mark.parametrize("amount", [1.4e7, 1e12, 1e300])
@pytest.mark.parametrize("weight", [1.0, -0.5])
def test_a_dividend_of_more_than_a_million_times_the_price_is_refused(amount: float, weight: float) -> None:
    with pytest.raises(InvalidInput, match="at most 1e\\+06 times the price, 13") as raised:
        reconciled(amount, weight)
    assert raised.value.field == "corporate_actions[0].cash_dividend.amount"


@pytest.mark.parametrize("quantity", [2e8, -1e12, 1e300])
def test_a_holding_of_more_than_a_million_times_the_account_is_refused(quantity: float) -> None:
    """The cash beside it makes the account worth 1000 in all, where it can."""
    capital = 1000.0 - 10.0 * quantity
    with pytest.raises(InvalidInput, match="initial_holdings") as raised:
        reconciled(initial_holdings={"B": 0.0, "A": quantity}, initial_capital=capital)
    assert raised.value.field in ("initial_holdings[1].quantity", "initial_holdings")


def test_the_index_is_that_of_the_holding() -> None:
    with pytest.raises(InvalidInput, match="at most 1e\\+06 times the net asset value of 1000") as raised:
        reconciled(initial_holdings={"B": 1.0, "A": 2e8}, initial_capital=1000.0 - 20.0 - 2e9)
    assert raised.value.field == "initial_holdings[1].quantity"


@pytest.mark.parametrize("amount", [0.5, 1e3, 1.2e7])
@pytest.mark.parametrize("weight", [1.0, -0.5])
def test_what_is_within_the_limit_reconciles(amount: float, weight: float) -> None:
    money = reconciled(amount, weight)
    largest = max(money.start_nav, abs(money.gains), money.uncovered_loss)
    rest = money.start_nav + money.flows + money.gains - money.costs - money.end_nav
    assert abs(rest) <= 1e-10 * largest
