"""OptimizationService on the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from absfinance.v1.optimization_service_pb2 import (
    DeleteOptimizationRequest,
    DeleteOptimizationResponse,
    GetOptimizationChartsRequest,
    GetOptimizationRequest,
    ListOptimizationsRequest,
    ListOptimizationsResponse,
)
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceServicer

from server.converters.charts import named_optimization
from server.converters.list_filter import list_filter_from_proto
from server.converters.optimization import NAME, page_to_proto, record_to_bytes
from server.identity.current import owner, scope
from server.servicers.reading import Context, Requests, call_of
from server.services.optimization.batch import Batch
from server.services.optimization.frontier import Frontier
from server.services.optimization.optimize import Optimization

DEFAULT_PAGE = 50


class OptimizationServicer(OptimizationServiceServicer):
    """Maps the wire to the optimisation services and back."""

    def __init__(self, optimization: Optimization, frontier: Frontier, batch: Batch, requests: Requests) -> None:
        self._optimization = optimization
        self._frontier = frontier
        self._batch = batch
        self._requests = requests

    async def Optimize(self, request: bytes, context: Context) -> bytes:
        """Verified weights."""
        answer = await self._optimization.optimize(request, call_of(context))
        return answer if isinstance(answer, bytes) else record_to_bytes(answer)

    async def OptimizeBatch(self, requests: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
        """An outcome for each account, as they are found."""
        async with aclosing(self._batch.run(requests, call_of(context))) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def TraceFrontier(self, request: bytes, context: Context) -> AsyncIterator[bytes]:
        """Portfolios of the frontier, as they are found."""
        async with aclosing(self._frontier.trace(request, call_of(context))) as portfolios:
            async for portfolio in portfolios:
                yield portfolio

    async def GetOptimization(self, request: bytes, context: Context) -> bytes:
        """A stored answer."""
        message = await self._requests.message(GetOptimizationRequest, request, context)
        return record_to_bytes(await self._optimization.get(owner(), message.name.removeprefix(NAME)))

    async def GetOptimizationCharts(self, request: bytes, context: Context) -> bytes:
        """Charts of a stored answer."""
        name = await self._requests.read(GetOptimizationChartsRequest, named_optimization, request, context)
        return await self._optimization.charts(name.removeprefix(NAME), request, call_of(context))

    async def ListOptimizations(self, request: bytes, context: Context) -> ListOptimizationsResponse:
        """A page of stored answers."""
        message = await self._requests.message(ListOptimizationsRequest, request, context)
        whose = scope("ListOptimizations", everyone=message.all)
        size, filters = message.page_size or DEFAULT_PAGE, list_filter_from_proto(message)
        page = await self._optimization.list(whose, message.page_token, size, filters)
        return await asyncio.to_thread(page_to_proto, page, with_owners=whose.everyone)

    async def DeleteOptimization(self, request: bytes, context: Context) -> DeleteOptimizationResponse:
        """Deletes a stored result."""
        message = await self._requests.message(DeleteOptimizationRequest, request, context)
        await self._optimization.delete(owner(), message.name.removeprefix(NAME))
        return DeleteOptimizationResponse()
