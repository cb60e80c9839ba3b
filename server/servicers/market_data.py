"""MarketDataService on the wire."""

import asyncio
from collections.abc import AsyncIterator

from absfinance.v1.market_data_service_pb2 import (
    GetPricesRequest,
    GetPricesResponse,
    ImportPricesRequest,
    ImportPricesResponse,
    ListInstrumentsRequest,
    ListInstrumentsResponse,
    UpsertInstrumentsRequest,
    UpsertInstrumentsResponse,
)
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceServicer

from server.converters.market_data import (
    ImportAssembly,
    instrument_from_proto,
    instruments_to_proto,
    prices_to_proto,
    receipt_to_proto,
)
from server.converters.market_input import selection_from_proto
from server.converters.paths import once_each, under
from server.servicers.deadline import Context
from server.services.market_data import MarketData

DEFAULT_PAGE = 50


class MarketDataServicer(MarketDataServiceServicer):
    """Maps the wire to the market-data service and back."""

    def __init__(self, market_data: MarketData) -> None:
        self._market_data = market_data

    async def ImportPrices(
        self, requests: AsyncIterator[ImportPricesRequest], context: Context
    ) -> ImportPricesResponse:
        """All of an import, or nothing; each piece is read in a thread and staged before the next is taken."""
        assembly = ImportAssembly()
        pieces = aiter(requests)
        if (first := await anext(pieces, None)) is not None:
            assembly.add(first)
        header = assembly.header
        async with self._market_data.importing(header.import_id, header.field, header.source) as session:
            async for piece in pieces:
                panel = await asyncio.to_thread(assembly.add, piece)
                if panel is not None:
                    await session.add(panel)
            assembly.require_complete()
            return receipt_to_proto(await session.finish(assembly.value_count))

    async def GetPrices(self, request: GetPricesRequest, context: Context) -> AsyncIterator[GetPricesResponse]:
        """A header, then rows."""
        with under("selection"):
            selection = selection_from_proto(request.selection)
        for piece in prices_to_proto(await self._market_data.prices(selection), selection.field):
            yield piece

    async def ListInstruments(self, request: ListInstrumentsRequest, context: Context) -> ListInstrumentsResponse:
        """A page of instruments."""
        size = request.page_size or DEFAULT_PAGE
        page = await self._market_data.list_instruments(request.page_token, size, request.group or None)
        return instruments_to_proto(page)

    async def UpsertInstruments(self, request: UpsertInstrumentsRequest, context: Context) -> UpsertInstrumentsResponse:
        """Instruments to store."""
        once_each("instruments", [instrument.symbol for instrument in request.instruments])
        count = await self._market_data.upsert_instruments(list(map(instrument_from_proto, request.instruments)))
        return UpsertInstrumentsResponse(upserted_count=count)
