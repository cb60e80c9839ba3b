"""What every store of API keys promises."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from server.identity.api_keys import ApiKeyDraft, ApiKeys
from server.ports.errors import AlreadyExists, NotFound, TokenInvalid
from server.ports.identity import ApiKeyRecord, Role
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


def record(key_id: str, **changed: object) -> ApiKeyRecord:
    whole = {"caller": f"apiKeys/{key_id}", "display_name": "Desk ü '' \0\1\x010", "roles": (Role.READER, Role.TRADER)}
    return ApiKeyRecord(id=key_id, **{**whole, "hash": bytes(range(32)), "created": NOW, **changed})  # type: ignore[arg-type]


def draft(key_id: str | None = None, *roles: Role, **more: object) -> ApiKeyDraft:
    return ApiKeyDraft(key_id, "", roles or (Role.ANALYST,), **{"expires": None, **more})  # type: ignore[arg-type]


async def test_a_key_comes_back_as_it_was(storage: Storage) -> None:
    stored = record("desk", expires=NOW + timedelta(days=1, microseconds=1))
    assert await storage.api_keys.create(stored) == stored
    assert await storage.api_keys.find("desk") == stored == await storage.api_keys.get("desk")


async def test_an_unknown_key(storage: Storage) -> None:
    assert await storage.api_keys.find("none") is None
    with pytest.raises(NotFound) as raised:
        await storage.api_keys.get("none")
    assert (raised.value.kind, raised.value.name) == ("API key", "apiKeys/none")
    with pytest.raises(NotFound) as raised:
        await storage.api_keys.revoke("none", NOW)
    assert (raised.value.kind, raised.value.name) == ("API key", "apiKeys/none")


async def test_an_id_is_taken_for_ever(storage: Storage) -> None:
    await storage.api_keys.create(record("desk"))
    for _ in range(2):
        with pytest.raises(AlreadyExists) as raised:
            await storage.api_keys.create(record("desk", hash=bytes(32)))
        assert (raised.value.kind, raised.value.name) == ("API key", "apiKeys/desk")
        await storage.api_keys.revoke("desk", NOW)
    assert (await storage.api_keys.get("desk")).hash == bytes(range(32))


async def test_the_first_revocation_counts(storage: Storage) -> None:
    await storage.api_keys.create(record("desk"))
    first = await storage.api_keys.revoke("desk", NOW + timedelta(hours=1))
    assert first == record("desk", revoked=NOW + timedelta(hours=1))
    assert await storage.api_keys.revoke("desk", NOW + timedelta(hours=2)) == first


async def test_pages_are_ordered_by_bytes(storage: Storage) -> None:
    """As people order names, `a_b` and `B` would come elsewhere: a page must begin where the last one ended."""
    names = ["B", "a-b", "a", "_", "a_b", "A", "b", "0"]
    for name in names:
        await storage.api_keys.create(record(name))
    found, after = [], ""
    while True:
        page = await storage.api_keys.list(after, 3)
        found += [key.id for key in page.keys]
        after = page.next_id
        if not after:
            break
    assert found == sorted(names)


async def test_a_full_last_page_has_no_next(storage: Storage) -> None:
    for name in ("a", "b"):
        await storage.api_keys.create(record(name))
    assert (await storage.api_keys.list("", 2)).next_id == ""
    assert (await storage.api_keys.list("", 1)).next_id == "a"
    assert (await storage.api_keys.list("b", 1)).keys == ()


async def test_servers_share_the_secret_that_hashes_are_keyed_by(opened: Opened) -> None:
    stores = [opened().api_keys for _ in range(4)]
    secrets = await asyncio.gather(*(store.pepper() for store in stores))
    assert len(set(secrets)) == 1
    assert len(secrets[0]) == 32
    assert secrets[0] != bytes(32)


async def test_of_many_at_once_one_takes_an_id(storage: Storage) -> None:
    keys = ApiKeys(storage.api_keys)
    outcomes = await asyncio.gather(*(keys.create(draft("one")) for _ in range(8)), return_exceptions=True)
    (issued,) = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert all(isinstance(outcome, AlreadyExists) for outcome in outcomes if isinstance(outcome, BaseException))
    assert (await keys.principal(issued.secret)).id == "apiKeys/one"


async def test_a_revoked_key_counts_no_more_on_another_server(opened: Opened) -> None:
    here, there = ApiKeys(opened().api_keys), ApiKeys(opened().api_keys)
    issued = await here.create(draft("desk"))
    assert (await there.principal(issued.secret)).id == "apiKeys/desk"
    await here.revoke("desk")
    with pytest.raises(TokenInvalid):
        await there.principal(issued.secret)


async def test_rotation_keeps_the_caller(storage: Storage) -> None:
    keys = ApiKeys(storage.api_keys)
    old = await keys.create(draft("old"))
    new = await keys.create(draft("new", replaces="old"))
    newer = await keys.create(draft("newer", replaces="new"))
    await keys.revoke("old")
    for issued in (new, newer):
        assert (await keys.principal(issued.secret)).id == "apiKeys/old"
    with pytest.raises(TokenInvalid):
        await keys.principal(old.secret)
    with pytest.raises(NotFound):
        await keys.create(draft("x", replaces="none"))
