"""Metrics of stored bars beside figures worked out by hand, and a spread beside the one that prices were made with."""

import numpy as np
import pytest

from domain.market_data.panel import PricePanel
from domain.reallocation.market_metrics import (
    LEAST_SPREAD_DATES,
    SPREAD_DATES,
    VOLATILITY_RETURNS,
    VOLUME_DAYS,
    Bars,
    MarketMetrics,
    market_metrics,
    stale_prices,
)

NAN = float("nan")
TICKS = 390


def panel(first: int = 0, **columns: np.ndarray | list[float]) -> PricePanel:
    values = np.array([np.asarray(column, dtype=float) for column in columns.values()]).T
    return PricePanel(tuple(columns), first + np.arange(len(values), dtype=np.int32), values)


def bars_with_spread(spread: float, dates: int, seed: int = 1) -> tuple[PricePanel, Bars]:
    """Days of 390 trades at bid or ask around a random walk of 1 % a day: closes, highs and lows."""
    random = np.random.default_rng(seed)
    middle = np.cumsum(random.normal(0.0, 0.01 / np.sqrt(TICKS), dates * TICKS))
    sides = random.choice([-0.5, 0.5], dates * TICKS)
    traded = (100.0 * np.exp(middle + spread * sides)).reshape(dates, TICKS)
    return panel(A=traded[:, -1]), Bars(highs=panel(A=traded.max(axis=1)), lows=panel(A=traded.min(axis=1)))


@pytest.mark.parametrize("spread", [0.01, 0.03])
def test_a_wide_spread_is_found_again(spread: float) -> None:
    (found,) = market_metrics(*bars_with_spread(spread, SPREAD_DATES))
    assert found.spread_bps == pytest.approx(1e4 * spread, rel=0.15)


def test_a_spread_is_over_the_last_dates_that_have_all_bars() -> None:
    prices, bars = bars_with_spread(0.03, SPREAD_DATES + 50)
    assert bars.highs is not None
    assert bars.lows is not None
    tail = panel(50, A=prices.values[50:, 0])
    (whole,), (last,) = market_metrics(prices, bars), market_metrics(tail, bars)
    assert whole.spread_bps == last.spread_bps
    short = Bars(highs=panel(A=bars.highs.values[: LEAST_SPREAD_DATES - 1, 0]), lows=bars.lows)
    assert market_metrics(prices, short)[0].spread_bps is None
    assert market_metrics(prices, Bars(highs=bars.highs))[0].spread_bps is None
    enough = Bars(highs=panel(A=bars.highs.values[:LEAST_SPREAD_DATES, 0]), lows=bars.lows)
    assert market_metrics(prices, enough)[0].spread_bps is not None


def test_bars_that_show_no_spread_have_none() -> None:
    """Closes that follow the middle of their own day and of the next one: a trend gives a negative square."""
    close = 100.0 * 1.01 ** np.arange(30)
    middle = close * 0.999
    bars = Bars(highs=panel(A=middle * 1.01), lows=panel(A=middle / 1.01))
    assert market_metrics(panel(A=close), bars)[0].spread_bps is None


def test_volumes_are_averaged_over_the_last_dates_that_have_one() -> None:
    long = [1e9] * 5 + [float(day) for day in range(1, VOLUME_DAYS + 1)]
    volumes = panel(A=long, B=[7.0] + [NAN] * (len(long) - 1), C=[NAN] * len(long))
    found = market_metrics(panel(A=[1.0], B=[1.0], C=[1.0], D=[1.0]), Bars(volumes))
    assert [one.average_daily_volume for one in found] == [(VOLUME_DAYS + 1) / 2, 7.0, None, None]


def test_the_last_known_price_and_its_day() -> None:
    found = market_metrics(panel(100, A=[1.0, 2.0, NAN], B=[NAN, NAN, NAN]), Bars())
    assert found == (MarketMetrics("A", 2.0, 101), MarketMetrics("B"))


def test_volatility_is_of_the_last_returns_that_are_known() -> None:
    random = np.random.default_rng(3)
    prices = 50.0 * np.exp(np.cumsum(random.normal(0.0, 0.02, 60)))
    gaps = prices.copy()
    gaps[[41, 55]] = NAN
    known = np.delete(prices, [41, 55])[-VOLATILITY_RETURNS - 1 :]
    days = np.array([7 * (t // 5) + t % 5 + 4 for t in range(60)], dtype=np.int32)  # no weekends
    found = market_metrics(PricePanel(("A",), days, gaps[:, None]), Bars())[0]
    assert found.volatility_annual == pytest.approx(np.std(np.diff(known) / known[:-1], ddof=1) * np.sqrt(252))
    monthly = PricePanel(("A",), 30 * np.arange(60, dtype=np.int32), prices[:, None])
    last = prices[-VOLATILITY_RETURNS - 1 :]
    expected = np.std(np.diff(last) / last[:-1], ddof=1) * np.sqrt(12)
    assert market_metrics(monthly, Bars())[0].volatility_annual == pytest.approx(expected)
    irregular = PricePanel(("A",), 17 * np.arange(60, dtype=np.int32), prices[:, None])
    assert market_metrics(irregular, Bars())[0].volatility_annual is None


def test_a_price_that_is_more_than_a_week_older_than_another_is_named() -> None:
    found = (MarketMetrics("A", 1.0, 1000), MarketMetrics("B", 1.0, 993), MarketMetrics("C", 1.0, 992))
    (warning,) = stale_prices((*found, MarketMetrics("D")))
    assert warning.code == "PRICE_STALE"
    assert warning.message == "the last price is older than that of others: C (1972-09-19)"
    assert stale_prices(found[:2]) == ()
    assert stale_prices(()) == ()
