"""Corporate actions: splits, cash dividends and delistings, stored or given with a backtest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from absfinance.v1 import corporate_action_pb2 as pb

from absfin.data import date_from_proto, date_to_proto


@dataclass(frozen=True, slots=True)
class Split:
    """Each unit becomes `ratio` units at the start of `ex_date`: 2 for a 2:1 split, 0.1 for a 1:10 reverse split."""

    symbol: str
    ex_date: date
    ratio: float

    def to_proto(self) -> pb.CorporateAction:
        """The message."""
        split = pb.CorporateAction.Split(ratio=self.ratio)
        return pb.CorporateAction(symbol=self.symbol, ex_date=date_to_proto(self.ex_date), split=split)


@dataclass(frozen=True, slots=True)
class CashDividend:
    """Money for each unit held at the close before `ex_date`, before withholding."""

    symbol: str
    ex_date: date
    amount: float
    pay_date: date | None = None  # the ex-date if None

    def to_proto(self) -> pb.CorporateAction:
        """The message."""
        dividend = pb.CorporateAction.CashDividend(amount=self.amount, pay_date=date_to_proto(self.pay_date))
        return pb.CorporateAction(symbol=self.symbol, ex_date=date_to_proto(self.ex_date), cash_dividend=dividend)


@dataclass(frozen=True, slots=True)
class Delisting:
    """The asset stops trading for good on `ex_date`: a position becomes cash at last price x (1 + delisting return)."""

    symbol: str
    ex_date: date
    delisting_return: float | None = None  # -1 for nothing; the delisting policy decides if None

    def to_proto(self) -> pb.CorporateAction:
        """The message."""
        message = pb.CorporateAction(symbol=self.symbol, ex_date=date_to_proto(self.ex_date))
        message.delisting.SetInParent()
        if self.delisting_return is not None:
            setattr(message.delisting, "return", self.delisting_return)  # a keyword of Python
        return message


CorporateAction = Split | CashDividend | Delisting


def corporate_action_from_proto(message: pb.CorporateAction) -> CorporateAction:
    """An action from its message."""
    day = date_from_proto(message.ex_date)
    match message.WhichOneof("kind"):
        case "split":
            return Split(message.symbol, day, message.split.ratio)
        case "cash_dividend":
            dividend = message.cash_dividend
            paid = date_from_proto(dividend.pay_date) if dividend.HasField("pay_date") else None
            return CashDividend(message.symbol, day, dividend.amount, paid)
    given = message.delisting.HasField("return")
    return Delisting(message.symbol, day, getattr(message.delisting, "return") if given else None)


def corporate_actions_to_proto(actions: Iterable[CorporateAction]) -> Sequence[pb.CorporateAction]:
    """One message for each action."""
    return [action.to_proto() for action in actions]
