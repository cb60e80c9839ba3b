"""Published bars and quotes between the wire and the store."""

from absfinance.v1.market_data_service_pb2 import PublishMarketDataRequest, PublishMarketDataResponse
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from domain.errors import InvalidInput
from domain.market_data.snapshot import LARGEST_AMOUNT, SMALLEST_AMOUNT
from domain.records import dataclass
from server.converters.dates import days_from_proto
from server.converters.paths import error_path
from server.ports.changes import Quote
from server.ports.published import Bar, Outcome


@dataclass(frozen=True, slots=True)
class PublishedBatch:
    """One message of a stream: bars or quotes."""

    id: str
    bars: tuple[Bar, ...]
    quotes: tuple[Quote, ...]


def batch_from_proto(message: PublishMarketDataRequest) -> PublishedBatch:
    """A batch. Raises InvalidInput for a date or price that is none, and prices outside of their range."""
    bars = tuple(_bar(i, bar) for i, bar in enumerate(message.bars))
    return PublishedBatch(message.batch_id, bars, tuple(_quote(i, quote) for i, quote in enumerate(message.quotes)))


def outcome_to_proto(batch_id: str, outcome: Outcome) -> PublishMarketDataResponse:
    """What became of a batch, rejections in the order of their places."""
    rejected = [
        PublishMarketDataResponse.Rejected(index=place, reason=outcome.rejected[place].value)
        for place in sorted(outcome.rejected)
    ]
    return PublishMarketDataResponse(batch_id=batch_id, accepted_count=outcome.accepted, rejected=rejected)


def _bar(place: int, bar: PublishMarketDataRequest.Bar) -> Bar:
    with error_path(f"bars[{place}]"):
        day = days_from_proto("date", bar.date)
        prices = {name: value for name in ("close", "open", "high", "low") if (value := _given(bar, name)) is not None}
        for name, value in prices.items():
            _require_price(name, value)
            if not prices.get("low", value) <= value <= prices.get("high", value):
                raise InvalidInput(name, "must be from low to high")
        return Bar(
            bar.symbol,
            day,
            bar.close,
            bar.revision,
            prices.get("open"),
            prices.get("high"),
            prices.get("low"),
            _given(bar, "volume"),
        )


def _quote(place: int, quote: PublishMarketDataRequest.Quote) -> Quote:
    prices = {name: value for name in ("bid", "ask", "last") if (value := _given(quote, name)) is not None}
    with error_path(f"quotes[{place}]"):
        if not prices:
            raise InvalidInput("last", "must be given, or a bid or an ask")
        for name, value in prices.items():
            _require_price(name, value)
    return Quote(quote.symbol, _micros(quote.time), **prices)


def _given(message: Message, name: str) -> float | None:
    """A figure that was sent; a close, which has no presence, always is."""
    field = message.DESCRIPTOR.fields_by_name[name]
    return float(getattr(message, name)) if not field.has_presence or message.HasField(name) else None


def _require_price(name: str, value: float) -> None:
    if not SMALLEST_AMOUNT <= value <= LARGEST_AMOUNT:
        raise InvalidInput(name, f"must be from {SMALLEST_AMOUNT:g} to {LARGEST_AMOUNT:g}, is {value:g}")


def _micros(time: Timestamp) -> int:
    return time.seconds * 1_000_000 + time.nanos // 1000
