"""PortfolioService on the wire."""

from absfinance.v1.portfolio_pb2 import Portfolio as PortfolioProto
from absfinance.v1.portfolio_service_pb2 import (
    CreatePortfolioRequest,
    DeletePortfolioRequest,
    DeletePortfolioResponse,
    GetPortfolioRequest,
    ListPortfoliosRequest,
    ListPortfoliosResponse,
    UpdatePortfolioRequest,
)
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceServicer

from server.converters.portfolios import change_from_proto, draft_from_proto, id_of, page_to_proto, record_to_proto
from server.servicers.deadline import Context
from server.services.portfolios import Portfolios

DEFAULT_PAGE = 50


class PortfolioServicer(PortfolioServiceServicer):
    """Maps the wire to the portfolio service and back."""

    def __init__(self, portfolios: Portfolios) -> None:
        self._portfolios = portfolios

    async def CreatePortfolio(self, request: CreatePortfolioRequest, context: Context) -> PortfolioProto:
        """The stored portfolio."""
        return record_to_proto(await self._portfolios.create(draft_from_proto(request)))

    async def GetPortfolio(self, request: GetPortfolioRequest, context: Context) -> PortfolioProto:
        """A portfolio."""
        return record_to_proto(await self._portfolios.get(id_of(request.name)))

    async def ListPortfolios(self, request: ListPortfoliosRequest, context: Context) -> ListPortfoliosResponse:
        """A page of portfolios."""
        return page_to_proto(await self._portfolios.list(request.page_token, request.page_size or DEFAULT_PAGE))

    async def UpdatePortfolio(self, request: UpdatePortfolioRequest, context: Context) -> PortfolioProto:
        """The portfolio after the change."""
        change, name = change_from_proto(request), id_of(request.portfolio.name)
        return record_to_proto(await self._portfolios.update(name, request.portfolio.etag, change))

    async def DeletePortfolio(self, request: DeletePortfolioRequest, context: Context) -> DeletePortfolioResponse:
        """Nothing is left of a portfolio."""
        await self._portfolios.delete(id_of(request.name), request.etag)
        return DeletePortfolioResponse()
