"""Quotes, volumes and values from panels, beside figures worked out by hand."""

import numpy as np
import pytest

from domain.market_data.panel import PricePanel
from domain.market_data.snapshot import Quote, Snapshot
from domain.portfolio import Portfolio
from domain.reallocation.market import (
    TradingTerms,
    liquidity_of,
    net_asset_value,
    snapshot_of,
)

NAN = float("nan")


def panel(**columns: list[float]) -> PricePanel:
    values = np.array(list(columns.values())).T
    return PricePanel(tuple(columns), np.arange(len(values), dtype=np.int32), values)


def test_a_quote_is_the_last_price_that_is_known() -> None:
    prices = panel(A=[1.0, 2.0, 3.0], B=[10.0, 20.0, NAN], C=[NAN, NAN, NAN])
    # Two returns, 100 % and 50 %, have a standard deviation of √0.125 a day; one return has none.
    quotes = snapshot_of(prices, None, {}).quotes
    assert quotes.keys() == {"A", "B"}
    assert (quotes["A"].price, quotes["B"]) == (3.0, Quote(20.0))
    assert quotes["A"].volatility_annual == pytest.approx((0.125 * 252.0) ** 0.5)


def test_terms_give_lots_halts_and_leave_out_what_is_not_listed() -> None:
    prices = panel(A=[1.0, 2.0], B=[1.0, 4.0], C=[5.0, 5.0])
    terms = {"A": TradingTerms(lot_size=100.0), "B": TradingTerms(halted=True), "C": TradingTerms(listed=False)}
    found = snapshot_of(prices, panel(A=[10.0, 30.0]), terms)
    assert found.quotes == {
        "A": Quote(2.0, average_daily_volume=20.0, lot_size=100.0),
        "B": Quote(4.0, halted=True),
    }


def test_a_net_asset_value_counts_cash_and_what_has_a_quote() -> None:
    market = Snapshot({"A": Quote(10.0), "B": Quote(5.0)})
    assert net_asset_value(Portfolio({"A": 3.0, "X": 100.0}, cash=7.0), market) == 37.0


def test_liquidity_is_the_daily_value_of_the_symbols_asked_for() -> None:
    market = Snapshot(
        {"A": Quote(10.0, average_daily_volume=4.0, volatility_annual=0.2), "B": Quote(1.0, 1.0), "C": Quote(1.0, 0.0)}
    )
    found = liquidity_of(market, ("A", "C"))
    assert found.keys() == {"A"}
    assert (found["A"].daily_value, found["A"].volatility_annual) == (40.0, 0.2)
