"""Corporate actions: splits, cash dividends and delistings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from absfinance.v1 import corporate_action_pb2 as pb
from google.type.date_pb2 import Date

from absfin.data import date_to_proto


@dataclass(frozen=True, slots=True)
class Split:
    """Each unit becomes `ratio` units: 2 for a 2:1 split, 0.1 for a 1:10 reverse split."""

    symbol: str
    ex_date: date
    ratio: float

    def to_proto(self) -> pb.CorporateAction:
        """The message."""
        event = pb.CorporateAction.Split(ratio=self.ratio)
        return pb.CorporateAction(symbol=self.symbol, ex_date=date_to_proto(self.ex_date), split=event)


@dataclass(frozen=True, slots=True)
class CashDividend:
    """Money for one unit, before withholding; paid on the ex-date if no other date is given."""

    symbol: str
    ex_date: date
    amount: float
    pay_date: date | None = None

    def to_proto(self) -> pb.CorporateAction:
        """The message."""
        event = pb.CorporateAction.CashDividend(amount=self.amount, pay_date=date_to_proto(self.pay_date))
        return pb.CorporateAction(symbol=self.symbol, ex_date=date_to_proto(self.ex_date), cash_dividend=event)


@dataclass(frozen=True, slots=True)
class Delisting:
    """The asset stops trading for good on a date.

    `delisting_return` is from the last price to what holders receive, -1 for nothing; where it is None, the policy of
    a backtest decides.
    """

    symbol: str
    ex_date: date
    delisting_return: float | None = None

    def to_proto(self) -> pb.CorporateAction:
        """The message."""
        # The field is called "return", which cannot be written as an argument.
        known: Mapping[str, float] = {} if self.delisting_return is None else {"return": self.delisting_return}
        event = pb.CorporateAction.Delisting(**known)
        return pb.CorporateAction(symbol=self.symbol, ex_date=date_to_proto(self.ex_date), delisting=event)


CorporateAction = Split | CashDividend | Delisting


def corporate_action_from_proto(message: pb.CorporateAction) -> CorporateAction:
    """From the message."""
    symbol, day = message.symbol, _date(message.ex_date)
    match message.WhichOneof("kind"):
        case "split":
            return Split(symbol, day, message.split.ratio)
        case "cash_dividend":
            dividend = message.cash_dividend
            paid = _date(dividend.pay_date) if dividend.HasField("pay_date") else None
            return CashDividend(symbol, day, dividend.amount, paid)
    known = message.delisting.HasField("return")
    return Delisting(symbol, day, getattr(message.delisting, "return") if known else None)


def _date(message: Date) -> date:
    return date(message.year, message.month, message.day)
