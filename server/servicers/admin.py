"""AdminService on the wire: keys, and operation of the server."""

from absfinance.v1.admin_service_pb2 import (
    ApiKey,
    CreateApiKeyRequest,
    DrainRequest,
    DrainResponse,
    GetQuotasRequest,
    GetQuotasResponse,
    GetServerInfoRequest,
    GetServerInfoResponse,
    ListApiKeysRequest,
    ListApiKeysResponse,
    ListAuditEventsRequest,
    ListAuditEventsResponse,
    RevokeApiKeyRequest,
)
from absfinance.v1.admin_service_pb2_grpc import AdminServiceServicer

from server.converters.api_keys import key_draft_from_proto, key_id_of, key_to_proto, keys_to_proto
from server.converters.audit import audit_filter_from_proto, audit_page_to_proto
from server.converters.operation import (
    drain_seconds_from_proto,
    info_to_proto,
    quotas_to_proto,
    still_running_to_proto,
)
from server.identity.api_keys import ApiKeys
from server.identity.current import caller, scope
from server.servicers.reading import Context, Requests
from server.services.audit import AuditLog
from server.services.operation import Operation

DEFAULT_PAGE = 50


class AdminServicer(AdminServiceServicer):
    """Maps the wire to the keys and the operation of the server, and back."""

    def __init__(self, keys: ApiKeys, operation: Operation, audit: AuditLog, requests: Requests) -> None:
        self._keys = keys
        self._operation = operation
        self._audit = audit
        self._requests = requests

    async def GetServerInfo(self, request: bytes, context: Context) -> GetServerInfoResponse:
        """Version, engines, solvers and limits."""
        await self._requests.message(GetServerInfoRequest, request, context)
        return info_to_proto(await self._operation.info())

    async def GetQuotas(self, request: bytes, context: Context) -> GetQuotasResponse:
        """What a caller uses, and may."""
        message = await self._requests.message(GetQuotasRequest, request, context)
        return quotas_to_proto(*await self._operation.quotas(message.caller, caller(context.peer())))

    async def ListAuditEvents(self, request: bytes, context: Context) -> ListAuditEventsResponse:
        """A page of the audit log."""
        message = await self._requests.message(ListAuditEventsRequest, request, context)
        whose = scope("ListAuditEvents", everyone=message.all)
        filters = audit_filter_from_proto(message)
        page = await self._audit.list(whose, message.page_token, message.page_size or DEFAULT_PAGE, filters)
        return audit_page_to_proto(page)

    async def Drain(self, request: bytes, context: Context) -> DrainResponse:
        """What still runs; the server ends after it."""
        message = await self._requests.message(DrainRequest, request, context)
        return still_running_to_proto(self._operation.drain(drain_seconds_from_proto(message)))

    async def CreateApiKey(self, request: bytes, context: Context) -> ApiKey:
        """A key with its secret, which no later answer has."""
        issued = await self._keys.create(
            await self._requests.read(CreateApiKeyRequest, key_draft_from_proto, request, context)
        )
        return key_to_proto(issued.record, issued.secret)

    async def ListApiKeys(self, request: bytes, context: Context) -> ListApiKeysResponse:
        """A page of keys."""
        message = await self._requests.message(ListApiKeysRequest, request, context)
        return keys_to_proto(await self._keys.list(message.page_token, message.page_size or DEFAULT_PAGE))

    async def RevokeApiKey(self, request: bytes, context: Context) -> ApiKey:
        """The key after its end."""
        message = await self._requests.message(RevokeApiKeyRequest, request, context)
        return key_to_proto(await self._keys.revoke(key_id_of(message.name)))
