"""What people reach through PostgREST with no server between, for every table and function of the catalogue.

Nobody changes anything. Whoever is not signed in sees nothing; users see their own rows, and market data. `dump`
compares the whole store before and after.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest

from tests.contracts.storage.catalogue import Table, dump, fill, tables_of
from tests.supabase_stack import RunningStack

USERS = ("5a7f0001-0000-4000-8000-000000000001", "5a7f0002-0000-4000-8000-000000000002")
STRANGER = "5a7f0003-0000-4000-8000-000000000003"

SHARED = {"price_revisions", "price_chunks", "instruments", "instrument_labels", "corporate_actions"}
"""Tables that every user may read."""

OPEN_FUNCTIONS: set[str] = set()
"""Functions that somebody else than the server may call."""

DENIED = (401, 403)


@dataclass(frozen=True)
class Filled:
    """A stack with a row of two users in every table."""

    running: RunningStack
    tables: tuple[Table, ...]

    async def connection(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.running.stack.admin_url)

    def client(self, user: str | None) -> httpx.AsyncClient:
        """As a browser: the key that anybody may have, and the token of a user."""
        stack = self.running.stack
        token = stack.anon_key if user is None else stack.token(user)
        headers = {"apikey": stack.publishable_key, "Authorization": f"Bearer {token}"}
        profile = {"Accept-Profile": "absfin", "Content-Profile": "absfin"}
        return httpx.AsyncClient(
            base_url=f"{stack.url}/rest/v1", headers={**headers, **profile}, trust_env=False, timeout=20
        )


@pytest.fixture(scope="module", params=["system", "wheel"])
def filled(request: pytest.FixtureRequest) -> Filled:
    running: RunningStack = request.getfixturevalue(f"{request.param}_stack")

    async def prepare() -> tuple[Table, ...]:
        await running.empty()
        connection = await asyncpg.connect(running.stack.admin_url)
        try:
            await fill(connection, [f"users/{user}" for user in USERS])
            found = tuple(await tables_of(connection))
            empty = [name for name, rows in (await dump(connection)).items() if not rows]
            assert not empty, f"no rows in {empty}"
            return found
        finally:
            await connection.close()

    return Filled(running, asyncio.run(prepare()))


@pytest.fixture
async def database(filled: Filled) -> AsyncIterator[asyncpg.Connection]:
    opened = await filled.connection()
    yield opened
    await opened.close()


@pytest.fixture(params=["anon", "user", "stranger"])
async def client(filled: Filled, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    user = {"anon": None, "user": USERS[0], "stranger": STRANGER}[request.param]
    async with filled.client(user) as opened:
        yield opened


async def readable(database: asyncpg.Connection, table: str) -> list[str]:
    """The columns of a table that a user who is signed in may read."""
    rows = await database.fetch(
        "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped "
        "and has_column_privilege('authenticated', attrelid, attnum, 'select')",
        f"absfin.{table}",
    )
    return [row["attname"] for row in rows]


def owner_of(filled: Filled, table: str) -> str:
    """An expression for the owner of a row, followed to its parent where it has no column of its own."""
    found = next(known for known in filled.tables if known.name == table)
    if "owner" in found.all_names:
        return f"{table}.owner"
    for column in found.columns:
        if column.parent and column.parent != table:
            parent = f"absfin.{column.parent}"
            inner = owner_of(filled, column.parent)
            same = f"{column.parent}.{column.parent_column} = {table}.{column.name}"
            return f"(select {inner} from {parent} where {same})"  # noqa: S608  # names of the catalogue
    raise AssertionError(f"{table} can be read, and nothing says whose its rows are")


async def test_a_signed_in_user_reads_their_own_rows_and_no_other(filled: Filled, database: asyncpg.Connection) -> None:
    owned = 0
    for table in filled.tables:
        columns = await readable(database, table.name)
        for user in (*USERS, STRANGER):
            async with filled.client(user) as client:
                # Column by column: `*` asks for those that are not granted too.
                answer = await client.get(f"/{table.name}", params={"select": ",".join(columns) or "*"})
            if not columns:
                assert answer.status_code in DENIED, table.name
                continue
            where = "true" if table.name in SHARED else f"{owner_of(filled, table.name)} = 'users/{user}'"
            query = f"select count(*) from absfin.{table.name} where {where}"  # noqa: S608  # names of the catalogue
            expected = await database.fetchval(query)
            assert answer.status_code == 200, (table.name, answer.text)
            assert len(answer.json()) == expected, table.name
            if table.name not in SHARED:
                assert expected == (0 if user == STRANGER else 1), table.name
                owned += 1
    assert owned % 3 == 0


async def test_who_is_not_signed_in_reads_nothing(filled: Filled) -> None:
    async with filled.client(None) as client:
        for table in filled.tables:
            assert (await client.get(f"/{table.name}")).status_code in DENIED, table.name
            assert (await client.head(f"/{table.name}")).status_code in DENIED, table.name


async def test_nobody_writes_a_table(filled: Filled, client: httpx.AsyncClient, database: asyncpg.Connection) -> None:
    before = await dump(database)
    for table in filled.tables:
        # Not one that the database fills: that is refused for a reason of its own.
        column = table.columns[0].name if table.columns else table.all_names[0]
        body = {column: before[table.name][0][column] if table.name in before else "1"}
        body = {name: value for name, value in body.items() if isinstance(value, str | int)}
        for merge in ("resolution=merge-duplicates", "return=minimal"):
            answers = [await client.post(f"/{table.name}", json=body, headers={"Prefer": merge})]
            answers.append(
                await client.patch(f"/{table.name}", params={column: "not.is.null"}, json=body or {column: None})
            )
            answers.append(await client.delete(f"/{table.name}", params={column: "not.is.null"}))
            for answer in answers:
                assert answer.status_code in DENIED, (table.name, answer.request.method, answer.text)
    assert await dump(database) == before


async def test_nobody_calls_a_function(filled: Filled, client: httpx.AsyncClient, database: asyncpg.Connection) -> None:
    before = await dump(database)
    functions = await database.fetch(
        "select p.proname, p.proargnames, p.pronargs, p.proargtypes::regtype[]::text[] as types from pg_proc p "
        "where p.pronamespace = 'absfin'::regnamespace and p.prokind = 'f' order by 1"
    )
    assert len(functions) > 5
    for name, names, count, types in functions:
        if name in OPEN_FUNCTIONS:
            continue
        arguments = dict(zip((names or [])[:count], (argument(kind) for kind in types), strict=False))
        answer = await client.post(f"/rpc/{name}", json=arguments)
        # 404: with one parameter that has no name, or one that is a row, there is nothing to call with JSON.
        assert answer.status_code in (*DENIED, 404), (name, answer.status_code, answer.text)
        if answer.status_code == 404:
            assert not names or any("." in kind for kind in types), (name, answer.text)
            answer = await client.post(
                f"/rpc/{name}", content=b"x", headers={"Content-Type": "application/octet-stream"}
            )
            assert answer.status_code in (*DENIED, 404), (name, answer.text)
    assert await dump(database) == before


def argument(kind: str) -> Any:
    values = {"jsonb": {}, "integer": 1, "bigint": 1, "smallint": 1, "boolean": True, "double precision": 1.0}
    if kind.startswith("timestamp"):
        return "2026-01-01T00:00:00Z"
    return [] if kind.endswith("[]") else values.get(kind, "x")


async def test_the_schema_itself(database: asyncpg.Connection) -> None:
    open_tables = await database.fetch(
        "select relname from pg_class where relnamespace = 'absfin'::regnamespace and relkind in ('r', 'p') "
        "and not relrowsecurity"
    )
    assert open_tables == []
    # A view runs with the rights of its owner, and passes row level security by.
    assert await database.fetch(
        "select relname from pg_class where relnamespace = 'absfin'::regnamespace and relkind in ('v', 'm', 'f')"
    ) == []  # fmt: skip
    for role in ("anon", "authenticated"):
        callable_ = await database.fetch(
            "select proname from pg_proc where pronamespace = 'absfin'::regnamespace "
            "and has_function_privilege($1, oid, 'execute')",
            role,
        )
        assert {row["proname"] for row in callable_} == OPEN_FUNCTIONS
        for privilege in ("insert", "update", "delete", "truncate", "references", "trigger"):
            found = await database.fetch(
                "select relname from pg_class where relnamespace = 'absfin'::regnamespace and relkind in ('r', 'p') "
                "and has_table_privilege($1, oid, $2)",
                role, privilege,
            )  # fmt: skip
            assert found == [], (role, privilege)
        sequences = await database.fetch(
            "select sequencename from pg_sequences where schemaname = 'absfin' "
            "and has_sequence_privilege($1, format('absfin.%I', sequencename), 'usage, select, update')",
            role,
        )
        assert sequences == []
        assert not await database.fetchval("select has_schema_privilege($1, 'absfin', 'create')", role)
    assert not await database.fetchval("select has_schema_privilege('anon', 'absfin', 'usage')")


async def test_every_definer_looks_names_up_nowhere(database: asyncpg.Connection) -> None:
    """With a search path, whoever may make a table or a function somewhere in it becomes the definer."""
    found = await database.fetch(
        "select proname, proconfig from pg_proc where pronamespace = 'absfin'::regnamespace and prosecdef"
    )
    assert found
    for name, settings in found:
        assert 'search_path=""' in (settings or []), name


async def test_policies_are_for_reading_by_the_signed_in_alone(database: asyncpg.Connection) -> None:
    found = await database.fetch(
        "select tablename, cmd, roles, permissive from pg_policies where schemaname = 'absfin'"
    )
    assert {(row["cmd"], tuple(row["roles"]), row["permissive"]) for row in found} <= {
        ("SELECT", ("authenticated",), "PERMISSIVE")
    }


async def test_notices_of_changes_are_published_and_nothing_else(database: asyncpg.Connection) -> None:
    """Realtime sends what is published to everybody who may read it, and blobs to all of them."""
    published = await database.fetch("select tablename from pg_publication_tables where schemaname = 'absfin'")
    assert [row["tablename"] for row in published] == ["change_notices"]
    # To the server alone: who is signed in may not read it.
    allowed = await database.fetch(
        "select grantee::text from information_schema.role_table_grants "
        "where table_schema = 'absfin' and table_name = 'change_notices' and grantee <> 'postgres'"
    )
    assert [row["grantee"] for row in allowed] == ["service_role"]
    policies = "select 1 from pg_policies where schemaname = 'absfin' and tablename = 'change_notices'"
    assert not await database.fetch(policies)
    types = await database.fetch(
        "select atttypid::regtype::text as type from pg_attribute "
        "where attrelid = 'absfin.change_notices'::regclass and attnum > 0"
    )
    assert [row["type"] for row in types] == ["xid8", "timestamp with time zone"]


async def test_names_stay_when_a_schema_is_put_first(filled: Filled, database: asyncpg.Connection) -> None:
    """A table of the same name in `public`, which projects are free to have, is not what the server writes."""
    await database.execute("create table public.api_keys (id text)")
    try:
        async with filled.client(None) as client:
            service = {"apikey": filled.running.stack.secret_key, "Authorization": ""}
            service["Authorization"] = f"Bearer {service['apikey']}"
            answer = await client.post("/rpc/list_api_keys", json={"p_after": "", "p_limit": 5}, headers=service)
        assert len(answer.raise_for_status().json()) == 2
    finally:
        await database.execute("drop table public.api_keys")
