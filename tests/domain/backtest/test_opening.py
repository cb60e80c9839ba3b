"""The largest holding that an account may begin with beside its net asset value."""

import numpy as np
import pytest

from domain.backtest.flow import run
from domain.backtest.preparation import prepare
from domain.backtest.rebalancing import BuyAndHold, Rebalancing
from domain.backtest.specification import BacktestSpecification
from domain.backtest.strategies import FixedWeights
from domain.errors import InvalidInput
from domain.market_data.panel import PricePanel

MILLION = 1_000_000.0


def opened_with(quantity: float) -> float:
    """The first net asset value of so many units at a price of 1 and a net asset value of 1."""
    specification = BacktestSpecification(
        (FixedWeights({"A": 1.0}),),
        rebalancing=Rebalancing(BuyAndHold()),
        initial_holdings={"A": quantity},
        initial_capital=1.0 - quantity,
        periods_per_year=252.0,
    )
    (outcome,) = run(
        prepare(specification, PricePanel.of("A", range(3), np.ones((3, 1)))), lambda _: None, lambda: None
    ).strategies
    assert outcome.record is not None
    return float(outcome.record.nav[0])


@pytest.mark.parametrize("quantity", [MILLION, -MILLION])
def test_a_holding_of_a_million_net_asset_values_is_taken(quantity: float) -> None:
    assert opened_with(quantity) == 1.0


@pytest.mark.parametrize("quantity", [MILLION + 1.0, -MILLION - 1.0])
def test_a_larger_holding_is_refused(quantity: float) -> None:
    with pytest.raises(InvalidInput, match="must be worth at most 1e\\+06 times the net asset value") as raised:
        opened_with(quantity)
    assert raised.value.field == "initial_holdings[0].quantity"
