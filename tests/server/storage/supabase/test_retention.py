"""Results go when their time is over, and so does what is known of writes that are long done."""

import asyncio

import asyncpg
import pytest

from server.ports.results import ResultDraft
from server.ports.scope import Scope
from server.storage.supabase.results import Kind, SupabaseResults
from server.storage.supabase.retention import Deleted, ResultRetention
from server.storage.supabase.rpc import Rpc

OWNERS = ("users/a", "users/b")


async def ids(store: SupabaseResults) -> list[tuple[str, str]]:
    return [(record.owner, record.id) for record in (await store.list(Scope("", everyone=True), "", 200)).records]


@pytest.mark.parametrize("kind", ["optimization", "reallocation"])
async def test_old_results_go_and_others_stay(rpc: Rpc, database: asyncpg.Connection, kind: Kind) -> None:
    store = SupabaseResults(rpc, kind)
    for i in range(30):
        await store.save(OWNERS[i % 2], ResultDraft(b"p", "f", b"b", id=str(i)))
    await database.execute(f"update absfin.{kind}s set created = created - interval '7 days' where id < '5'")  # noqa: S608
    old = sum(str(i) < "5" for i in range(30))
    assert await ResultRetention(rpc, 0.0).sweep() == Deleted()
    assert await ResultRetention(rpc, 7.1).sweep() == Deleted()
    assert len(await ids(store)) == 30
    swept = await asyncio.gather(*(ResultRetention(rpc, 6.9).sweep() for _ in range(2)))
    assert sum(getattr(one, f"{kind}s") for one in swept) == old, "of two servers that sweep, one deletes a result"
    assert sum(one.optimizations + one.reallocations for one in swept) == old
    assert await ids(store) == [(OWNERS[i % 2], str(i)) for i in range(29, -1, -1) if str(i) >= "5"]


async def test_tokens_of_writes_go_after_an_hour(rpc: Rpc, database: asyncpg.Connection) -> None:
    store = SupabaseResults(rpc, "optimization")
    for name in "abc":
        await store.save(OWNERS[0], ResultDraft(b"p", "f", b"b", id=name))
    await database.execute(
        "update absfin.recorded_writes set written = written - interval '61 minutes' where answer->>'id' <> 'b'"
    )
    await ResultRetention(rpc, 0.0).sweep()
    assert await database.fetch("select answer->>'id' as id from absfin.recorded_writes") == [("b",)]
    assert len(await ids(store)) == 3
