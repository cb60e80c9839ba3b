"""API keys: a key to create, and keys as messages, with the secret only where it has just been made."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from absfinance.v1.admin_service_pb2 import ApiKey, CreateApiKeyRequest
from google.protobuf import json_format

from domain.errors import InvalidInput
from server.converters import api_keys as converters
from server.identity.api_keys import ApiKeyDraft
from server.ports.identity import ApiKeyPage, ApiKeyRecord, Role

MADE = datetime(2024, 2, 29, 1, 2, 3, 456_789, tzinfo=UTC)
RECORD = ApiKeyRecord(
    id="k",
    caller="apiKeys/first",
    display_name="mine",
    roles=(Role.READER, Role.ADMIN),
    hash=b"not to be told",
    created=MADE,
    expires=datetime(2025, 1, 1, tzinfo=UTC),
    revoked=datetime(2024, 12, 31, tzinfo=UTC),
)


def draft(**fields: Any) -> ApiKeyDraft:
    return converters.key_draft_from_proto(json_format.ParseDict(fields, CreateApiKeyRequest()))


def test_all_of_a_key_to_create() -> None:
    found = draft(
        apiKeyId="k",
        displayName="mine",
        roles=["analyst", "trader"],
        expireTime="2025-01-01T00:00:00Z",
        replaces="apiKeys/old",
    )
    assert found == ApiKeyDraft("k", "mine", (Role.ANALYST, Role.TRADER), datetime(2025, 1, 1, tzinfo=UTC), "old")


def test_what_is_not_given() -> None:
    assert draft() == ApiKeyDraft(None, "", (), None, None)


@pytest.mark.parametrize("role", Role)
def test_roles_by_name(role: Role) -> None:
    assert draft(roles=[role.label]).roles == (role,)


def test_a_role_that_there_is_not() -> None:
    with pytest.raises(InvalidInput, match="one of reader, analyst, trader, admin, is 'Admin'") as raised:
        draft(roles=["reader", "Admin"])
    assert raised.value.field == "roles[1]"


@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 2**62])
def test_an_end_that_no_key_has(seconds: int) -> None:
    request = CreateApiKeyRequest()
    request.expire_time.seconds = seconds
    with pytest.raises(InvalidInput, match="before the year 10000") as raised:
        converters.key_draft_from_proto(request)
    assert raised.value.field == "expire_time"


def test_the_last_second_that_a_key_may_have() -> None:
    request = CreateApiKeyRequest()
    request.expire_time.seconds = 253_402_300_799
    assert converters.key_draft_from_proto(request).expires == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_all_of_a_key() -> None:
    found = json_format.MessageToDict(converters.key_to_proto(RECORD, "told once"))
    assert found == {
        "name": "apiKeys/k",
        "displayName": "mine",
        "roles": ["reader", "admin"],
        "secret": "told once",
        "createTime": "2024-02-29T01:02:03.456789Z",
        "expireTime": "2025-01-01T00:00:00Z",
        "revokeTime": "2024-12-31T00:00:00Z",
        "caller": "apiKeys/first",
    }
    assert len(found) == len(ApiKey.DESCRIPTOR.fields)


def test_a_key_that_does_not_end() -> None:
    found = converters.key_to_proto(replace(RECORD, expires=None, revoked=None))
    assert not any(found.HasField(name) for name in ("expire_time", "revoke_time"))


def test_a_page_has_no_secrets() -> None:
    found = converters.keys_to_proto(ApiKeyPage((RECORD, replace(RECORD, id="l")), "l"))
    assert ([one.name for one in found.api_keys], found.next_page_token) == (["apiKeys/k", "apiKeys/l"], "l")
    assert not any(one.secret for one in found.api_keys)


def test_the_id_in_a_name() -> None:
    assert converters.key_id_of(converters.key_to_proto(RECORD).name) == "k"
