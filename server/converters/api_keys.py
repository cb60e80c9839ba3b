"""API keys on the wire."""

from datetime import UTC, datetime

from absfinance.v1.admin_service_pb2 import ApiKey, CreateApiKeyRequest, ListApiKeysResponse

from domain.errors import InvalidInput
from server.identity.api_keys import ApiKeyDraft
from server.ports.identity import ApiKeyPage, ApiKeyRecord, Role

NAME = "apiKeys/"
LAST_SECOND = 253_402_300_799
"""The end of the year 9999, the last that a Timestamp has."""


def key_id_of(name: str) -> str:
    """The id in a resource name."""
    return name.removeprefix(NAME)


def key_draft_from_proto(request: CreateApiKeyRequest) -> ApiKeyDraft:
    """A key to create. Raises InvalidInput."""
    roles = tuple(_role(i, name) for i, name in enumerate(request.roles))
    expires = None
    if request.HasField("expire_time"):
        if not 0 <= request.expire_time.seconds <= LAST_SECOND:
            raise InvalidInput("expire_time", "must be in the future, and before the year 10000")
        expires = datetime.fromtimestamp(request.expire_time.seconds, UTC)
    return ApiKeyDraft(
        request.api_key_id or None, request.display_name, roles, expires, key_id_of(request.replaces) or None
    )


def key_to_proto(record: ApiKeyRecord, secret: str = "") -> ApiKey:
    """A key; its secret only where it has just been made."""
    message = ApiKey(
        name=f"{NAME}{record.id}",
        display_name=record.display_name,
        roles=[role.label for role in record.roles],
        caller=record.caller,
        secret=secret,
    )
    message.create_time.FromDatetime(record.created)
    if record.expires is not None:
        message.expire_time.FromDatetime(record.expires)
    if record.revoked is not None:
        message.revoke_time.FromDatetime(record.revoked)
    return message


def keys_to_proto(page: ApiKeyPage) -> ListApiKeysResponse:
    """A page of keys."""
    return ListApiKeysResponse(api_keys=[key_to_proto(key) for key in page.keys], next_page_token=page.next_id)


def _role(i: int, name: str) -> Role:
    role = Role.of(name)
    if role is None:
        raise InvalidInput(f"roles[{i}]", f"must be one of {', '.join(known.label for known in Role)}, is {name!r}")
    return role
