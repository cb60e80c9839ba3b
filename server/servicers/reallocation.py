"""ReallocationService on the wire."""

from absfinance.v1.reallocation_pb2 import Reallocation as ReallocationProto
from absfinance.v1.reallocation_service_pb2 import (
    GetReallocationRequest,
    ListReallocationsRequest,
    ListReallocationsResponse,
    ReallocateRequest,
)
from absfinance.v1.reallocation_service_pb2_grpc import ReallocationServiceServicer

from server.converters.portfolios import id_of
from server.converters.reallocation import (
    NAME,
    answer_to_proto,
    page_to_proto,
    reallocate_command_from_proto,
    record_to_proto,
)
from server.servicers.deadline import Context, deadline_of
from server.services.reallocation import ReallocationService

DEFAULT_PAGE = 50


class ReallocationServicer(ReallocationServiceServicer):
    """Maps the wire to the reallocation service and back."""

    def __init__(self, reallocations: ReallocationService) -> None:
        self._reallocations = reallocations

    async def Reallocate(self, request: ReallocateRequest, context: Context) -> ReallocationProto:
        """A plan, or why there is none."""
        command = reallocate_command_from_proto(request)
        return answer_to_proto(await self._reallocations.reallocate(command, deadline_of(context)))

    async def GetReallocation(self, request: GetReallocationRequest, context: Context) -> ReallocationProto:
        """A stored answer."""
        return record_to_proto(await self._reallocations.get(request.name.removeprefix(NAME)))

    async def ListReallocations(self, request: ListReallocationsRequest, context: Context) -> ListReallocationsResponse:
        """A page of stored answers."""
        size, portfolio = request.page_size or DEFAULT_PAGE, id_of(request.portfolio)
        return page_to_proto(await self._reallocations.list(request.page_token, size, portfolio))
