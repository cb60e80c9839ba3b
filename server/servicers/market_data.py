"""MarketDataService on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.market_data_service_pb2 import (
    GetPricesRequest,
    GetPricesResponse,
    ImportPricesRequest,
    ImportPricesResponse,
    ListCorporateActionsRequest,
    ListCorporateActionsResponse,
    ListInstrumentsRequest,
    ListInstrumentsResponse,
    PublishMarketDataRequest,
    PublishMarketDataResponse,
    UpsertCorporateActionsRequest,
    UpsertCorporateActionsResponse,
    UpsertInstrumentsRequest,
    UpsertInstrumentsResponse,
)
from absfinance.v1.market_data_service_pb2_grpc import MarketDataServiceServicer

from server.converters.corporate_action import (
    action_filter_from_proto,
    actions_to_proto,
    actions_to_store_from_proto,
)
from server.converters.market_data import (
    ImportAssembly,
    instruments_from_proto,
    instruments_to_proto,
    prices_to_proto,
    receipt_to_proto,
    requested_selection,
)
from server.converters.published_prices import batch_from_proto, outcome_to_proto
from server.servicers.reading import Context, Requests, call_of, in_thread
from server.services.market_data import MarketData
from server.services.market_metrics import MarketMetrics

DEFAULT_PAGE = 50


class MarketDataServicer(MarketDataServiceServicer):
    """Maps the wire to the market-data service and back."""

    def __init__(self, market_data: MarketData, metrics: MarketMetrics, requests: Requests) -> None:
        self._market_data = market_data
        self._metrics = metrics
        self._requests = requests

    async def ImportPrices(self, requests: AsyncIterator[bytes], context: Context) -> ImportPricesResponse:
        """All of an import, or nothing; each piece is staged before the next is taken."""
        assembly = ImportAssembly()
        pieces = aiter(requests)
        if (first := await anext(pieces, None)) is not None:
            assembly.add(await self._requests.read(ImportPricesRequest, assembly.read, first, context))
        header = assembly.header
        async with self._market_data.importing(header.import_id, header.field, header.source) as session:
            async for data in pieces:
                piece = await self._requests.read(ImportPricesRequest, assembly.read, data, context)
                if (panel := assembly.add(piece)) is not None:
                    await session.add(panel)
            assembly.require_complete()
            return receipt_to_proto(await session.finish(assembly.value_count))

    async def PublishMarketData(
        self, requests: AsyncIterator[bytes], context: Context
    ) -> AsyncIterator[PublishMarketDataResponse]:
        """Each batch is stored and answered before the next is taken: a stream is no faster than the store."""
        async for data in requests:
            batch = await self._requests.read(PublishMarketDataRequest, batch_from_proto, data, context)
            publish = self._market_data
            outcome = await (publish.publish_bars(batch.bars) if batch.bars else publish.publish_quotes(batch.quotes))
            yield await asyncio.to_thread(outcome_to_proto, batch.id, outcome)

    async def GetPrices(self, request: bytes, context: Context) -> AsyncIterator[GetPricesResponse]:
        """A header, then rows."""
        selection = await self._requests.read(GetPricesRequest, requested_selection, request, context)
        prices = await self._market_data.prices(selection)
        async with aclosing(in_thread(prices_to_proto(prices, selection.field))) as pieces:
            async for piece in pieces:
                yield piece

    async def GetMarketMetrics(self, request: bytes, context: Context) -> bytes:
        """The latest figures of assets."""
        return await self._metrics.latest(request, call_of(context))

    async def ListInstruments(self, request: bytes, context: Context) -> ListInstrumentsResponse:
        """A page of instruments."""
        message = await self._requests.message(ListInstrumentsRequest, request, context)
        size = message.page_size or DEFAULT_PAGE
        page = await self._market_data.list_instruments(message.page_token, size, message.group or None)
        return await asyncio.to_thread(instruments_to_proto, page)

    async def UpsertInstruments(self, request: bytes, context: Context) -> UpsertInstrumentsResponse:
        """Instruments to store."""
        instruments = await self._requests.read(UpsertInstrumentsRequest, instruments_from_proto, request, context)
        return UpsertInstrumentsResponse(upserted_count=await self._market_data.upsert_instruments(instruments))

    async def UpsertCorporateActions(self, request: bytes, context: Context) -> UpsertCorporateActionsResponse:
        """Corporate actions to store."""
        kind, convert = UpsertCorporateActionsRequest, actions_to_store_from_proto
        actions = await self._requests.read(kind, convert, request, context)
        count = await self._market_data.upsert_corporate_actions(actions)
        return UpsertCorporateActionsResponse(upserted_count=count)

    async def ListCorporateActions(self, request: bytes, context: Context) -> ListCorporateActionsResponse:
        """A page of corporate actions."""
        message = await self._requests.message(ListCorporateActionsRequest, request, context)
        size, filters = message.page_size or DEFAULT_PAGE, action_filter_from_proto(message)
        page = await self._market_data.list_corporate_actions(message.page_token, size, filters)
        return await asyncio.to_thread(actions_to_proto, page)
