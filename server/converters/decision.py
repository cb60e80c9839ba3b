"""Decisions of services outside on the wire: what a strategy knows as a request, the answer as weights."""

from datetime import date
from itertools import compress

from absfinance.v1.panel_pb2 import Panel
from absfinance.v1.strategy_service_pb2 import DecideRequest, DecideResponse
from absfinance.v1.weight_pb2 import AssetWeight
from google.protobuf.message import DecodeError

from domain.backtest.strategies import MarketHistory
from domain.errors import InvalidInput
from domain.market_data.panel import civil_date
from server.converters.dates import civil_to_proto
from server.converters.weights import coefficients_from_proto

METHOD = "/absfinance.v1.StrategyService/Decide"

MOST_VALUES = 524_288
"""Values of a Panel, by the contract: of a longer past the latest dates are sent."""


def decide_request_to_bytes(backtest: str, label: str, history: MarketHistory, day: date | None = None) -> bytes:
    """The request for a decision: prices up to its date, and what is held.

    `day` is the date of the decision where it may be later than the last price.
    """
    first = max(0, len(history.dates) - max(1, MOST_VALUES // len(history.symbols)))
    held = zip(history.symbols, history.weights.tolist(), strict=True)
    request = DecideRequest(
        backtest=backtest,
        label=label,
        date=civil_to_proto(day or civil_date(history.dates[-1])),
        prices=Panel(
            symbols=history.symbols,
            dates=history.dates[first:].tolist(),
            values=history.prices[first:].ravel().tolist(),
        ),
        current_weights=[AssetWeight(symbol=symbol, weight=weight) for symbol, weight in held if weight],
        nav=history.nav,
        members=() if history.members is None else compress(history.symbols, history.members),
    )
    encoded: bytes = request.SerializeToString()
    return encoded


def weights_from_bytes(data: bytes) -> dict[str, float]:
    """The weights of an answer. Raises InvalidInput for one that cannot be read, or names a symbol twice."""
    try:
        answer = DecideResponse.FromString(data)
    except DecodeError:
        raise InvalidInput("", "a message that is no DecideResponse") from None
    return coefficients_from_proto("weights", answer.weights)
