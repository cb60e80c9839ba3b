"""What waits for a transaction that has not ended, and what it finds then.

The first of two writes is held open by a connection of its own; the second comes as a server sends it.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from server.ports.errors import AlreadyExists, EtagMismatch, RequestIdReused, StorageUnavailable
from server.ports.fills import FillsChange, StoredFill
from server.ports.portfolios import PortfolioDraft, PortfolioRecord
from server.ports.results import ResultDraft, ResultState
from server.storage.supabase.fills import SupabaseFills
from server.storage.supabase.frames import Frame
from server.storage.supabase.portfolios import SupabasePortfolios
from server.storage.supabase.results import SupabaseResults
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token

OWNER = "users/a"
TABLES = ("portfolios", "optimizations", "reallocations")
LONG_ENOUGH_SECONDS = 0.5
"""For a write to end that waits for nothing."""


def sent(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def called(connection: asyncpg.Connection, name: str, *arguments: object) -> Frame:
    places = ", ".join(f"${i + 1}" for i in range(len(arguments)))
    return Frame(await connection.fetchval(f"select absfin.{name}({places})", *arguments))


@asynccontextmanager
async def waiting(
    connection: asyncpg.Connection, first: Callable[[], Awaitable[Any]], second: Awaitable[Any]
) -> AsyncIterator[asyncio.Task[Any]]:
    """The second write, which ends after the first one has: not before."""
    transaction = connection.transaction()
    await transaction.start()
    await first()
    task = asyncio.ensure_future(second)
    done, _ = await asyncio.wait([task], timeout=LONG_ENOUGH_SECONDS)
    assert not done, "it did not wait"
    await transaction.commit()
    await asyncio.wait([task])
    yield task


@pytest.fixture
async def portfolio(rpc: Rpc) -> PortfolioRecord:
    return await SupabasePortfolios(rpc).create(OWNER, PortfolioDraft(b"before", b"b", "p"))


@pytest.fixture
def change(database: asyncpg.Connection, portfolio: PortfolioRecord) -> Callable[[], Awaitable[Frame]]:
    return lambda: called(database, "update_portfolio", OWNER, "p", portfolio.etag, sent(b"after"), write_token())


def save(
    connection: asyncpg.Connection, kind: str, result_id: str, request_id: str | None, subject: str = ""
) -> Callable[[], Awaitable[Frame]]:
    contents = sent(b""), sent(b"payload"), sent(b"")
    return lambda: called(
        connection,
        "save_result",
        kind,
        OWNER,
        result_id,
        request_id,
        sent(b"b"),
        "f",
        subject,
        "",
        *contents,
        write_token(),
    )


async def test_the_same_write_again(rpc: Rpc, database: asyncpg.Connection, portfolio: PortfolioRecord) -> None:
    token = write_token()
    first = called(database, "update_portfolio", OWNER, "p", portfolio.etag, sent(b"after"), token)
    again = rpc.read_bytes(
        "update_portfolio", p_owner=OWNER, p_id="p", p_etag=portfolio.etag, p_payload=sent(b"after"), p_token=token
    )
    async with waiting(database, lambda: first, again) as task:
        assert Frame(await task).header["revision"] == 2


async def test_two_changes_of_a_portfolio(
    rpc: Rpc, database: asyncpg.Connection, portfolio: PortfolioRecord, change: Callable[[], Awaitable[Frame]]
) -> None:
    other = SupabasePortfolios(rpc).update(OWNER, "p", portfolio.etag, lambda _: b"other")
    async with waiting(database, change, other) as task:
        with pytest.raises(EtagMismatch):
            await task
    assert (await SupabasePortfolios(rpc).get(OWNER, "p")).payload == b"after"


async def test_fills_of_a_portfolio_that_changes(
    rpc: Rpc, database: asyncpg.Connection, portfolio: PortfolioRecord, change: Callable[[], Awaitable[Frame]]
) -> None:
    fills = FillsChange("p", portfolio.etag, b"q", (StoredFill("f", "A", 1, b"c", b"o"),), ())
    async with waiting(database, change, SupabaseFills(rpc).commit(OWNER, fills)) as task:
        with pytest.raises(EtagMismatch):
            await task


async def test_a_plan_of_a_portfolio_that_changes(
    rpc: Rpc, database: asyncpg.Connection, change: Callable[[], Awaitable[Frame]]
) -> None:
    digest = hashlib.sha256(b"before").digest()
    plan = ResultDraft(b"plan", "f", b"b", subject="p", subject_digest=digest)
    async with waiting(database, change, SupabaseResults(rpc, "reallocation").save(OWNER, plan)) as task:
        assert (await task).state is ResultState.SUPERSEDED


async def test_a_change_of_a_portfolio_that_a_plan_is_stored_for(
    rpc: Rpc, database: asyncpg.Connection, portfolio: PortfolioRecord
) -> None:
    changed = SupabasePortfolios(rpc).update(OWNER, "p", portfolio.etag, lambda _: b"after")
    async with waiting(database, save(database, "reallocations", "r", None, "p"), changed) as task:
        await task
    assert (await SupabaseResults(rpc, "reallocation").get(OWNER, "r")).state is ResultState.SUPERSEDED


async def test_two_plans_of_a_portfolio(rpc: Rpc, database: asyncpg.Connection) -> None:
    store = SupabaseResults(rpc, "reallocation")
    second = store.save(OWNER, ResultDraft(b"plan", "f", b"b", id="second", subject="p"))
    async with waiting(database, save(database, "reallocations", "first", None, "p"), second) as task:
        assert (await task).state is ResultState.CURRENT
    assert (await store.get(OWNER, "first")).superseded_by == "second"
    assert (await store.get(OWNER, "first")).created < (await store.get(OWNER, "second")).created


@pytest.mark.parametrize("kind", ["optimization", "reallocation"])
async def test_two_results_of_one_request(rpc: Rpc, database: asyncpg.Connection, kind: Any) -> None:
    store = SupabaseResults(rpc, kind)
    for number, (draft, error) in enumerate(
        (
            (ResultDraft(b"other", "f", b"b", "request0"), None),
            (ResultDraft(b"other", "f", b"another", "request1"), RequestIdReused),
            (ResultDraft(b"other", "f", b"b", id="r2"), AlreadyExists),
        )
    ):
        first = save(database, f"{kind}s", f"r{number}", f"request{number}")
        async with waiting(database, first, store.save(OWNER, draft)) as task:
            if error is None:
                assert (await task).payload == b"payload"
            else:
                with pytest.raises(error):
                    await task


async def test_two_portfolios_of_one_request(rpc: Rpc, database: asyncpg.Connection) -> None:
    first = called(database, "create_portfolio", OWNER, "q", "request", sent(b"b"), sent(b"payload"), write_token())
    second = SupabasePortfolios(rpc).create(OWNER, PortfolioDraft(b"other", b"b", "r", "request"))
    async with waiting(database, lambda: first, second) as task:
        assert ((await task).id, (await task).payload) == ("q", b"payload")


async def test_what_always_fails_to_be_stored_ends(rpc: Rpc, database: asyncpg.Connection) -> None:
    """A trigger that drops rows without a word stands for others who delete what is in the way, each time."""
    await database.execute(
        "create function absfin.drop_row() returns trigger language plpgsql as 'begin return null; end'; "
        + "".join(
            f"create trigger drop_row before insert on absfin.{table} for each row execute function absfin.drop_row(); "
            for table in TABLES
        )
    )
    try:
        for write in (
            SupabasePortfolios(rpc).create(OWNER, PortfolioDraft(b"p", b"b")),
            SupabaseResults(rpc, "optimization").save(OWNER, ResultDraft(b"p", "f", b"b")),
            SupabaseResults(rpc, "reallocation").save(OWNER, ResultDraft(b"p", "f", b"b", "r")),
        ):
            with pytest.raises(StorageUnavailable, match="try again"):
                await write
    finally:
        await database.execute("drop function absfin.drop_row() cascade")
