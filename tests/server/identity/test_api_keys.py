"""Keys are recognised as long as they count, and nothing stored is one."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from server.identity.api_keys import ApiKeyDraft, ApiKeys
from server.ports.errors import AlreadyExists, NotFound, TokenExpired, TokenInvalid
from server.ports.identity import Role
from server.storage.embedded.api_keys import PEPPER_NAME, EmbeddedApiKeys
from server.storage.embedded.database import Database
from server.storage.supabase.access import Access
from server.storage.supabase.api_keys import SupabaseApiKeys
from server.storage.supabase.rpc import Rpc
from tests.supabase_stack import RunningStack


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "absfinance.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def keys(database: Database) -> ApiKeys:
    return ApiKeys(EmbeddedApiKeys(database))


def draft(key_id: str | None = None, *roles: Role, **more: object) -> ApiKeyDraft:
    return ApiKeyDraft(key_id, "", roles or (Role.ANALYST,), **{"expires": None, **more})  # type: ignore[arg-type]


async def test_a_key_stands_for_its_caller(keys: ApiKeys) -> None:
    issued = await keys.create(draft("desk", Role.READER, Role.TRADER))
    known = await keys.principal(issued.secret)
    assert (known.id, known.role, known.kind, known.expires) == ("apiKeys/desk", Role.TRADER, "key", None)


def test_nothing_that_is_stored_is_the_secret(keys: ApiKeys, tmp_path: Path) -> None:
    issued = asyncio.run(keys.create(draft("desk")))
    secret = issued.secret.split(".")[1].encode()
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {PEPPER_NAME, "absfinance.sqlite3"} <= {path.name for path in files}
    assert not [path for path in files if secret in path.read_bytes()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert "hash" not in repr(issued.record)


async def test_wrong_keys(keys: ApiKeys) -> None:
    one, other = await keys.create(draft("one")), await keys.create(draft("other"))
    mixed = f"absfin_one.{other.secret.split('.')[1]}"
    for wrong in (mixed, one.secret[:-1], one.secret + "x", "absfin_none." + "x" * 43, "absfin_", "absfin_one.", ""):
        with pytest.raises(TokenInvalid) as raised:
            await keys.principal(wrong)
        assert raised.value.metadata == {"cause": "it is no key of this server, or was revoked"}


async def test_a_row_that_is_moved_or_copied_makes_no_key(keys: ApiKeys, database: Database, tmp_path: Path) -> None:
    """Whoever can write the database only can make no key: the hash covers the id, and is keyed from outside."""
    reader, admin = await keys.create(draft("reader", Role.READER)), await keys.create(draft("admin", Role.ADMIN))
    with sqlite3.connect(database.path) as connection:
        connection.execute(
            "UPDATE api_keys SET hash = (SELECT hash FROM api_keys WHERE id = 'reader') WHERE id = 'admin'"
        )
    with pytest.raises(TokenInvalid):
        await keys.principal(f"absfin_admin.{reader.secret.split('.')[1]}")
    (tmp_path / PEPPER_NAME).write_bytes(bytes(32))
    with pytest.raises(TokenInvalid):
        await ApiKeys(EmbeddedApiKeys(database)).principal(reader.secret)
    assert admin.secret


async def test_expiry(database: Database) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    keys = ApiKeys(EmbeddedApiKeys(database), lambda: now)
    end = now + timedelta(hours=1)
    issued = await keys.create(draft("brief", expires=end))
    assert (await keys.principal(issued.secret)).expires == end.timestamp()
    now = end - timedelta(microseconds=1)
    await keys.principal(issued.secret)
    now = end
    with pytest.raises(TokenExpired):
        await keys.principal(issued.secret)
    with pytest.raises(TokenInvalid):  # a stranger is not told that there was such a key
        await keys.principal(issued.secret[:-2] + "xx")
    with pytest.raises(InvalidInput):
        await keys.create(draft("late", expires=now))


async def test_revocation_counts_at_once_and_for_good(keys: ApiKeys) -> None:
    issued = await keys.create(draft("desk"))
    first = await keys.revoke("desk")
    assert first.revoked is not None
    with pytest.raises(TokenInvalid):
        await keys.principal(issued.secret)
    assert await keys.revoke("desk") == first
    with pytest.raises(AlreadyExists):  # its id is never taken again: things may belong to it
        await keys.create(draft("desk"))
    with pytest.raises(NotFound):
        await keys.revoke("none")


async def test_rotation_keeps_the_caller(keys: ApiKeys) -> None:
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


async def test_pages(keys: ApiKeys) -> None:
    for name in ("c", "a", "b"):
        await keys.create(draft(name))
    first = await keys.list("", 2)
    assert ([key.id for key in first.keys], first.next_id) == (["a", "b"], "b")
    second = await keys.list(first.next_id, 2)
    assert ([key.id for key in second.keys], second.next_id) == (["c"], "")


async def test_two_servers_share_one_secret_of_the_folder(database: Database) -> None:
    stores = [EmbeddedApiKeys(database) for _ in range(8)]
    assert len({await found for found in asyncio.as_completed([store.pepper() for store in stores])}) == 1
    assert [path.name for path in database.path.parent.glob("*.secret*")] == [PEPPER_NAME]


def made(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "server", "keys", "create", "--data-dir", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


async def test_the_first_key_is_made_where_the_data_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = await asyncio.to_thread(made, folder, "--role", "admin", "--id", "root")
    assert done.returncode == 0, done.stderr
    again = await asyncio.to_thread(made, folder, "--role", "admin", "--id", "root")
    assert again.returncode == 1
    assert again.stderr.startswith("abs-finance: no key was made in ")
    assert again.stderr.count("\n") == 1
    database = Database(folder / "absfinance.sqlite3")
    try:
        assert (await ApiKeys(EmbeddedApiKeys(database)).principal(done.stdout.strip())).role is Role.ADMIN
    finally:
        database.close()


async def test_the_first_key_of_a_project(wheel_stack: RunningStack, tmp_path: Path) -> None:
    await wheel_stack.empty()
    settings = wheel_stack.stack.environment
    done = await asyncio.to_thread(made, tmp_path, "--role", "admin", "--id", "root", **settings)
    assert done.returncode == 0, done.stderr
    again = await asyncio.to_thread(made, tmp_path, "--role", "admin", "--id", "root", **settings)
    assert again.stderr.startswith(
        f"abs-finance: no key was made in {wheel_stack.stack.url}: apiKeys/root exists already"
    )
    rpc = Rpc(Access(wheel_stack.stack.url, wheel_stack.stack.secret_key))
    assert (await ApiKeys(SupabaseApiKeys(rpc)).principal(done.stdout.strip())).role is Role.ADMIN
    await rpc.close()
