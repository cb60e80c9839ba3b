"""Whether the prices of a portfolio are all in its currency."""

import pytest

from domain.errors import InvalidInput
from domain.market_data.currencies import (
    Currencies,
    ForeignPrice,
    currency_of_portfolio,
    foreign_price,
    needs_rate,
    several_currencies,
)
from domain.market_data.snapshot import Quote, Snapshot


@pytest.mark.parametrize(
    ("own", "of_assets", "currency"),
    [
        ("USD", {"A": "EUR"}, "USD"),
        ("", {"B": "CHF", "A": "", "C": "EUR"}, "CHF"),
        ("", {"A": ""}, ""),
        ("", {}, ""),
    ],
)
def test_a_portfolio_without_a_currency_has_that_of_its_assets(
    own: str, of_assets: dict[str, str], currency: str
) -> None:
    assert currency_of_portfolio(own, of_assets) == currency


@pytest.mark.parametrize(
    ("currency", "of_assets", "found"),
    [
        ("USD", {"A": "USD", "B": ""}, None),
        ("USD", {"C": "EUR", "B": "CHF", "A": "USD"}, ForeignPrice("B", "CHF", "USD", 2)),
        ("", {"A": "EUR"}, ForeignPrice("A", "EUR", "", 1)),
    ],
)
def test_the_first_asset_that_needs_a_rate(
    currency: str, of_assets: dict[str, str], found: ForeignPrice | None
) -> None:
    assert foreign_price(currency, of_assets) == found


@pytest.mark.parametrize("own", ["", "USD", "EUR"])
@pytest.mark.parametrize("currency", ["", "USD"])
def test_a_plan_asks_for_a_rate_of_the_same_prices(own: str, currency: str) -> None:
    market = Snapshot({"A": Quote(1.0)})
    if needs_rate(own, currency):
        with pytest.raises(InvalidInput, match="needs a rate"):
            Currencies({"A": own}).converted(market, currency)
    else:
        assert Currencies({"A": own}).converted(market, currency) == market


def test_several_currencies_are_named_each_with_its_first_asset() -> None:
    (warning,) = several_currencies({"D": "USD", "B": "EUR", "C": "EUR", "A": ""}, "market_data")
    assert (warning.code, warning.field) == ("SEVERAL_CURRENCIES", "market_data")
    assert "in several currencies, EUR (B), USD (D), and" in warning.message
    assert several_currencies({"A": "USD", "B": "", "C": "USD"}, "market_data") == ()
    assert several_currencies({}, "market_data") == ()
