"""AdminService on the wire: keys."""

from absfinance.v1.admin_service_pb2 import (
    ApiKey,
    CreateApiKeyRequest,
    ListApiKeysRequest,
    ListApiKeysResponse,
    RevokeApiKeyRequest,
)
from absfinance.v1.admin_service_pb2_grpc import AdminServiceServicer

from server.converters.api_keys import key_draft_from_proto, key_id_of, key_to_proto, keys_to_proto
from server.identity.api_keys import ApiKeys
from server.servicers.reading import Context, Requests

DEFAULT_PAGE = 50


class AdminServicer(AdminServiceServicer):
    """Maps the wire to the keys and back."""

    def __init__(self, keys: ApiKeys, requests: Requests) -> None:
        self._keys = keys
        self._requests = requests

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
