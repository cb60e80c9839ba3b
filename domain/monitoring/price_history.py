"""The last price of each date of one asset, and what makes prices of different dates comparable."""

from dataclasses import field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from domain.checks import Vector
from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Split
from domain.monitoring.events import ClosingPrice, PriceSeries, QuotedPrice
from domain.records import dataclass

QUOTED = -1
"""Revision of a price that is a quote: every bar of its date replaces it."""

Dated = tuple[int, float]
"""A date in days since 1970-01-01, and a number."""


@dataclass(frozen=True)
class PriceHistory:
    """Prices as they were quoted, oldest first, and the actions between them."""

    days: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))  # (H,), increasing
    prices: Vector = field(default_factory=lambda: np.zeros(0))  # (H,)
    revisions: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))  # (H,), QUOTED for a quote
    quote_time: int = 0  # of the last quote that counted
    splits: tuple[Dated, ...] = ()  # ex-date and units that a unit became, by date
    dividends: tuple[Dated, ...] = ()  # ex-date and money for a unit of that date, by date

    @property
    def latest_day(self) -> int | None:
        """The date of the latest price, None where there is none."""
        return int(self.days[-1]) if len(self.days) else None

    def with_bar(self, bar: ClosingPrice, most: int) -> "PriceHistory":
        """With the close of a date, of `most` prices the newest; itself where it is known, or too old.

        Raises InvalidInput for another price of the same revision.
        """
        place = int(self.days.searchsorted(bar.day))
        if place == len(self.days) or self.days[place] != bar.day:
            return self._inserted(place, bar.day, bar.price, bar.revision, most)
        known = int(self.revisions[place])
        if bar.revision < known:
            return self
        if bar.revision > known:
            return self._replaced(place, bar.price, bar.revision)
        if bar.price != self.prices[place]:
            raise InvalidInput(
                "prices",
                f"{bar.symbol} has two prices of revision {bar.revision} on one date; a correction has a higher one",
            )
        return self

    def with_quote(self, quote: QuotedPrice, most: int) -> "PriceHistory":
        """With a quote of the latest date or a later one; itself where it is not newer, or the bar is known."""
        latest = self.latest_day
        if len(self.days) and (quote.time <= self.quote_time or (latest is not None and quote.day < latest)):
            return self
        timed = replace(self, quote_time=quote.time)
        if latest != quote.day:
            return timed._inserted(len(self.days), quote.day, quote.price, QUOTED, most)
        return self if self.revisions[-1] != QUOTED else timed._replaced(len(self.days) - 1, quote.price, QUOTED)

    def with_history(self, loaded: PriceSeries, most: int) -> "PriceHistory":
        """With past closes on dates that have no price yet; itself where there are none."""
        new = ~np.isin(loaded.days, self.days)
        if not new.any():
            return self
        days = np.concatenate([self.days, loaded.days[new]]).astype(np.int32)
        order = np.argsort(days, kind="stable")[-most:]
        if np.array_equal(days[order], self.days):
            return self  # older than all that is kept
        prices = np.concatenate([self.prices, loaded.prices[new]])
        loaded_revisions = np.zeros(len(loaded.days), np.int64) if loaded.revisions is None else loaded.revisions
        revisions = np.concatenate([self.revisions, loaded_revisions[new]]).astype(np.int64)
        return replace(self, days=days[order], prices=prices[order], revisions=revisions[order])

    def with_action(self, action: CorporateAction) -> "PriceHistory":
        """With a split or a dividend, instead of the one of the same date; itself for any other action."""
        match action.event:
            case Split(ratio=ratio):
                splits = _with(self.splits, (action.day, ratio))
                _check_factors(splits)
                return self if splits == self.splits else replace(self, splits=splits)
            case CashDividend(amount=amount):
                dividends = _with(self.dividends, (action.day, amount))
                return self if dividends == self.dividends else replace(self, dividends=dividends)
        return self

    def _inserted(self, place: int, day: int, price: float, revision: int, most: int) -> "PriceHistory":
        if place == 0 and len(self.days) >= most:
            return self  # older than all that is kept
        keep = slice(-most, None)
        return replace(
            self,
            days=np.insert(self.days, place, day)[keep],
            prices=np.insert(self.prices, place, price)[keep],
            revisions=np.insert(self.revisions, place, revision)[keep],
        )

    def _replaced(self, place: int, price: float, revision: int) -> "PriceHistory":
        prices, revisions = self.prices.copy(), self.revisions.copy()
        prices[place], revisions[place] = price, revision
        return replace(self, prices=prices, revisions=revisions)

    def split_factor(self, day: int) -> float:
        """Units on a date of what was one unit before all splits."""
        factor = 1.0
        for ex_day, ratio in self.splits:
            if ex_day <= day:
                factor *= ratio
        return factor

    @property
    def latest_value(self) -> float:
        """The latest price of what was one unit before all splits; NaN where there is none."""
        return float(self.prices[-1]) * self.split_factor(int(self.days[-1])) if len(self.days) else float("nan")

    @property
    def move(self) -> float:
        """Return from the last price of the date before to the latest one, dividends in it; NaN without both."""
        return float(self.adjusted[-1] / self.adjusted[-2] - 1.0) if len(self.days) > 1 else float("nan")

    @cached_property
    def adjusted(self) -> Vector:
        """Prices (H,) of which each ratio is a total return: (price + dividend) / price before, in the same units.

        Dividends are reinvested at the first price of their ex-date or later.
        """
        if not self.splits and not self.dividends:
            return self.prices
        adjusted = self.prices.copy()
        for ex_day, ratio in self.splits:
            adjusted[self.days >= ex_day] *= ratio
        for ex_day, amount in self.dividends:
            place = int(self.days.searchsorted(ex_day))
            if 0 < place < len(self.days):
                units = self.split_factor(int(self.days[place])) / self.split_factor(ex_day)
                adjusted[place:] *= 1.0 + amount / (units * self.prices[place])
        return adjusted


def _with(dated: tuple[Dated, ...], one: Dated) -> tuple[Dated, ...]:
    return tuple(sorted([*(other for other in dated if other[0] != one[0]), one]))


LARGEST_FACTOR = 1e30
"""Most units that one unit may become, or the inverse of the least: with an amount of 1e21 far below overflow."""


def _check_factors(splits: tuple[Dated, ...]) -> None:
    """Raises InvalidInput for splits that multiply units beyond numbers."""
    logarithms = np.cumsum([np.log(ratio) for _, ratio in splits])
    if (np.abs(logarithms) > np.log(LARGEST_FACTOR)).any():
        raise InvalidInput(
            "action.split.ratio", f"must leave at most {LARGEST_FACTOR:g} units of one, with those before"
        )
