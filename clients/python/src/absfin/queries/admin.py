"""Calls of AdminService."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from typing import ClassVar

from absfinance.v1 import admin_service_pb2 as pb
from absfinance.v1.admin_service_pb2_grpc import AdminServiceStub

from absfin.queries.base import PagedQuery, Rpc, UnaryQuery
from absfin.requests import PAGE_SIZE, timestamp


@dataclass(frozen=True)
class GetServerInfoQuery(UnaryQuery[pb.GetServerInfoResponse]):
    """What the server is: its version, engines, solvers and limits."""

    RPC: ClassVar = Rpc(AdminServiceStub, "GetServerInfo")

    def request(self) -> pb.GetServerInfoRequest:
        """Nothing more."""
        return pb.GetServerInfoRequest()

    def answer(self, response: pb.GetServerInfoResponse) -> pb.GetServerInfoResponse:
        """What it says."""
        return response


@dataclass(frozen=True)
class GetQuotasQuery(UnaryQuery[pb.GetQuotasResponse]):
    """What a caller uses and may use: the caller, or another one where an admin asks. Raises PermissionDenied."""

    RPC: ClassVar = Rpc(AdminServiceStub, "GetQuotas")

    caller: str = ""  # such as "users/{sub}" or "apiKeys/{id}"; the caller if empty

    def request(self) -> pb.GetQuotasRequest:
        """The caller."""
        return pb.GetQuotasRequest(caller=self.caller)

    def answer(self, response: pb.GetQuotasResponse) -> pb.GetQuotasResponse:
        """The quotas."""
        return response


@dataclass(frozen=True)
class ListAuditEventsQuery(UnaryQuery[pb.ListAuditEventsResponse]):
    """A page of the calls that changed something, or were refused to, newest first. Raises PermissionDenied."""

    RPC: ClassVar = Rpc(AdminServiceStub, "ListAuditEvents")

    page_size: int = 50
    page_token: str = ""
    _: KW_ONLY
    caller: str = ""  # such as "users/{sub}" or "apiKeys/{id}"
    method: str = ""  # such as "absfinance.v1.PortfolioService/UpdatePortfolio"
    resource: str = ""  # such as "portfolios/main"
    start_time: datetime | None = None  # in UTC if without a time zone
    end_time: datetime | None = None
    all: bool = False  # those of everybody, for admins

    def request(self) -> pb.ListAuditEventsRequest:
        """The page."""
        return pb.ListAuditEventsRequest(
            page_size=self.page_size,
            page_token=self.page_token,
            caller=self.caller,
            method=self.method,
            resource=self.resource,
            start_time=timestamp(self.start_time),
            end_time=timestamp(self.end_time),
            all=self.all,
        )

    def answer(self, response: pb.ListAuditEventsResponse) -> pb.ListAuditEventsResponse:
        """The events, and the token of the next page."""
        return response


@dataclass(frozen=True)
class DrainQuery(UnaryQuery[pb.DrainResponse]):
    """Ends the server: no call after this one is taken, and those that run have `timeout` seconds to end."""

    RPC: ClassVar = Rpc(AdminServiceStub, "Drain")

    timeout: float | None = None  # as the server's settings say if None

    def request(self) -> pb.DrainRequest:
        """How long calls may take."""
        message = pb.DrainRequest()
        if self.timeout is not None:
            message.timeout.FromMilliseconds(round(1e3 * self.timeout))
        return message

    def answer(self, response: pb.DrainResponse) -> pb.DrainResponse:
        """What still runs."""
        return response


@dataclass(frozen=True)
class CreateApiKeyQuery(UnaryQuery[pb.ApiKey]):
    """Makes an API key with roles: reader, analyst, trader, admin. The answer alone has its secret.

    `replaces` names a key, "apiKeys/{id}", whose caller the new one stands for too. Raises AlreadyExists, NotFound.
    """

    RPC: ClassVar = Rpc(AdminServiceStub, "CreateApiKey")

    roles: Iterable[str]
    display_name: str = ""
    _: KW_ONLY
    api_key_id: str = ""  # the server chooses one if empty
    expires: datetime | None = None  # with a time zone, in whole seconds; never if None
    replaces: str = ""

    def request(self) -> pb.CreateApiKeyRequest:
        """The key to make. Raises ValueError for a time without a time zone."""
        message = pb.CreateApiKeyRequest(
            api_key_id=self.api_key_id,
            display_name=self.display_name,
            roles=list(self.roles),
            replaces=self.replaces,
        )
        if self.expires is not None:
            if self.expires.tzinfo is None:
                raise ValueError("expires must have a time zone")
            message.expire_time.FromSeconds(int(self.expires.timestamp()))
        return message

    def answer(self, response: pb.ApiKey) -> pb.ApiKey:
        """The key with its secret."""
        return response


@dataclass(frozen=True)
class ListApiKeysQuery(PagedQuery[pb.ApiKey]):
    """All API keys by name, without their secrets."""

    RPC: ClassVar = Rpc(AdminServiceStub, "ListApiKeys")

    def request(self, page_token: str) -> pb.ListApiKeysRequest:
        """A page."""
        return pb.ListApiKeysRequest(page_size=PAGE_SIZE, page_token=page_token)

    def items(self, response: pb.ListApiKeysResponse) -> Iterable[pb.ApiKey]:
        """The keys of the page."""
        return response.api_keys


@dataclass(frozen=True)
class RevokeApiKeyQuery(UnaryQuery[pb.ApiKey]):
    """Ends an API key, "apiKeys/{id}", from the next call on. Raises NotFound."""

    RPC: ClassVar = Rpc(AdminServiceStub, "RevokeApiKey")

    name: str

    def request(self) -> pb.RevokeApiKeyRequest:
        """The name."""
        return pb.RevokeApiKeyRequest(name=self.name)

    def answer(self, response: pb.ApiKey) -> pb.ApiKey:
        """The key after its end."""
        return response
