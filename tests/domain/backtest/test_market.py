"""The largest dividend beside a price, on the date before its ex-date and on that date."""

import numpy as np
import pytest

from domain.backtest.market import actions_as_arrays
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, DividendPolicy
from domain.market_data.panel import PricePanel

MILLION = 1_000_000.0


@pytest.mark.parametrize(
    ("prices", "ex_date", "largest"),
    [
        ([5.0, 1.0, 2.0, 9.0], 2, 2.0 * MILLION),
        ([5.0, 3.0, 2.0, 9.0], 2, 3.0 * MILLION),
        ([5.0, 3.0, 2.0, 9.0], 0, 5.0 * MILLION),
    ],
)
def test_a_dividend_is_at_most_a_million_times_the_price(prices: list[float], ex_date: int, largest: float) -> None:
    panel = PricePanel.of("A", range(4), np.array(prices)[:, None])

    def amount_of(dividend: float) -> float:
        action = CorporateAction("A", ex_date, CashDividend(dividend))
        return float(actions_as_arrays(panel, [action], DividendPolicy.CASH, 0.0).amount[0])

    assert amount_of(largest) == largest
    with pytest.raises(InvalidInput, match="must be at most 1e\\+06 times the price") as raised:
        amount_of(1.25 * largest)
    assert raised.value.field == "corporate_actions[0].cash_dividend.amount"
