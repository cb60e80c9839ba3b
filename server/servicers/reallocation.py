"""ReallocationService on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.reallocation_service_pb2 import (
    DeleteReallocationRequest,
    DeleteReallocationResponse,
    GetReallocationChartsRequest,
    GetReallocationRequest,
    ListReallocationsRequest,
    ListReallocationsResponse,
    RecordFillsRequest,
)
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceServicer

from server.converters.charts import reallocation_charts_from_proto
from server.converters.fills import answer_with_portfolio, record_fills_command_from_proto
from server.converters.list_filter import list_filter_from_proto
from server.converters.portfolios import id_of
from server.converters.reallocation import NAME, page_to_proto, record_to_bytes, result_state_from_proto
from server.identity.current import owner, scope
from server.servicers.reading import Context, Requests, call_of
from server.services.fills import Fills
from server.services.optimization.batch import Batch
from server.services.reallocation import ReallocationService

DEFAULT_PAGE = 50


class ReallocationServicer(ReallocationServiceServicer):
    """Maps the wire to the reallocation service and back."""

    def __init__(self, reallocations: ReallocationService, batch: Batch, fills: Fills, requests: Requests) -> None:
        self._reallocations = reallocations
        self._batch = batch
        self._fills = fills
        self._requests = requests

    async def Reallocate(self, request: bytes, context: Context) -> bytes:
        """A plan, or why there is none."""
        answer = await self._reallocations.reallocate(request, call_of(context))
        return answer if isinstance(answer, bytes) else record_to_bytes(answer)

    async def ReallocateBatch(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """An outcome for each account, as they are found."""
        async with aclosing(self._batch.run(requests, call_of(context))) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def GetReallocation(self, request: bytes, context: Context) -> bytes:
        """A stored answer."""
        message = await self._requests.message(GetReallocationRequest, request, context)
        return record_to_bytes(await self._reallocations.get(owner(), message.name.removeprefix(NAME)))

    async def GetReallocationCharts(self, request: bytes, context: Context) -> bytes:
        """Charts of a stored answer."""
        name, command = await self._requests.read(
            GetReallocationChartsRequest, reallocation_charts_from_proto, request, context
        )
        return await self._reallocations.charts(name.removeprefix(NAME), command, call_of(context))

    async def ListReallocations(self, request: bytes, context: Context) -> ListReallocationsResponse:
        """A page of stored answers."""
        message = await self._requests.message(ListReallocationsRequest, request, context)
        whose = scope("ListReallocations", everyone=message.all)
        state = result_state_from_proto(message.state)
        filters = list_filter_from_proto(message, subject=id_of(message.portfolio), result_state=state)
        size = message.page_size or DEFAULT_PAGE
        page = await self._reallocations.list(whose, message.page_token, size, filters)
        return await asyncio.to_thread(page_to_proto, page, with_owners=whose.everyone)

    async def DeleteReallocation(self, request: bytes, context: Context) -> DeleteReallocationResponse:
        """Deletes a stored result."""
        message = await self._requests.message(DeleteReallocationRequest, request, context)
        await self._reallocations.delete(owner(), message.name.removeprefix(NAME))
        return DeleteReallocationResponse()

    async def RecordFills(self, request: bytes, context: Context) -> bytes:
        """The portfolio after fills, their gains, and the cost of the plan."""
        command = await self._requests.read(RecordFillsRequest, record_fills_command_from_proto, request, context)
        payload, portfolio = await self._fills.record(command, call_of(context))
        return await asyncio.to_thread(answer_with_portfolio, payload, portfolio)
