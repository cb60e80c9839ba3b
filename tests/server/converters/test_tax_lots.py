"""Tax lots between messages and the domain."""

import datetime as dt
from decimal import Decimal

import pytest
from absfinance.v1.portfolio_pb2 import TaxLot as TaxLotProto
from google.type.date_pb2 import Date

from domain.errors import InvalidInput
from domain.taxes.lots import TaxLot
from server.converters.tax_lots import lot_to_proto, lots_from_proto

BOUGHT = Date(year=2020, month=2, day=29)


def lot(lot_id: str = "", **more: object) -> TaxLotProto:
    return TaxLotProto(**{"quantity": 0.1, "unit_cost": 33.1, "purchase_date": BOUGHT, "lot_id": lot_id, **more})


def test_figures_are_the_decimals_that_were_written() -> None:
    (found,) = lots_from_proto("lots", [lot("a", holding_period_start=Date(year=2019, month=1, day=2))])
    assert found == TaxLot("a", Decimal("0.1"), Decimal("33.1"), dt.date(2020, 2, 29), dt.date(2019, 1, 2))
    assert lots_from_proto("lots", [lot_to_proto(found)]) == (found,)
    assert not lot_to_proto(lots_from_proto("lots", [lot("a")])[0]).HasField("holding_period_start")


def test_lots_without_an_id_get_one() -> None:
    found = lots_from_proto("lots", [lot(), lot("lot-3"), lot(), lot()])
    assert [one.lot_id for one in found] == ["lot-1", "lot-3", "lot-3a", "lot-4"]


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(InvalidInput) as twice:
        lots_from_proto("lots", [lot("a"), lot("b"), lot("a")])
    assert twice.value.field == "lots[2].lot_id"
    for name in ("purchase_date", "holding_period_start"):
        with pytest.raises(InvalidInput) as no_date:
            lots_from_proto("lots", [lot("a", **{name: Date(year=2021, month=2, day=29)})])
        assert no_date.value.field == f"lots[0].{name}"
