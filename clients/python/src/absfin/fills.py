"""Fills: what was traded, and what recording it did to a stored portfolio."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.reallocation_pb2 import Term
from absfinance.v1.reallocation_service_pb2 import RecordFillsRequest, RecordFillsResponse

from absfin.choices import plain_name
from absfin.requests import timestamp
from absfin.results import ResultWarning, optional_figure, warnings_of


@dataclass(frozen=True, slots=True)
class Fill:
    """Units of one asset that were traded at one price. The same `fill_id` again changes nothing."""

    fill_id: str
    symbol: str
    quantity: float  # units; negative for a sale
    price: float
    fill_time: datetime  # in UTC if without a time zone
    fee: float = 0.0  # money
    lot_id: str = ""  # of the lot that is sold, or that the purchase makes; chosen by the server if empty
    arrival_price: float | None = None  # when the order arrived at the market
    previous_close: float | None = None  # of the day before, where the fill came on a later day than the decision

    def to_proto(self) -> RecordFillsRequest.Fill:
        """The message."""
        return RecordFillsRequest.Fill(
            fill_id=self.fill_id,
            symbol=self.symbol,
            quantity=self.quantity,
            price=self.price,
            fee=self.fee,
            fill_time=timestamp(self.fill_time),
            lot_id=self.lot_id,
            arrival_price=self.arrival_price,
            previous_close=self.previous_close,
        )


@dataclass(frozen=True, slots=True)
class RealizedGain:
    """Units of one tax lot that were sold; money, negative for a loss."""

    symbol: str
    lot_id: str
    quantity: float
    gain: float
    term: str  # short or long
    disallowed_loss: float  # the part of a loss that a wash sale disallows
    fill_id: str  # of the sale


@dataclass(frozen=True, slots=True)
class ImplementationShortfall:
    """Cost of a plan against its decision prices; None where nothing was decided."""

    delay: float | None
    realised: float | None
    missed: float | None
    fee: float | None
    total: float | None


@dataclass(frozen=True, slots=True)
class RecordedFills:
    """A stored portfolio after fills."""

    portfolio: Portfolio
    realized_gains: tuple[RealizedGain, ...]
    shortfall: ImplementationShortfall | None  # as fractions of the decision value; None for fills of a portfolio
    shortfall_amounts: ImplementationShortfall | None  # in money
    warnings: tuple[ResultWarning, ...]
    proto: RecordFillsResponse = field(repr=False)

    @classmethod
    def from_proto(cls, message: RecordFillsResponse) -> "RecordedFills":
        """From the response."""
        has_shortfall = message.HasField("shortfall")
        return cls(
            portfolio=message.portfolio,
            realized_gains=tuple(
                RealizedGain(
                    g.symbol, g.lot_id, g.quantity, g.gain, plain_name(Term, g.term), g.disallowed_loss, g.fill_id
                )
                for g in message.realized_gains
            ),
            shortfall=_parts(message.shortfall, "") if has_shortfall else None,
            shortfall_amounts=_parts(message.shortfall, "_amount") if has_shortfall else None,
            warnings=warnings_of(message),
            proto=message,
        )


def last_prices_to_proto(prices: Mapping[str, float]) -> list[RecordFillsRequest.LastPrice]:
    """One message for each price."""
    return [RecordFillsRequest.LastPrice(symbol=symbol, price=price) for symbol, price in prices.items()]


def _parts(message: RecordFillsResponse.ImplementationShortfall, suffix: str) -> ImplementationShortfall:
    names = ("delay", "realised", "missed", "fee", "total")
    return ImplementationShortfall(*(optional_figure(message, name + suffix) for name in names))
