"""The price and the spread of a quote, beside figures worked out by hand."""

import pytest

from domain.market_data.quoted import quoted_price, quoted_spread_bps


@pytest.mark.parametrize(
    ("bid", "ask", "last", "price", "spread_bps"),
    [
        (99.0, 101.0, 100.5, 100.5, 200.0),  # a trade counts before the middle
        (99.0, 101.0, None, 100.0, 200.0),
        (100.0, 100.0, None, 100.0, 0.0),
        (99.0, None, None, None, None),  # one side alone is no price
        (None, 101.0, None, None, None),
        (101.0, 99.0, None, None, None),  # crossed
        (101.0, 99.0, 100.0, 100.0, None),
        (None, 101.0, 98.0, 98.0, None),
        (None, None, None, None, None),
    ],
)
def test_the_price_and_the_spread_of_a_quote(
    bid: float | None, ask: float | None, last: float | None, price: float | None, spread_bps: float | None
) -> None:
    assert quoted_price(bid, ask, last) == price
    assert quoted_spread_bps(bid, ask) == spread_bps
