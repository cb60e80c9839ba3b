"""What a backtest on returns refuses: each figure for one unit of an asset, by its field."""

from typing import Any

import pytest

from domain.backtest.returns_input import refuse_what_needs_prices
from domain.backtest.specification import BacktestSpecification, Fill
from domain.backtest.strategies import FixedWeights
from domain.costs.linear import LinearCost
from domain.costs.model import CostModel
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, PriceBasis, Split

DELISTED = CorporateAction("A", 3, Delisting(-0.5))


def on_returns(**more: Any) -> BacktestSpecification:
    return BacktestSpecification((FixedWeights({"A": 1.0}),), **more)


def test_fractions_of_values_need_no_price() -> None:
    specification = on_returns(corporate_actions=(DELISTED,), costs=CostModel(LinearCost(10.0), fixed_fee=1.0))
    refuse_what_needs_prices(specification, with_open_prices=False)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        (
            {"corporate_actions": (DELISTED, CorporateAction("A", 2, CashDividend(1.0)))},
            "corporate_actions[1].cash_dividend",
        ),
        ({"corporate_actions": (CorporateAction("A", 2, Split(2.0)),)}, "corporate_actions[0].split"),
        ({"price_basis": PriceBasis.UNADJUSTED}, "price_basis"),
        ({"initial_holdings": {"A": 1.0}}, "initial_holdings"),
        ({"fractional_holdings": False}, "fractional_holdings"),
        ({"costs": CostModel(LinearCost(), commission_per_unit=0.01)}, "costs.commission_per_share"),
        ({"fill": Fill.NEXT_OPEN}, "execution.fill"),
    ],
)
def test_money_for_a_unit_and_numbers_of_units_are_refused(more: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=r"; send prices, or leave it out$") as raised:
        refuse_what_needs_prices(on_returns(**more), with_open_prices=False)
    assert raised.value.field == field


def test_opening_prices_are_refused() -> None:
    with pytest.raises(InvalidInput, match="are prices of one unit") as raised:
        refuse_what_needs_prices(on_returns(), with_open_prices=True)
    assert raised.value.field == "open_prices"
