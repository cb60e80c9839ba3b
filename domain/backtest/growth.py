"""What money in each asset becomes over time, with dividends reinvested: how the sleeves of an account grow."""

import numpy as np
from numpy.typing import NDArray

from domain.backtest.market import Market
from domain.backtest.simulation.arrays import DELISTING, SPLIT
from domain.checks import Matrix, Vector
from domain.records import dataclass


@dataclass(frozen=True, slots=True)
class MarketGrowth:
    """Growth in a market, from the close or the open of one date to that of another.

    It ends at an open without a look at the close of its date, and dividends of that date are then reinvested at the
    open. An asset that is delisted stays at what its holders received.
    """

    market: Market

    def __call__(self, first: int, last: int, *, from_open: bool = False, to_open: bool = False) -> Vector:
        """Factors (N,); NaN for an asset that has no price at the start, so that nothing can be in it."""
        end = last - 1 if to_open else last
        found = self._between(first, end)
        if from_open:
            found = _chained(self._of_day(first), found)
        return _chained(found, self._overnight(last)) if to_open else found

    def priced(self, date: int, *, at_open: bool = False) -> NDArray[np.bool_]:
        """Which assets have a price at the close of a date, or its open, (N,)."""
        found: NDArray[np.bool_] = (self._opens if at_open else self.market.panel.values)[date] > 0.0
        return found

    def _between(self, first: int, last: int) -> Vector:
        """From close to close."""
        market = self.market
        values = market.panel.values
        ends, received = np.full(values.shape[1], last), np.ones(values.shape[1])
        for date, asset, amount in self._delistings(first + 1, last):
            ends[asset], received[asset] = date - 1, amount / values[date - 1, asset]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = market.total_return[ends, np.arange(len(ends))] / market.total_return[first] * received
        return _of_held(values[first], found)

    def _of_day(self, t: int) -> Vector:
        """From the open of a date to its close."""
        values, opens = self.market.panel.values[t], self._opens[t]
        closes = np.array(values)
        for _, asset, amount in self._delistings(t, t):
            closes[asset] = amount
        with np.errstate(invalid="ignore", divide="ignore"):
            return _of_held(opens, closes / opens)

    def _overnight(self, t: int) -> Vector:
        """From the close of the date before to the open of a date; what is delisted without an open is paid by then."""
        actions, before = self.market.actions, self.market.panel.values[t - 1]
        worth, ratio = np.array(self._opens[t]), np.ones(len(before))
        today = slice(*np.searchsorted(actions.date, (t, t + 1)).tolist())
        for kind, asset, amount in zip(
            actions.kind[today].tolist(), actions.asset[today].tolist(), actions.amount[today].tolist(), strict=True
        ):
            if kind == SPLIT:
                ratio[asset] *= amount
            elif kind != DELISTING or self._opens[t, asset] <= 0.0:
                worth[asset] += amount
        with np.errstate(invalid="ignore", divide="ignore"):
            return _of_held(before, ratio * worth / before)

    def _delistings(self, first: int, last: int) -> list[tuple[int, int, float]]:
        """Date, asset and what is paid for one unit, of delistings on dates first to last."""
        actions = self.market.actions
        if not len(actions.date):
            return []
        chosen = (actions.kind == DELISTING) & (first <= actions.date) & (actions.date <= last)
        return list(
            zip(
                actions.date[chosen].tolist(),
                actions.asset[chosen].tolist(),
                actions.amount[chosen].tolist(),
                strict=True,
            )
        )

    @property
    def _opens(self) -> Matrix:
        return self.market.panel.values if self.market.opens is None else self.market.opens


def _of_held(prices: Vector, found: Vector) -> Vector:
    """Growth of assets with a price, 0 where they have become worthless; NaN for others. All are (N,)."""
    result: Vector = np.where(prices > 0.0, np.where(np.isfinite(found), found, 0.0), np.nan)
    return result


def _chained(first: Vector, then: Vector) -> Vector:
    """One after the other: an asset without a price in between, delisted or worthless, stays as it is."""
    result: Vector = first * np.where(np.isnan(then), 1.0, then)
    return result
