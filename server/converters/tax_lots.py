"""Tax lots on the wire."""

import datetime as dt
from collections.abc import Iterable

from absfinance.v1 import portfolio_pb2
from google.type.date_pb2 import Date

from domain.errors import InvalidInput
from domain.exact import exact
from domain.taxes.lots import TaxLot
from server.converters.dates import EPOCH, civil_to_proto, days_from_proto


def lots_from_proto(path: str, lots: Iterable[portfolio_pb2.TaxLot]) -> tuple[TaxLot, ...]:
    """The lots of a holding; those without an id get one. Raises InvalidInput for a wrong date, or an id twice."""
    sent = list(lots)
    taken = {lot.lot_id for lot in sent}
    found: list[TaxLot] = []
    for i, lot in enumerate(sent):
        start = lot.holding_period_start if lot.HasField("holding_period_start") else None
        found.append(
            TaxLot(
                lot.lot_id or _free_id(i + 1, taken),
                exact(lot.quantity),
                exact(lot.unit_cost),
                _date(f"{path}[{i}].purchase_date", lot.purchase_date),
                None if start is None else _date(f"{path}[{i}].holding_period_start", start),
            )
        )
    _require_unique(path, found)
    return tuple(found)


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


def _date(path: str, value: Date) -> dt.date:
    return EPOCH + dt.timedelta(days=days_from_proto(path, value))


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
