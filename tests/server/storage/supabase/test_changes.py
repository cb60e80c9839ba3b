"""What is particular to the change log on Supabase: transactions that overlap, and places in it."""

import asyncio
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from server.ports.changes import ChangeKind, ChangePage
from server.ports.errors import CursorGone
from server.ports.portfolios import PortfolioDraft
from server.storage.supabase.changes import SupabaseChanges
from server.storage.supabase.portfolios import SupabasePortfolios
from server.storage.supabase.rpc import Rpc
from tests.owners import OWNER
from tests.supabase_stack import RunningStack

INSERT = "insert into absfin.portfolios (owner, id, body, payload) values ($1, $2, '', '')"


@pytest.fixture
def changes(rpc: Rpc) -> SupabaseChanges:
    return SupabaseChanges(rpc)


@pytest.fixture
async def slow(stack: RunningStack) -> AsyncIterator[asyncpg.Connection]:
    """Another connection, whose transaction may stay open."""
    connection = await asyncpg.connect(stack.stack.database_url)
    yield connection
    await connection.close()


def names(page: ChangePage) -> list[str]:
    return [change.name for change in page.changes]


async def follow(changes: SupabaseChanges, cursor: str, limit: int = 100) -> tuple[list[str], str]:
    """All names after a place, page by page."""
    found: list[str] = []
    while True:
        page = await changes.changes_since(cursor, limit)
        found += names(page)
        cursor = page.next_cursor
        if page.is_last:
            return found, cursor


async def test_a_slow_transaction_that_commits_late_loses_nothing(
    changes: SupabaseChanges, rpc: Rpc, slow: asyncpg.Connection
) -> None:
    portfolios = SupabasePortfolios(rpc)
    await portfolios.create(OWNER, PortfolioDraft(b"", b"", "before"))
    seen, cursor = await follow(changes, "")
    assert seen == ["before"]
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, OWNER, "slow")  # it has the lower number
    await portfolios.create(OWNER, PortfolioDraft(b"", b"", "fast"))
    meanwhile, cursor = await follow(changes, cursor)
    assert meanwhile == [], "what came after an open transaction waits for it"
    newest = await changes.newest()
    assert newest == cursor
    lag = await changes.lag(cursor)
    assert (lag.changes, lag.seconds >= 0) == (1, True), "what waits is behind all the same"
    await transaction.commit()
    after, cursor = await follow(changes, cursor, limit=1)
    assert sorted(after) == ["fast", "slow"]
    assert names(await changes.changes_since(newest, 10)) == after
    assert (await changes.lag(cursor)).changes == 0


async def test_writers_at_once_and_a_reader_that_never_waits_for_them(
    changes: SupabaseChanges, stack: RunningStack
) -> None:
    """Transactions of random length: every change is read once, in the order of places."""
    writers, each = 6, 25

    async def write(writer: int) -> None:
        connection = await asyncpg.connect(stack.stack.database_url)
        for number in range(each):
            async with connection.transaction():
                await connection.execute(INSERT, OWNER, f"{writer}-{number}")
                await asyncio.sleep(0.001 * ((7 * writer + 3 * number) % 11))
        await connection.close()

    seen: list[str] = []
    cursor = ""
    writing = asyncio.gather(*(write(writer) for writer in range(writers)))
    while not writing.done():
        more, cursor = await follow(changes, cursor, limit=7)
        seen += more
    await writing
    more, cursor = await follow(changes, cursor)
    seen += more
    assert len(seen) == len(set(seen)) == writers * each
    for writer in range(writers):
        assert [name for name in seen if name.startswith(f"{writer}-")] == [f"{writer}-{n}" for n in range(each)]


async def test_a_transaction_that_is_rolled_back_leaves_no_change(
    changes: SupabaseChanges, slow: asyncpg.Connection
) -> None:
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute(INSERT, OWNER, "never")
    await transaction.rollback()
    assert await follow(changes, "") == ([], "0.0")


async def test_a_change_of_one_thing_that_comes_later_has_a_higher_revision(
    changes: SupabaseChanges, rpc: Rpc, slow: asyncpg.Connection
) -> None:
    """Also where its transaction began earlier, and its place is the earlier one."""
    made = await SupabasePortfolios(rpc).create(OWNER, PortfolioDraft(b"", b"", "p"))
    transaction = slow.transaction()
    await transaction.start()
    await slow.fetchval("select pg_current_xact_id()")
    await SupabasePortfolios(rpc).update(OWNER, "p", made.etag, lambda payload: b"1")
    await slow.execute("update absfin.portfolios set payload = '2'")
    await transaction.commit()
    page = await changes.changes_since("", 10)
    assert [change.kind for change in page.changes] == [ChangeKind.PORTFOLIO] * 3
    first, third, second = page.changes
    assert first.revision < second.revision < third.revision


async def test_changes_that_are_written_together_have_one_time(
    changes: SupabaseChanges, database: asyncpg.Connection
) -> None:
    """Then who follows the log takes them together, however many they are."""
    for first in (0, 50):
        names = [f"S{number}" for number in range(first, first + 50)]
        await database.execute("select absfin.record_shared_changes('INSTRUMENT', $1)", names)
    times = [change.time for change in (await changes.changes_since("", 200)).changes]
    assert len(times) == 100
    assert len(set(times[:50])) == len(set(times[50:])) == 1
    assert times[0] < times[50]


async def test_a_transaction_is_announced_once(slow: asyncpg.Connection, database: asyncpg.Connection) -> None:
    """However many changes it writes; and one that stays open holds nobody up."""
    await database.execute("insert into absfin.change_notices values ('1', now() - interval '61 minutes')")
    transaction = slow.transaction()
    await transaction.start()
    for name in ("a", "b"):
        await slow.execute(INSERT, OWNER, name)
    async with asyncio.timeout(60):
        await database.execute("insert into absfin.change_notices values ('2', now() - interval '61 minutes')")
        await database.execute(INSERT, OWNER, "c")
    await transaction.commit()
    await database.execute("update absfin.portfolios set body = '1'")
    count = "select count(*) from absfin.change_notices"
    assert await database.fetchval("select count(*) from absfin.changes") == 6
    assert await database.fetchval(f"{count} where written < now() - interval '1 hour'") == 0
    assert await database.fetchval(count) == 3


@pytest.mark.parametrize("cursor", ["x", "1", "-1.0", "1.2.3", "99999999999999.1", "9" * 19 + ".1", "1.١"])
async def test_places_of_other_logs(changes: SupabaseChanges, cursor: str) -> None:
    with pytest.raises(CursorGone):
        await changes.changes_since(cursor, 1)


async def test_what_is_forgotten_is_said_to_be_gone(changes: SupabaseChanges, rpc: Rpc) -> None:
    portfolios = SupabasePortfolios(rpc)
    for name in ("a", "b", "c"):
        await portfolios.create(OWNER, PortfolioDraft(b"", b"", name))
    first = (await changes.changes_since("", 1)).next_cursor
    second = (await changes.changes_since(first, 1)).next_cursor
    assert await changes.forget(second, 0) == 0, "none of them was written before that time"
    assert await changes.forget(second, time.time_ns() // 1000 + 60_000_000) == 2
    assert names(await changes.changes_since(second, 5)) == names(await changes.changes_since("", 5)) == ["c"]
    with pytest.raises(CursorGone):
        await changes.changes_since(first, 5)
    last = await changes.newest()
    assert await changes.forget(last, time.time_ns() // 1000 + 60_000_000) == 1
    assert await changes.newest() == last
    page = await changes.changes_since("", 5)
    assert (page.changes, page.next_cursor, page.is_last) == ((), last, True)
