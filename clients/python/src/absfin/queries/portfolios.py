"""Calls of PortfolioService."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from absfinance.v1 import portfolio_service_pb2 as pb
from absfinance.v1.portfolio_pb2 import Portfolio
from absfinance.v1.portfolio_service_pb2_grpc import PortfolioServiceStub
from google.protobuf.field_mask_pb2 import FieldMask

from absfin.queries.base import PagedQuery, Rpc, UnaryQuery
from absfin.requests import PAGE_SIZE, new_request_id
from absfin.results import PortfolioSummary


@dataclass(frozen=True)
class CreatePortfolioQuery(UnaryQuery[Portfolio]):
    """Stores a portfolio; the message that comes back has its name and etag. Raises AlreadyExists."""

    RPC: ClassVar = Rpc(PortfolioServiceStub, "CreatePortfolio")

    portfolio: Portfolio
    portfolio_id: str = ""
    _: KW_ONLY
    request_id: str = ""  # a new one if empty

    def request(self) -> pb.CreatePortfolioRequest:
        """The portfolio."""
        return pb.CreatePortfolioRequest(
            portfolio=self.portfolio,
            portfolio_id=self.portfolio_id,
            request_id=self.request_id or new_request_id(),
        )

    def answer(self, response: Portfolio) -> Portfolio:
        """As it is stored."""
        return response


@dataclass(frozen=True)
class GetPortfolioQuery(UnaryQuery[Portfolio]):
    """A portfolio by its name, "portfolios/{id}". Raises NotFound."""

    RPC: ClassVar = Rpc(PortfolioServiceStub, "GetPortfolio")

    name: str

    def request(self) -> pb.GetPortfolioRequest:
        """The name."""
        return pb.GetPortfolioRequest(name=self.name)

    def answer(self, response: Portfolio) -> Portfolio:
        """As it is stored."""
        return response


@dataclass(frozen=True)
class UpdatePortfolioQuery(UnaryQuery[Portfolio]):
    """Changes the named fields, or all. Raises EtagMismatch if the portfolio changed since it was read."""

    RPC: ClassVar = Rpc(PortfolioServiceStub, "UpdatePortfolio")

    portfolio: Portfolio
    fields: Iterable[str] = ()

    def request(self) -> pb.UpdatePortfolioRequest:
        """The portfolio and the fields."""
        return pb.UpdatePortfolioRequest(portfolio=self.portfolio, update_mask=FieldMask(paths=self.fields))

    def answer(self, response: Portfolio) -> Portfolio:
        """As it is stored."""
        return response


@dataclass(frozen=True)
class DeletePortfolioQuery(UnaryQuery[None]):
    """Removes a portfolio. Raises NotFound, and EtagMismatch if an etag is given and is no longer current."""

    RPC: ClassVar = Rpc(PortfolioServiceStub, "DeletePortfolio")

    name: str
    etag: str = ""

    def request(self) -> pb.DeletePortfolioRequest:
        """The name and the etag."""
        return pb.DeletePortfolioRequest(name=self.name, etag=self.etag)

    def answer(self, response: pb.DeletePortfolioResponse) -> None:
        """Nothing."""


@dataclass(frozen=True)
class ListPortfoliosQuery(PagedQuery[PortfolioSummary]):
    """All stored portfolios by name, without their holdings."""

    RPC: ClassVar = Rpc(PortfolioServiceStub, "ListPortfolios")

    _: KW_ONLY
    all: bool = False  # those of everybody, for admins; each summary then has its owner

    def request(self, page_token: str) -> pb.ListPortfoliosRequest:
        """A page."""
        return pb.ListPortfoliosRequest(page_size=PAGE_SIZE, page_token=page_token, all=self.all)

    def items(self, response: pb.ListPortfoliosResponse) -> Iterable[PortfolioSummary]:
        """The summaries of the page."""
        return response.portfolios
