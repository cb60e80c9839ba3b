"""PortfolioService on the wire."""

import asyncio

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
from server.identity.current import owner, scope
from server.servicers.reading import Context, Requests
from server.services.portfolios import Portfolios

DEFAULT_PAGE = 50


class PortfolioServicer(PortfolioServiceServicer):
    """Maps the wire to the portfolio service and back."""

    def __init__(self, portfolios: Portfolios, requests: Requests) -> None:
        self._portfolios = portfolios
        self._requests = requests

    async def CreatePortfolio(self, request: bytes, context: Context) -> PortfolioProto:
        """The stored portfolio."""
        draft = await self._requests.read(CreatePortfolioRequest, draft_from_proto, request, context)
        return await asyncio.to_thread(record_to_proto, await self._portfolios.create(owner(), draft))

    async def GetPortfolio(self, request: bytes, context: Context) -> PortfolioProto:
        """A portfolio."""
        message = await self._requests.message(GetPortfolioRequest, request, context)
        return await asyncio.to_thread(record_to_proto, await self._portfolios.get(owner(), id_of(message.name)))

    async def ListPortfolios(self, request: bytes, context: Context) -> ListPortfoliosResponse:
        """A page of portfolios."""
        message = await self._requests.message(ListPortfoliosRequest, request, context)
        whose = scope("ListPortfolios", everyone=message.all)
        page = await self._portfolios.list(whose, message.page_token, message.page_size or DEFAULT_PAGE)
        return await asyncio.to_thread(page_to_proto, page, with_owners=whose.everyone)

    async def UpdatePortfolio(self, request: bytes, context: Context) -> PortfolioProto:
        """The portfolio after the change."""
        update = await self._requests.read(UpdatePortfolioRequest, change_from_proto, request, context)
        record = await self._portfolios.update(owner(), update.portfolio_id, update.etag, update.change)
        return await asyncio.to_thread(record_to_proto, record)

    async def DeletePortfolio(self, request: bytes, context: Context) -> DeletePortfolioResponse:
        """Deletes a portfolio."""
        message = await self._requests.message(DeletePortfolioRequest, request, context)
        await self._portfolios.delete(owner(), id_of(message.name), message.etag)
        return DeletePortfolioResponse()
