"""Tax lots on the wire."""

from collections.abc import Iterable

from absfinance.v1 import portfolio_pb2

from domain.errors import InvalidInput
from domain.exact import exact
from domain.taxes.lots import TaxLot
from server.converters.dates import civil_to_proto, date_from_proto


def lots_from_proto(path: str, lots: Iterable[portfolio_pb2.TaxLot]) -> tuple[TaxLot, ...]:
    """The lots of a holding; those without an id get one. Raises InvalidInput for a wrong date, or an id twice."""
    sent = list(lots)
    taken = {lot.lot_id for lot in sent}
    found: list[TaxLot] = []
    for i, lot in enumerate(sent):
        found.append(lot_from_proto(f"{path}[{i}]", lot, lot.lot_id or _free_id(i + 1, taken)))
    _require_unique(path, found)
    return tuple(found)


def lot_from_proto(path: str, lot: portfolio_pb2.TaxLot, lot_id: str) -> TaxLot:
    """A lot under an id. Raises InvalidInput for a date that does not exist."""
    start = None
    if lot.HasField("holding_period_start"):
        start = date_from_proto(f"{path}.holding_period_start", lot.holding_period_start)
    purchased = date_from_proto(f"{path}.purchase_date", lot.purchase_date)
    return TaxLot(lot_id, exact(lot.quantity), exact(lot.unit_cost), purchased, start)


def lot_to_proto(lot: TaxLot) -> portfolio_pb2.TaxLot:
    """A lot; quantity and cost are rounded to the nearest float."""
    start = lot.holding_period_start
    return portfolio_pb2.TaxLot(
        quantity=float(lot.quantity),
        unit_cost=float(lot.unit_cost),
        purchase_date=civil_to_proto(lot.purchase_date),
        lot_id=lot.lot_id,
        holding_period_start=None if start is None else civil_to_proto(start),
    )


def _free_id(number: int, taken: set[str]) -> str:
    """An id by place that no lot of the holding has."""
    found = f"lot-{number}"
    while found in taken:
        found += "a"
    taken.add(found)
    return found


def _require_unique(path: str, lots: Iterable[TaxLot]) -> None:
    seen: set[str] = set()
    for i, lot in enumerate(lots):
        if lot.lot_id in seen:
            raise InvalidInput(f"{path}[{i}].lot_id", f"must be there once, {lot.lot_id} is twice")
        seen.add(lot.lot_id)
