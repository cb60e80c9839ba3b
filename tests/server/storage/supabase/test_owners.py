"""Whose rows leave the database, where a function is wrong too, and over connections that several callers share."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from server.ports.fills import FillsQuery
from server.ports.job_queue import QueuePolicy
from server.ports.job_stores import JobStores
from server.ports.portfolios import PortfolioDraft
from server.ports.results import ResultDraft
from server.ports.scope import Scope
from server.settings import Settings
from server.storage.panels import PanelFiles
from server.storage.supabase.access import Access
from server.storage.supabase.fills import SupabaseFills
from server.storage.supabase.frames import ForeignRow
from server.storage.supabase.job_stores import open_jobs
from server.storage.supabase.portfolios import SupabasePortfolios
from server.storage.supabase.results import SupabaseResults
from server.storage.supabase.rpc import Rpc
from server.storage.workers import WorkerLocks
from tests.contracts.storage.job_drafts import draft
from tests.supabase_stack import RunningStack

FUNCTIONS = (
    "get_portfolio", "list_portfolios", "load_fills", "get_result", "find_result", "list_results",
    "backtest_key_of", "backtest_of_request", "list_backtests",
)  # fmt: skip


@pytest.fixture
async def faulty(database: asyncpg.Connection) -> AsyncIterator[None]:
    """A database whose functions read what everybody has but the owner that they are asked for."""
    rows = await database.fetch(
        "select proname as name, pg_get_functiondef(oid) as text from pg_proc "
        "where pronamespace = 'absfin'::regnamespace and proname = any($1)",
        FUNCTIONS,
    )
    assert len(rows) == len(FUNCTIONS)
    for row in rows:
        wrong = row["text"].replace("owner = p_owner", "owner <> p_owner").replace("owner = $1", "owner <> $1")
        assert wrong != row["text"], row["name"]
        await database.execute(wrong)
    yield
    for row in rows:
        await database.execute(row["text"])


@pytest.mark.usefixtures("faulty")
async def test_the_store_sends_on_nothing_of_another_owner(rpc: Rpc) -> None:
    portfolios, fills, results = SupabasePortfolios(rpc), SupabaseFills(rpc), SupabaseResults(rpc, "reallocation")
    await portfolios.create("users/a", PortfolioDraft(b"mine", b"b", "p"))
    await results.save("users/a", ResultDraft(b"mine", "f", b"b", "r", id="r"))
    for read in (
        portfolios.get("users/b", "p"),
        portfolios.list(Scope("users/b"), "", 10),
        fills.load("users/b", FillsQuery("", "p", (), ())),
        fills.load("users/b", FillsQuery("r", "", (), ())),
        results.get("users/b", "r"),
        results.find("users/b", "r", b"b"),
        results.list(Scope("users/b"), "", 10),
    ):
        with pytest.raises(ForeignRow):
            await read


@pytest.fixture
def jobs(stack: RunningStack, access: Access, rpc: Rpc, tmp_path: Path) -> Iterator[JobStores]:
    settings = Settings.read(("--data-dir", str(tmp_path)), stack.stack.environment)
    locks = WorkerLocks(tmp_path / "workers")
    yield open_jobs(rpc, access, PanelFiles(tmp_path / "panels"), locks, settings, QueuePolicy()).stores
    locks.close()


@pytest.mark.usefixtures("faulty")
async def test_nor_of_jobs(jobs: JobStores) -> None:
    await jobs.queue.enqueue("users/a", draft("r", id="j"))
    for read in (
        jobs.archive.get("users/b", "j"),
        jobs.archive.find("users/b", "r", b"b"),
        jobs.archive.list(Scope("users/b"), "", 10),
        jobs.archive.delete("users/b", "j"),
        jobs.queue.enqueue("users/b", draft("r", id="other")),
        jobs.queue.cancel("users/b", "j"),
    ):
        with pytest.raises(ForeignRow):
            await read


async def test_connections_that_two_users_share_mix_nobody_up(stack: RunningStack, access: Access, rpc: Rpc) -> None:
    """300 calls at once over one pool, each with the key of who makes it: row level security shows whose each was."""
    users = [str(uuid.uuid4()) for _ in range(2)]
    store = SupabasePortfolios(rpc)
    for user in users:
        await store.create(f"users/{user}", PortfolioDraft(b"p", b"b", "p"))
    async with access.async_http() as http:

        async def owners_seen_by(key: str) -> set[str]:
            caller = Access(access.url, key)
            headers = {**caller.headers, "apikey": stack.stack.anon_key, "Accept-Profile": "absfin"}
            answer = await http.get(f"{caller.rest_url}/portfolios", params={"select": "owner"}, headers=headers)
            assert answer.status_code == httpx.codes.OK, answer.text
            return {row["owner"] for row in answer.json()}

        keys = [stack.stack.token(user) for user in users]
        found = await asyncio.gather(*(owners_seen_by(keys[i % 2]) for i in range(300)))
    assert [found.count({f"users/{user}"}) for user in users] == [150, 150]
    assert all(seen == {f"users/{users[i % 2]}"} for i, seen in enumerate(found))
