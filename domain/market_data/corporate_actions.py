"""Corporate actions: splits, cash dividends and delistings, and what prices are adjusted for already."""

from dataclasses import dataclass
from enum import StrEnum

from domain.checks import non_negative, positive
from domain.errors import InvalidInput


class PriceBasis(StrEnum):
    """What prices are adjusted for already."""

    ADJUSTED = "ADJUSTED"  # splits and dividends
    SPLIT_ADJUSTED = "SPLIT_ADJUSTED"
    UNADJUSTED = "UNADJUSTED"


class DividendPolicy(StrEnum):
    """What happens to a cash dividend."""

    CASH = "CASH"
    REINVEST = "REINVEST"  # buys more of the asset that paid it, on the pay date


class DelistingPolicy(StrEnum):
    """The return of a delisting that has none of its own."""

    FAIL = "FAIL"
    LAST_PRICE = "LAST_PRICE"
    ZERO = "ZERO"
    SHUMWAY_NYSE = "SHUMWAY_NYSE"
    SHUMWAY_NASDAQ = "SHUMWAY_NASDAQ"

    @property
    def delisting_return(self) -> float | None:
        """From the last price to what holders receive; None for FAIL.

        Sources: Shumway 1997 for NYSE and AMEX, Shumway and Warther 1999 for Nasdaq.
        """
        return _RETURNS[self]


_RETURNS: dict[DelistingPolicy, float | None] = {
    DelistingPolicy.FAIL: None,
    DelistingPolicy.LAST_PRICE: 0.0,
    DelistingPolicy.ZERO: -1.0,
    DelistingPolicy.SHUMWAY_NYSE: -0.30,
    DelistingPolicy.SHUMWAY_NASDAQ: -0.55,
}


@dataclass(frozen=True, slots=True)
class Split:
    """Each unit becomes `ratio` units."""

    ratio: float

    def __post_init__(self) -> None:
        positive("split.ratio", self.ratio)


@dataclass(frozen=True, slots=True)
class CashDividend:
    """Money for one unit, before withholding."""

    amount: float
    pay_day: int | None = None  # since 1970-01-01; None is the ex-date

    def __post_init__(self) -> None:
        non_negative("cash_dividend.amount", self.amount)


@dataclass(frozen=True, slots=True)
class Delisting:
    """The asset stops trading for good."""

    delisting_return: float | None = None  # from the last price to what holders receive; None: the policy decides

    def __post_init__(self) -> None:
        if self.delisting_return is not None and not self.delisting_return >= -1.0:
            raise InvalidInput("delisting.return", f"must be -1 or more, is {self.delisting_return:g}")


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happens to an asset on a date: the ex-date, or the date of the delisting."""

    symbol: str
    day: int  # since 1970-01-01
    event: Split | CashDividend | Delisting
