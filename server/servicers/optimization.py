"""OptimizationService on the wire."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from absfinance.v1.optimization_pb2 import Optimization as OptimizationProto
from absfinance.v1.optimization_service_pb2 import (
    GetOptimizationRequest,
    ListOptimizationsRequest,
    ListOptimizationsResponse,
    OptimizeBatchRequest,
    OptimizeBatchResponse,
    OptimizeRequest,
    TraceFrontierRequest,
    TraceFrontierResponse,
)
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceServicer

from server.converters.optimization import (
    NAME,
    batch_from_proto,
    batch_outcome_to_proto,
    optimize_command_from_proto,
    page_to_proto,
    record_to_proto,
    trace_command_from_proto,
    traced_to_proto,
)
from server.servicers.deadline import Context, deadline_of
from server.services.optimization import Optimization

DEFAULT_PAGE = 50


class OptimizationServicer(OptimizationServiceServicer):
    """Maps the wire to the optimisation service and back."""

    def __init__(self, optimization: Optimization, encode_error: Callable[[Exception], bytes]) -> None:
        self._optimization = optimization
        self._encode_error = encode_error

    async def Optimize(self, request: OptimizeRequest, context: Context) -> OptimizationProto:
        """Verified weights."""
        command = optimize_command_from_proto(request)
        record = await self._optimization.optimize(command, deadline_of(context))
        return OptimizationProto() if record is None else record_to_proto(record)

    async def OptimizeBatch(
        self, requests: AsyncIterator[OptimizeBatchRequest], context: Context
    ) -> AsyncIterator[OptimizeBatchResponse]:
        """An outcome for each account, as they are found."""
        shared, accounts = await batch_from_proto(requests)
        async with aclosing(self._optimization.batch(shared, accounts, deadline_of(context))) as outcomes:
            async for outcome in outcomes:
                yield batch_outcome_to_proto(outcome, self._encode_error)

    async def TraceFrontier(
        self, request: TraceFrontierRequest, context: Context
    ) -> AsyncIterator[TraceFrontierResponse]:
        """Portfolios of the frontier, as they are found."""
        command = trace_command_from_proto(request)
        async with aclosing(self._optimization.trace(command, deadline_of(context))) as found:
            async for traced in found:
                yield traced_to_proto(traced)

    async def GetOptimization(self, request: GetOptimizationRequest, context: Context) -> OptimizationProto:
        """A stored answer."""
        return record_to_proto(await self._optimization.get(request.name.removeprefix(NAME)))

    async def ListOptimizations(self, request: ListOptimizationsRequest, context: Context) -> ListOptimizationsResponse:
        """A page of stored answers."""
        return page_to_proto(await self._optimization.list(request.page_token, request.page_size or DEFAULT_PAGE))
