"""How much of each asset is traded and how much it moves, date by date, from the dates before.

Nothing of a date or of a later one is in the figures that hold for it. A date counts where it has a volume and a price,
or a return; sums are made in blocks of the window's length, so that those of a date round in the same way whatever
comes later.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from domain.calendar import TRADING_DAYS_PER_YEAR
from domain.checks import Matrix, Vector
from domain.costs.impact import Liquidity
from domain.market_data.panel import Panel, PricePanel
from domain.portfolio import positions
from domain.records import dataclass

FEWEST_RETURNS = 2
"""Fewest returns of a volatility."""


@dataclass(frozen=True, slots=True)
class StoredTrading:
    """What is stored of the trading of assets beside the prices of a backtest."""

    volumes: Panel | None = None  # in units, NaN where it is not known; any dates and symbols
    earlier: PricePanel | None = None  # closing prices before the first date of the backtest


@dataclass(frozen=True, slots=True)
class TrailingLiquidity:
    """Figures for each of the T dates and for the one after them, NaN where too little is known."""

    symbols: tuple[str, ...]
    daily_values: Matrix  # (T + 1, N), value traded in a day
    volatilities_annual: Matrix  # (T + 1, N)
    returns: Matrix  # (T + 1, N), number of returns that each volatility is made of

    def at(self, row: int) -> dict[str, Liquidity]:
        """What is known of each asset for a date by its number; assets of which something is not are left out."""
        values, volatilities = self.daily_values[row], self.volatilities_annual[row]
        known = (values > 0.0) & ~np.isnan(volatilities)
        return {
            self.symbols[j]: Liquidity(float(values[j]), float(volatilities[j])) for j in np.flatnonzero(known).tolist()
        }


def trailing_liquidity(
    closes: PricePanel, levels: Matrix, stored: StoredTrading, window: int, periods_per_year: float
) -> TrailingLiquidity:
    """Means of traded values and volatilities over the `window` dates before each date.

    `closes` are NaN where an asset did not trade; `levels` (T, N) are the same with splits and dividends reinvested.
    """
    earlier = _earlier(closes, stored.earlier)
    start = len(earlier)
    days = np.append([] if stored.earlier is None else stored.earlier.dates[:start], closes.dates)
    volumes = _aligned(stored.volumes, closes.symbols, days)
    chained = np.vstack([earlier, np.where(np.isnan(closes.values), np.nan, levels)])
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):  # what is no number is not known
        traded = np.vstack([earlier, closes.values]) * volumes
        returns = np.vstack([np.full(len(closes.symbols), np.nan), chained[1:] / chained[:-1] - 1.0])
        values = _means(traded, window)[start:] * (periods_per_year / TRADING_DAYS_PER_YEAR)
        deviations, counts = _deviations(returns, window)
        volatilities = deviations[start:] * periods_per_year**0.5
    for table in (values, volatilities):
        table[~np.isfinite(table)] = np.nan
    return TrailingLiquidity(closes.symbols, values, volatilities, counts[start:])


def _earlier(closes: PricePanel, earlier: PricePanel | None) -> Matrix:
    """Closing prices before the first date in the order of the assets, (E, N)."""
    if earlier is None:
        return np.zeros((0, len(closes.symbols)))
    before = int(np.searchsorted(earlier.dates, closes.dates[0]))
    found = np.full((before, len(closes.symbols)), np.nan)
    place: Mapping[str, int] = positions(earlier.symbols)
    for j, symbol in enumerate(closes.symbols):
        if symbol in place:
            found[:, j] = earlier.values[:before, place[symbol]]
    return np.where(found > 0.0, found, np.nan)


def _aligned(volumes: Panel | None, symbols: tuple[str, ...], days: NDArray[np.int32]) -> Matrix:
    """Volumes at some days, (D, N); NaN where there is none."""
    found = np.full((len(days), len(symbols)), np.nan)
    if volumes is None:
        return found
    place = positions(volumes.symbols)
    rows = np.searchsorted(volumes.dates, days)
    has_row = np.isin(days, volumes.dates)
    for j, symbol in enumerate(symbols):
        if symbol in place:
            found[has_row, j] = volumes.values[rows[has_row], place[symbol]]
    return found


def _means(values: Matrix, window: int) -> Matrix:
    """Means of the known values (D, N) before each row and after the last, (D + 1, N); NaN where there is none."""
    known = ~np.isnan(values)
    counts = _sums_before(known.astype(np.float64), window)
    totals = _sums_before(np.where(known, values, 0.0), window)
    return np.where(counts >= 1.0, totals / np.maximum(counts, 1.0), np.nan)


def _deviations(returns: Matrix, window: int) -> tuple[Matrix, Matrix]:
    """Standard deviations with ddof 1 of the known returns before each row and after the last, and their numbers.

    Both are (D + 1, N). Means and sums of squared differences from the mean are made return by return (Welford 1962),
    from the start of each block and to its end, and those of the two parts of a window put together (Chan, Golub and
    LeVeque 1979): a difference of sums of squares would leave 1e-9 of returns that are all the same.
    """
    blocks = _in_blocks(np.where(np.isfinite(returns), returns, np.nan), window, np.nan)
    inside, first = _places(len(returns), window)
    begun = _flat(_running_moments(blocks))
    ended = [part[first] for part in _flat(_running_moments(blocks[:, ::-1]), backwards=True)]
    counts, means, squares = ended
    more, other, apart = (part[first[inside] + window - 1] for part in begun)
    before, total = counts[inside], counts[inside] + more
    difference = other - means[inside]
    squares[inside] += apart + difference * difference * before * more / np.maximum(total, 1.0)
    counts[inside] = total
    deviations = np.sqrt(squares / np.maximum(counts - 1.0, 1.0))
    return np.where(counts >= FEWEST_RETURNS, deviations, np.nan), counts


def _running_moments(blocks: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Number, mean and sum of squared differences from it of the known values of each block (B, W, N) so far."""
    counts, means, squares = (np.zeros(blocks.shape) for _ in range(3))
    count, mean, square = (np.zeros((blocks.shape[0], blocks.shape[2])) for _ in range(3))
    for k in range(blocks.shape[1]):
        known = ~np.isnan(blocks[:, k])
        count = count + known
        difference = np.where(known, blocks[:, k] - mean, 0.0)
        mean = mean + difference / np.maximum(count, 1.0)
        square = square + np.where(known, difference * (blocks[:, k] - mean), 0.0)
        counts[:, k], means[:, k], squares[:, k] = count, mean, square
    return counts, means, squares


def _flat(parts: tuple[NDArray[np.float64], ...], *, backwards: bool = False) -> list[Matrix]:
    """Each of the parts (B, W, N) row by row, (B W, N); those that count from the end of a block turned round."""
    return [(part[:, ::-1] if backwards else part).reshape(-1, part.shape[2]) for part in parts]


def _sums_before(values: Matrix, window: int) -> Matrix:
    """Sums of the `window` rows (D, N) before each row and after the last, (D + 1, N), all there are at the start.

    A window that begins inside a block of `window` rows is the end of that block and the start of the next one: only
    what is inside the window is ever added, so that a sum of zeros is 0.
    """
    blocks, count = _in_blocks(values, window, 0.0), values.shape[1]
    from_start = np.cumsum(blocks, axis=1).reshape(-1, count)
    to_end = np.cumsum(blocks[:, ::-1], axis=1)[:, ::-1].reshape(-1, count)
    inside, first = _places(len(values), window)
    result: Matrix = to_end[first]
    result[inside] += from_start[first[inside] + window - 1]
    return result


def _in_blocks(values: Matrix, window: int, nothing: float) -> NDArray[np.float64]:
    """Rows (D, N) in blocks of the window's length, (B, W, N), after one block of nothing, and followed by it."""
    rows, count = values.shape
    blocks = np.full((-(-(rows + window) // window), window, count), nothing)
    blocks.reshape(-1, count)[window : window + rows] = values
    return blocks


def _places(rows: int, window: int) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Where the window of each row and of the one after the last begins, (D + 1,), and whether inside a block."""
    first = np.arange(rows + 1)
    return first % window != 0, first


def rows_of(table: Matrix, given: Vector) -> Matrix:
    """A table (T, N) with the given figures (N,) in the place of its own; one row where it has none of its own."""
    own = np.isnan(given)
    return np.where(own, table, given) if own.any() else given[None, :]
