"""Imports, tables of prices and instruments, from messages and back."""

from collections.abc import Callable, Iterator
from functools import partial

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
from domain.records import dataclass
from server.converters.market_input import (
    price_field_from_proto,
    price_field_to_proto,
    prices_from_proto,
    selection_from_proto,
    volumes_from_proto,
)
from server.converters.paths import error_path, require_unique
from server.ports.errors import Overloaded
from server.ports.market_data import (
    ImportReceipt,
    Instrument,
    InstrumentPage,
    PriceField,
    PriceSelection,
    TradableState,
)
from server.ports.panels import StoredPanel

CHUNK_BYTES = 1 << 20
MAX_IMPORT_VALUES = 100_000_000
"""Values of one import, 1.2 GB of staging in the store; more must come as several imports."""


@dataclass(frozen=True, slots=True)
class ImportHeader:
    """What an import says of itself first."""

    import_id: str
    field: PriceField
    source: str


@dataclass(frozen=True, slots=True)
class ImportFooter:
    """How many values an import says it had."""

    value_count: int


ImportPiece = ImportHeader | Panel | ImportFooter


def import_piece_from_proto(request: ImportPricesRequest, *, volumes: bool) -> ImportPiece:
    """The next piece of an import, whose chunks hold volumes or prices. Raises InvalidInput."""
    match request.WhichOneof("part"):
        case "header":
            header = request.header
            return ImportHeader(header.import_id, price_field_from_proto(header.field), header.source)
        case "chunk":
            with error_path("chunk"):
                return volumes_from_proto(request.chunk) if volumes else prices_from_proto(request.chunk).above_zero()
    return ImportFooter(request.footer.value_count)


class ImportAssembly:
    """Takes the pieces of an import in their order: a header, chunks, a footer."""

    def __init__(self) -> None:
        self._header: ImportHeader | None = None
        self._chunks = 0
        self._values = 0
        self._closed = False

    @property
    def header(self) -> ImportHeader:
        """What came first. Raises InvalidInput where nothing came."""
        if self._header is None:
            raise InvalidInput("header", "is missing: the first message must be the header")
        return self._header

    @property
    def read(self) -> Callable[[ImportPricesRequest], ImportPiece]:
        """How the next piece is read."""
        volumes = self._header is not None and self._header.field is PriceField.VOLUME
        return partial(import_piece_from_proto, volumes=volumes)

    @property
    def value_count(self) -> int:
        """Values of all chunks, the missing ones included."""
        return self._values

    def add(self, piece: ImportPiece) -> Panel | None:
        """Takes the next piece; the panel of a chunk. Raises InvalidInput where it is out of order or breaks a rule."""
        kind = {ImportHeader: "header", ImportFooter: "footer"}.get(type(piece), "chunk")
        if self._closed:
            raise InvalidInput(kind, "must not come after the footer")
        if isinstance(piece, ImportHeader) != (self._header is None):
            rule = "must be sent once, as the first message" if kind == "header" else "must come after the header"
            raise InvalidInput(kind, rule)
        if isinstance(piece, ImportHeader):
            self._header = piece
        elif isinstance(piece, Panel):
            return self._counted(piece)
        elif piece.value_count != self._values:
            rule = f"says {piece.value_count} values, but {self._values} have come; nothing is stored"
            raise InvalidInput("footer.value_count", rule)
        else:
            self._closed = True
        return None

    def require_complete(self) -> None:
        """Raises InvalidInput where the stream ended before its footer, or without a chunk."""
        if not self._closed:
            raise InvalidInput("footer", "is missing: the import was cut off, and nothing is stored")
        if not self._chunks:
            raise InvalidInput("chunk", "must be sent at least once between header and footer")

    def _counted(self, panel: Panel) -> Panel:
        self._values += panel.values.size
        if self._values > MAX_IMPORT_VALUES:
            raise Overloaded(f"an import may hold {MAX_IMPORT_VALUES} values; send several")
        self._chunks += 1
        return panel


def requested_selection(request: GetPricesRequest) -> PriceSelection:
    """The stored prices that a request names."""
    with error_path("selection"):
        return selection_from_proto(request.selection).under("selection")


def instruments_from_proto(request: UpsertInstrumentsRequest) -> list[Instrument]:
    """Instruments to store, each once."""
    require_unique("instruments", [instrument.symbol for instrument in request.instruments])
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
