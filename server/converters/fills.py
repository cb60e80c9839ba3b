"""Recorded fills on the wire, and the stored portfolios that they change."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from absfinance.v1 import portfolio_pb2, reallocation_pb2
from absfinance.v1.reallocation_service_pb2 import RecordFillsRequest, RecordFillsResponse
from google.protobuf.timestamp_pb2 import Timestamp

from domain.checks import distinct_symbols
from domain.errors import InvalidInput
from domain.exact import exact
from domain.reallocation.account import Account, Execution, GainRecord, Position
from domain.reallocation.fills import Recorded
from domain.reallocation.planned_orders import PlannedOrder, PlanShortfall, planned_orders
from server.commands.fills import RecordFillsCommand, SentFill
from server.converters.paths import error_path, require_unique
from server.converters.portfolios import id_of, payload_of
from server.converters.portfolios import record_to_proto as portfolio_to_proto
from server.converters.reallocation import NAME
from server.converters.tax_lots import lot_to_proto, lots_from_proto
from server.ports.portfolios import PortfolioRecord


def record_fills_command_from_proto(request: RecordFillsRequest) -> RecordFillsCommand:
    """What is to be recorded. Raises InvalidInput."""
    distinct_symbols("fills", [fill.fill_id for fill in request.fills], ".fill_id")
    require_unique("last_prices", [price.symbol for price in request.last_prices])
    return RecordFillsCommand(
        reallocation=request.reallocation.removeprefix(NAME),
        portfolio=id_of(request.portfolio),
        etag=request.etag,
        fills=tuple(
            SentFill(_execution(f"fills[{i}]", fill), _content(request, fill)) for i, fill in enumerate(request.fills)
        ),
        last_prices={price.symbol: exact(price.price) for price in request.last_prices},
        fees_in_gains=request.fees_in_gains,
    )


def execution_from_content(content: bytes) -> Execution:
    """A fill that is stored."""
    return _execution("fill", RecordFillsRequest.FromString(content).fills[0])


def account_from_bytes(
    payload: bytes, symbols: Iterable[str], open_losses: Sequence[GainRecord], last_dates: Mapping[str, dt.date]
) -> Account:
    """A stored portfolio, with its positions in some symbols. Raises InvalidInput for lots that are not sound."""
    portfolio = portfolio_pb2.Portfolio.FromString(payload)
    wanted = set(symbols)
    positions = {}
    with error_path("portfolio"):
        for i, holding in enumerate(portfolio.holdings):
            if holding.symbol in wanted:
                lots = lots_from_proto(f"holdings[{i}].lots", holding.lots)
                positions[holding.symbol] = Position(exact(holding.quantity), lots)
    return Account(positions, exact(portfolio.cash), open_losses, last_dates)


def payload_after(payload: bytes, recorded: Recorded) -> bytes:
    """A stored portfolio after fills. Raises InvalidInput for more money or units than any account has."""
    portfolio = portfolio_pb2.Portfolio.FromString(payload)
    portfolio.cash = float(recorded.cash)
    kept = [_held(holding, recorded.positions.get(holding.symbol)) for holding in portfolio.holdings]
    before = {holding.symbol for holding in portfolio.holdings}
    kept += [
        _held(portfolio_pb2.Holding(symbol=symbol), position)
        for symbol, position in recorded.positions.items()
        if symbol not in before
    ]
    del portfolio.holdings[:]
    portfolio.holdings.extend(holding for holding in kept if holding.quantity)
    try:
        return payload_of(portfolio)
    except InvalidInput as error:
        raise InvalidInput("fills", f"would make {error.message}") from None


def planned_orders_from_bytes(payload: bytes) -> dict[str, PlannedOrder]:
    """The orders of a stored plan. Raises InvalidInput for a reallocation without one."""
    reallocation = reallocation_pb2.Reallocation.FromString(payload)
    if not reallocation.HasField("plan"):
        raise InvalidInput("reallocation", "must have a plan: there is nothing to trade in this one")
    return planned_orders((t.symbol, exact(t.quantity), exact(t.price)) for t in reallocation.plan.trades)


def gain_to_proto(record: GainRecord) -> RecordFillsResponse.RealizedGain:
    """A realised gain, rounded to the nearest floats."""
    gain = record.gain
    return RecordFillsResponse.RealizedGain(
        symbol=gain.symbol,
        lot_id=gain.lot_id,
        quantity=float(gain.quantity),
        gain=float(gain.gain),
        term=f"TERM_{gain.term.name}",
        disallowed_loss=float(gain.disallowed_loss),
        fill_id=record.key.fill_id,
    )


def shortfall_to_proto(found: PlanShortfall) -> RecordFillsResponse.ImplementationShortfall:
    """The parts in money and as fractions, each rounded once from its exact value."""
    parts = found.shortfall
    return RecordFillsResponse.ImplementationShortfall(
        delay=parts.fraction(parts.delay),
        realised=parts.fraction(parts.realised),
        missed=parts.fraction(parts.missed),
        fee=parts.fraction(parts.fee),
        total=parts.fraction(parts.total),
        delay_amount=float(parts.delay),
        realised_amount=float(parts.realised),
        missed_amount=float(parts.missed),
        fee_amount=float(parts.fee),
        total_amount=float(parts.total),
        decision_value=float(parts.decision_value),
    )


def answer_with_portfolio(payload: bytes, record: PortfolioRecord) -> bytes:
    """The whole answer. Bytes of two messages, one after the other, are those of both merged."""
    encoded: bytes = RecordFillsResponse(portfolio=portfolio_to_proto(record)).SerializeToString()
    return payload + encoded


def cash_of(payload: bytes) -> float:
    """The cash of a stored portfolio."""
    cash: float = portfolio_pb2.Portfolio.FromString(payload).cash
    return cash


def _execution(path: str, fill: RecordFillsRequest.Fill) -> Execution:
    return Execution(
        fill_id=fill.fill_id,
        symbol=fill.symbol,
        quantity=exact(fill.quantity),
        price=exact(fill.price),
        fee=exact(fill.fee),
        time=_time(f"{path}.fill_time", fill.fill_time),
        lot_id=fill.lot_id,
        arrival_price=exact(fill.arrival_price) if fill.HasField("arrival_price") else None,
        previous_close=exact(fill.previous_close) if fill.HasField("previous_close") else None,
        path=path,
    )


def _time(path: str, value: Timestamp) -> dt.datetime:
    try:
        return value.ToDatetime(dt.UTC)
    except (ValueError, OverflowError):
        raise InvalidInput(path, "must be a time between the years 1 and 9999") from None


def _content(request: RecordFillsRequest, fill: RecordFillsRequest.Fill) -> bytes:
    """All that a fill is known by: itself, what it is a fill of, and how its fee counts."""
    content = RecordFillsRequest(
        reallocation=request.reallocation if request.HasField("reallocation") else None,
        portfolio=request.portfolio if request.HasField("portfolio") else None,
        fills=[fill],
        fees_in_gains=request.fees_in_gains,
    )
    encoded: bytes = content.SerializeToString(deterministic=True)
    return encoded


def _held(holding: portfolio_pb2.Holding, position: Position | None) -> portfolio_pb2.Holding:
    """A holding; with the units and lots of a position where it was traded."""
    if position is None:
        return holding
    return portfolio_pb2.Holding(
        symbol=holding.symbol, quantity=float(position.quantity), lots=map(lot_to_proto, position.lots)
    )
