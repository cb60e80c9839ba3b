"""Latest figures of assets from stored bars: price, traded volume, spread, volatility."""

from collections.abc import Mapping, Sequence
from dataclasses import field

import numpy as np
from numpy.typing import NDArray

from domain.calendar import periods_per_year
from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.panel import Panel, PricePanel, civil_date
from domain.records import dataclass
from domain.warnings import ResultWarning

VOLUME_DAYS = 21
"""Dates with a volume that the average daily volume is taken over: the last month of trading."""

VOLATILITY_RETURNS = 21
"""Returns that the volatility is taken over; a backtest looks back as far for the impact of a fill."""

SPREAD_DATES = 252
"""Dates that a spread is estimated over: its error falls with the fourth root of their number."""

LEAST_SPREAD_DATES = 21

STALE_DAYS = 7
"""Calendar days behind the latest price of all after which a price is called old."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Stored figures of days beside the price, each (T, N) with dates and symbols of its own; NaN is unknown."""

    volumes: Panel | None = None  # in units
    highs: Panel | None = None
    lows: Panel | None = None


@dataclass(frozen=True, slots=True)
class MarketMetrics:
    """Latest figures of one asset; None is unknown."""

    symbol: str
    last_price: float | None = None
    as_of: int | None = None  # day of the last price, since 1970-01-01
    average_daily_volume: float | None = None  # in units
    spread_bps: float | None = None
    volatility_annual: float | None = None


@dataclass(frozen=True, slots=True)
class _Series:
    """The known values of one asset."""

    dates: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, dtype=np.int32))
    values: Vector = field(default_factory=lambda: np.empty(0))


def market_metrics(prices: PricePanel, bars: Bars) -> tuple[MarketMetrics, ...]:
    """Metrics of each symbol of `prices` (T, N), in their order; NaN where there is no price."""
    periods = _periods(prices)
    volumes, highs, lows = (_positions(panel) for panel in (bars.volumes, bars.highs, bars.lows))
    found = []
    for j, symbol in enumerate(prices.symbols):
        price = _series(prices, j)
        found.append(
            MarketMetrics(
                symbol,
                last_price=float(price.values[-1]) if len(price.values) else None,
                as_of=int(price.dates[-1]) if len(price.values) else None,
                average_daily_volume=_average_volume(_series(bars.volumes, volumes.get(symbol))),
                spread_bps=_spread_bps(
                    price, _series(bars.highs, highs.get(symbol)), _series(bars.lows, lows.get(symbol))
                ),
                volatility_annual=_volatility(price.values, periods),
            )
        )
    return tuple(found)


def stale_prices(metrics: Sequence[MarketMetrics]) -> tuple[ResultWarning, ...]:
    """A warning that names the assets whose last price is much older than the latest of all; none where none is."""
    latest = max((one.as_of for one in metrics if one.as_of is not None), default=0)
    old = [one for one in metrics if one.as_of is not None and latest - one.as_of > STALE_DAYS]
    if not old:
        return ()
    named = ", ".join(f"{one.symbol} ({civil_date(one.as_of or 0)})" for one in old)
    return (ResultWarning("PRICE_STALE", "", f"the last price is older than that of others: {named}"),)


def _positions(panel: Panel | None) -> Mapping[str, int]:
    return {} if panel is None else {symbol: j for j, symbol in enumerate(panel.symbols)}


def _series(panel: Panel | None, column: int | None) -> _Series:
    if panel is None or column is None:
        return _Series()
    values = panel.values[:, column]
    known = ~np.isnan(values)
    return _Series(panel.dates[known], values[known])


def _average_volume(volumes: _Series) -> float | None:
    return float(volumes.values[-VOLUME_DAYS:].mean()) if len(volumes.values) else None


def _periods(prices: PricePanel) -> float | None:
    """Periods per year; None where the dates do not tell."""
    try:
        return periods_per_year(prices.dates)
    except InvalidInput:
        return None


def _volatility(prices: Vector, periods: float | None) -> float | None:
    """Standard deviation of the last returns, per year; None with fewer than 2 of them."""
    last = prices[-VOLATILITY_RETURNS - 1 :]
    if periods is None or len(last) < 3 or not last.all():
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        annual = float(np.std(last[1:] / last[:-1] - 1.0, ddof=1) * np.sqrt(periods))
    return annual if np.isfinite(annual) else None


def _spread_bps(closes: _Series, highs: _Series, lows: _Series) -> float | None:
    """Effective bid-ask spread in basis points of the price; None where the bars do not show one.

    s² = 4 E[(c_t - m_t)(c_t - m_t+1)], where c is the logarithm of the close and m the middle of those of the highest
    and the lowest price of a date: Abdi and Ranaldo 2017, "A Simple Estimation of Bid-Ask Spreads from Daily Close,
    High, and Low Prices", Review of Financial Studies 30.
    """
    dates = np.intersect1d(np.intersect1d(highs.dates, lows.dates), closes.dates)[-SPREAD_DATES:]
    if len(dates) < LEAST_SPREAD_DATES:
        return None
    close, high, low = (np.log(one.values[np.searchsorted(one.dates, dates)]) for one in (closes, highs, lows))
    middle = 0.5 * (high + low)
    square = 4.0 * float(np.mean((close[:-1] - middle[:-1]) * (close[:-1] - middle[1:])))
    return 1e4 * float(np.sqrt(square)) if square > 0.0 else None
