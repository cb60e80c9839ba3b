"""Imports in their order, pieces of prices, and instruments."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absfinance.v1.instrument_pb2 import TRADABLE_STATE_HALTED
from absfinance.v1.market_data_service_pb2 import GetPricesRequest, ImportPricesRequest, UpsertInstrumentsRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from domain.market_data.panel import Panel, PricePanel
from server.converters import market_data as converters
from server.converters.market_data import ImportAssembly, ImportFooter, ImportHeader
from server.ports.market_data import (
    ImportReceipt,
    Instrument,
    InstrumentPage,
    PriceField,
    PriceSelection,
    TradableState,
)
from server.ports.panels import StoredPanel

HEADER = {"header": {"importId": "x", "field": "PRICE_FIELD_OPEN", "source": "me"}}
CHUNK = {"chunk": {"symbols": ["A", "B"], "dates": [1, 2], "values": [1.0, 2.0, 3.0, 4.0]}}
FOOTER = {"footer": {"valueCount": 4}}


def added(*parts: dict[str, Any]) -> tuple[ImportAssembly, list[Panel | None]]:
    assembly = ImportAssembly()
    found = [assembly.add(assembly.read(json_format.ParseDict(part, ImportPricesRequest()))) for part in parts]
    return assembly, found


def test_pieces_of_an_import() -> None:
    assembly, found = added(HEADER, CHUNK, CHUNK, {"footer": {"valueCount": 8}})
    assembly.require_complete()
    assert assembly.header == ImportHeader("x", PriceField.OPEN, "me")
    assert (found[0], found[3], assembly.value_count) == (None, None, 8)
    for panel in found[1:3]:
        assert panel is not None
        assert panel.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_an_empty_footer_counts_nothing() -> None:
    assert converters.import_piece_from_proto(ImportPricesRequest(footer={}), volumes=False) == ImportFooter(0)


def test_zero_is_a_volume_and_no_price() -> None:
    zero = {"chunk": CHUNK["chunk"] | {"values": [0.0, 2.0, 3.0, 4.0]}}
    _, found = added({"header": HEADER["header"] | {"field": "PRICE_FIELD_VOLUME"}}, zero)
    assert found[1] is not None
    assert found[1].values[0, 0] == 0.0
    with pytest.raises(InvalidInput) as raised:
        added(HEADER, zero)
    assert raised.value.field.startswith("chunk.values[0]")


@pytest.mark.parametrize(
    ("parts", "named", "rule"),
    [
        ([CHUNK], "chunk", "must come after the header"),
        ([FOOTER], "footer", "must come after the header"),
        ([HEADER, HEADER], "header", "must be sent once, as the first message"),
        ([HEADER, CHUNK, FOOTER, CHUNK], "chunk", "must not come after the footer"),
        ([HEADER, CHUNK, FOOTER, FOOTER], "footer", "must not come after the footer"),
        ([HEADER, CHUNK, {"footer": {"valueCount": 3}}], "footer.value_count", "says 3 values, but 4 have come"),
    ],
)
def test_pieces_out_of_order(parts: list[dict[str, Any]], named: str, rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule) as raised:
        added(*parts)
    assert raised.value.field == named


@pytest.mark.parametrize(
    ("parts", "named"), [([HEADER, CHUNK], "footer"), ([HEADER, {"footer": {}}], "chunk"), ([HEADER], "footer")]
)
def test_an_import_that_is_cut_off(parts: list[dict[str, Any]], named: str) -> None:
    assembly, _ = added(*parts)
    with pytest.raises(InvalidInput) as raised:
        assembly.require_complete()
    assert raised.value.field == named


def test_an_import_of_nothing() -> None:
    with pytest.raises(InvalidInput) as raised:
        _ = ImportAssembly().header
    assert raised.value.field == "header"


def test_a_receipt() -> None:
    receipt = converters.receipt_to_proto(ImportReceipt("x", inserted=1, changed=2, unchanged=3, symbols=4))
    assert (receipt.import_id, receipt.inserted_count, receipt.changed_count) == ("x", 1, 2)
    assert (receipt.unchanged_count, receipt.symbol_count) == (3, 4)


@pytest.mark.parametrize("more", [0, 1])
def test_prices_come_in_pieces_of_a_mebibyte(more: int) -> None:
    rows = converters.CHUNK_BYTES // 8 // 2
    values = np.arange(1.0, 2.0 * (rows + more) + 1.0).reshape(-1, 2)
    panel = PricePanel(("A", "B"), np.arange(rows + more, dtype=np.int32), values)
    stored = StoredPanel(panel, Path("none"), "print")
    header, *pieces = converters.prices_to_proto(stored, PriceField.HIGH)
    assert (list(header.header.symbols), header.header.date_count) == (["A", "B"], rows + more)
    assert (header.header.fingerprint, header.header.field) == ("print", 3)
    assert len(pieces) == 1 + more
    assert max(len(piece.rows.values.data) for piece in pieces) <= 1 << 20
    assert [list(piece.rows.values.shape) for piece in pieces] == [[rows, 2], [1, 2]][: 1 + more]
    assert b"".join(piece.rows.values.data for piece in pieces) == values.tobytes()
    assert [day for piece in pieces for day in piece.rows.dates] == list(range(rows + more))


def test_a_request_for_prices_names_them_by_its_field() -> None:
    found = converters.requested_selection(
        json_format.ParseDict({"selection": {"universe": "u=x"}}, GetPricesRequest())
    )
    assert found == PriceSelection((), "u=x")
    assert found.symbols_path == "selection.universe"


ONE = Instrument("A", "Name", "CHF", {"sector": "x"}, 10.0, TradableState.HALTED)


def test_instruments_go_and_come_back() -> None:
    page = InstrumentPage((replace(ONE, has_prices=True), Instrument("B")), "next")
    response = converters.instruments_to_proto(page)
    assert ([one.has_prices for one in response.instruments], response.next_page_token) == ([True, False], "next")
    assert response.instruments[0].state == TRADABLE_STATE_HALTED
    assert [converters.instrument_from_proto(one) for one in response.instruments] == [ONE, Instrument("B")]


def test_an_instrument_comes_once() -> None:
    request = json_format.ParseDict({"instruments": [{"symbol": "A"}, {"symbol": "B"}]}, UpsertInstrumentsRequest())
    assert converters.instruments_from_proto(request) == [Instrument("A"), Instrument("B")]
    request.instruments.add(symbol="A")
    with pytest.raises(InvalidInput) as raised:
        converters.instruments_from_proto(request)
    assert raised.value.field == "instruments[2].symbol"
