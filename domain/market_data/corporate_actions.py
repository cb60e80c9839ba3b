"""Corporate actions: splits, cash dividends and delistings, and what prices are adjusted for already."""

from collections.abc import Sequence
from enum import StrEnum

from domain.checks import LARGEST_FIGURE, non_negative, positive
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from domain.records import dataclass


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
        if not 1.0 / LARGEST_FIGURE <= self.ratio <= LARGEST_FIGURE:
            raise InvalidInput(
                "split.ratio",
                f"must be at least {1.0 / LARGEST_FIGURE:g} and at most {LARGEST_FIGURE:g}, is {self.ratio:g}",
            )


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


class ActionKind(StrEnum):
    """What a corporate action is."""

    SPLIT = "SPLIT"
    CASH_DIVIDEND = "CASH_DIVIDEND"
    DELISTING = "DELISTING"


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """What happens to an asset on a date: the ex-date, or the date of the delisting.

    Raises InvalidInput for a dividend that is paid before its ex-date.
    """

    symbol: str
    day: int  # since 1970-01-01
    event: Split | CashDividend | Delisting

    def __post_init__(self) -> None:
        if isinstance(self.event, CashDividend) and self.event.pay_day is not None and self.event.pay_day < self.day:
            raise InvalidInput("cash_dividend.pay_date", "must not be before the ex-date")

    @property
    def kind(self) -> ActionKind:
        """What it is."""
        match self.event:
            case Split():
                return ActionKind.SPLIT
            case CashDividend():
                return ActionKind.CASH_DIVIDEND
        return ActionKind.DELISTING

    @property
    def key(self) -> tuple[str, int, ActionKind]:
        """What tells it from other actions: symbol, day and kind."""
        return self.symbol, self.day, self.kind

    def __str__(self) -> str:
        return f"{self.kind.lower().replace('_', ' ')} of {self.symbol} on {civil_date(self.day)}"


def delisting_days(actions: Sequence[CorporateAction]) -> dict[str, int]:
    """The day on which each delisted symbol is delisted; of several, the last one named."""
    return {action.symbol: action.day for action in actions if action.kind is ActionKind.DELISTING}


def require_consistent(path: str, actions: Sequence[CorporateAction]) -> None:
    """Raises InvalidInput for actions that contradict, or could not be told apart once they are stored.

    A symbol has one action of a kind on a date, one delisting at all, and no other action after it.
    """
    delisted = delisting_days(actions)
    seen: dict[tuple[str, int, ActionKind], int] = {}
    for i, action in enumerate(actions):
        is_delisting = action.kind is ActionKind.DELISTING
        key = (action.symbol, 0, action.kind) if is_delisting else action.key
        if (earlier := seen.setdefault(key, i)) != i:
            what = action.kind.lower().replace("_", " ") + ("" if is_delisting else " on a date")
            raise InvalidInput(f"{path}[{i}]", f"contradicts {path}[{earlier}]: {action.symbol} has one {what}")
        if not is_delisting and action.day > delisted.get(action.symbol, action.day):
            raise InvalidInput(f"{path}[{i}].ex_date", f"is after the delisting of {action.symbol}")
