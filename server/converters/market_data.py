"""Imports, tables of prices and instruments, from messages and back."""

from collections.abc import Iterator

import numpy as np
from absfinance.v1 import instrument_pb2, panel_pb2
from absfinance.v1.market_data_service_pb2 import (
    GetPricesRequest,
    GetPricesResponse,
    ImportPricesRequest,
    ImportPricesResponse,
    ListInstrumentsResponse,
    UpsertInstrumentsRequest,
)

from domain.errors import InvalidInput
from domain.market_data.panel import Panel
from server.converters.market_input import (
    price_field_from_proto,
    price_field_to_proto,
    prices_from_proto,
    selection_from_proto,
    volumes_from_proto,
)
from server.converters.paths import once_each, under
from server.ports import (
    ImportReceipt,
    Instrument,
    InstrumentPage,
    Overloaded,
    PriceField,
    PriceImport,
    PriceSelection,
    StoredPanel,
    TradableState,
)

CHUNK_BYTES = 1 << 20
MAX_IMPORT_VALUES = 100_000_000
"""Values of one import, 0.8 GB while it is taken in; more must come as several imports."""


class ImportAssembly:
    """Takes the pieces of an import in their order: a header, chunks, a footer."""

    def __init__(self) -> None:
        self._header: ImportPricesRequest.Header | None = None
        self._panels: list[Panel] = []
        self._values = 0
        self._closed = False

    def add(self, piece: ImportPricesRequest) -> None:
        """Takes the next piece. Raises InvalidInput for one that is out of order or breaks a rule."""
        kind = piece.WhichOneof("part")
        if self._closed:
            raise InvalidInput(kind or "part", "must not come after the footer")
        if (kind == "header") != (self._header is None):
            raise InvalidInput(kind or "part", "the first message, and only that, must be the header")
        if kind == "header":
            self._header = piece.header
        elif kind == "chunk":
            self._take(piece.chunk)
        elif piece.footer.value_count != self._values:
            rule = f"says {piece.footer.value_count} values, but {self._values} have come; nothing is stored"
            raise InvalidInput("footer.value_count", rule)
        else:
            self._closed = True

    def finished(self) -> PriceImport:
        """The whole import. Raises InvalidInput where the stream ended before its footer."""
        if not self._closed or self._header is None:
            raise InvalidInput("footer", "is missing: the import was cut off, and nothing is stored")
        if not self._panels:
            raise InvalidInput("chunk", "there must be at least one between header and footer")
        field = price_field_from_proto(self._header.field)
        return PriceImport(self._header.import_id, field, self._header.source, tuple(self._panels))

    def _take(self, chunk: panel_pb2.Panel) -> None:
        header = self._header or ImportPricesRequest.Header()
        with under("chunk"):
            volume = price_field_from_proto(header.field) is PriceField.VOLUME
            panel = volumes_from_proto(chunk) if volume else prices_from_proto(chunk).above_zero()
        self._values += panel.values.size
        if self._values > MAX_IMPORT_VALUES:
            raise Overloaded(f"an import may hold {MAX_IMPORT_VALUES} values; send several")
        self._panels.append(panel)


def requested_selection(request: GetPricesRequest) -> PriceSelection:
    """The stored prices that a request names."""
    with under("selection"):
        return selection_from_proto(request.selection)


def instruments_from_proto(request: UpsertInstrumentsRequest) -> list[Instrument]:
    """Instruments to store, each once."""
    once_each("instruments", [instrument.symbol for instrument in request.instruments])
    return list(map(instrument_from_proto, request.instruments))


def receipt_to_proto(receipt: ImportReceipt) -> ImportPricesResponse:
    """What an import changed."""
    return ImportPricesResponse(
        import_id=receipt.import_id,
        inserted_count=receipt.inserted,
        changed_count=receipt.changed,
        unchanged_count=receipt.unchanged,
        symbol_count=receipt.symbols,
    )


def prices_to_proto(stored: StoredPanel, field: PriceField) -> Iterator[GetPricesResponse]:
    """A header, then rows in pieces of at most 1 MiB."""
    panel = stored.panel
    header = GetPricesResponse.Header(
        symbols=panel.symbols,
        date_count=len(panel.dates),
        field=price_field_to_proto(field),
        fingerprint=stored.fingerprint,
    )
    yield GetPricesResponse(header=header)
    rows = max(1, CHUNK_BYTES // (8 * len(panel.symbols)))
    for start in range(0, len(panel.dates), rows):
        piece = np.ascontiguousarray(panel.values[start : start + rows], dtype="<f8")
        tensor = panel_pb2.Tensor(shape=piece.shape, dtype=panel_pb2.DATA_TYPE_FLOAT64, data=piece.tobytes())
        dates = panel.dates[start : start + rows].tolist()
        yield GetPricesResponse(rows=GetPricesResponse.Rows(dates=dates, values=tensor))


def instrument_from_proto(instrument: instrument_pb2.Instrument) -> Instrument:
    """An instrument to store."""
    state = instrument_pb2.TradableState.Name(instrument.state or instrument_pb2.TRADABLE_STATE_TRADABLE)
    return Instrument(
        symbol=instrument.symbol,
        display_name=instrument.display_name,
        currency=instrument.currency,
        groups=dict(instrument.groups),
        lot_size=instrument.lot_size if instrument.HasField("lot_size") else None,
        state=TradableState(state.removeprefix("TRADABLE_STATE_")),
    )


def instruments_to_proto(page: InstrumentPage) -> ListInstrumentsResponse:
    """A page of instruments."""
    response = ListInstrumentsResponse(next_page_token=page.next_token)
    for one in page.instruments:
        response.instruments.add(
            symbol=one.symbol,
            display_name=one.display_name,
            currency=one.currency,
            groups=one.groups,
            lot_size=one.lot_size,
            state=instrument_pb2.TradableState.Value(f"TRADABLE_STATE_{one.state}"),
            has_prices=one.has_prices,
        )
    return response
