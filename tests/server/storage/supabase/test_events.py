"""What is particular to events on Supabase: calls that are sent again, overlapping writers, and whose clock counts."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Severity
from server.ports.changes import Quote
from server.ports.events import (
    EventDraft,
    EventFilter,
    EventType,
    ListenerState,
    NotificationDraft,
    NotificationFilter,
    NotificationState,
    RecomputationDraft,
)
from server.ports.published import Bar, Outcome
from server.ports.scope import Scope
from server.storage.supabase.access import Access
from server.storage.supabase.changes import SupabaseChanges
from server.storage.supabase.event_retention import EventRetention
from server.storage.supabase.event_rows import event_arguments
from server.storage.supabase.events import SupabaseEvents
from server.storage.supabase.listener import SupabaseListener
from server.storage.supabase.notifications import SupabaseNotifications
from server.storage.supabase.published import SupabasePublished
from server.storage.supabase.recomputations import SupabaseRecomputations
from server.storage.supabase.rpc import Rpc
from tests.owners import MINE, OWNER
from tests.server.storage.supabase.test_jobs import SentTwice
from tests.supabase_stack import RunningStack

EVERYTHING = EventFilter()
NOTIFY = NotificationDraft("look", deliver=True)


def event(key: str, notify: NotificationDraft | None = None) -> EventDraft:
    return EventDraft(
        EventType.SIGNAL, OWNER, 5, EventKind.DRIFT, Severity.WARNING, key, b"\x00" + key.encode(), "p", "A", notify
    )


def wanted(*causes: str, key: str = "") -> RecomputationDraft:
    return RecomputationDraft(OWNER, "p", Action.REALLOCATE, causes, signal_key=key)


@pytest.fixture
async def twice(access: Access) -> AsyncIterator[Rpc]:
    """Every call is sent twice."""
    opened = SentTwice(access)
    yield opened
    await opened.close()


async def test_what_is_sent_again_is_stored_once(twice: Rpc) -> None:
    log, listener, queue = SupabaseEvents(twice), SupabaseListener(twice), SupabaseRecomputations(twice)
    claim = await listener.claim("one", 30.0)
    assert claim is not None
    noticed = await listener.record(claim, [event("a", NOTIFY), event("a"), event("b")], [wanted("x", "y", key="b")])
    assert noticed is not None
    assert [stored.draft.dedupe_key for stored in noticed] == ["a", "b"]
    assert await listener.record(claim, [event("b")], [wanted("y")]) == ()
    assert [stored.draft.dedupe_key for stored in await log.append([event("b"), event("c")])] == ["c"]
    page = await log.since(MINE, 0, 10, EVERYTHING)
    assert [stored.draft for stored in page.events] == [event("a"), event("b"), event("c")]
    assert page.scanned == page.newest == page.events[-1].sequence
    found = await queue.claim("worker", 30.0)
    assert found is not None
    assert (found.causes, found.attempt, found.signal_sequence) == (("x", "y"), 1, noticed[1].sequence)
    assert await queue.enqueue([wanted("y", "z")]) == 1
    assert await queue.claim("worker", 30.0) is None, "never two of one portfolio and action"
    assert await queue.finish("worker", found, event("done"))
    assert await queue.claim("worker", 30.0) is not None
    keys = [stored.draft.dedupe_key for stored in (await log.since(MINE, page.newest, 10, EVERYTHING)).events]
    assert keys == ["done"]


async def test_a_delivery_whose_answers_are_lost_is_counted_once(twice: Rpc) -> None:
    notifications, log = SupabaseNotifications(twice), SupabaseEvents(twice)
    await log.append([event("a", NOTIFY)])
    now = time.time_ns() // 1000 + 10_000_000
    (record,) = await notifications.claim_due("worker", now, 30.0, 5)
    assert await notifications.claim_due("other", now, 30.0, 5) == ()
    assert await notifications.attempted("worker", record, "refused", now + 1, None)
    assert not await notifications.attempted("worker", record, "refused", now + 1, None), "it is another attempt's now"
    (again,) = await notifications.claim_due("other", now + 1, 30.0, 5)
    assert (again.attempts, again.last_error, again.state) == (1, "refused", NotificationState.PENDING)
    assert await notifications.attempted("other", again, "gone", None, event("failed"))
    assert (await notifications.get(OWNER, record.id)).state is NotificationState.FAILED
    seen = await notifications.acknowledge(OWNER, record.id, event("seen"))
    assert (seen.state, seen.acknowledged) == (NotificationState.ACKNOWLEDGED, 5)
    back = await notifications.redeliver(OWNER, record.id, now)
    assert (back.attempts, back.next_attempt) == (0, now)
    assert [one.id for one in (await notifications.list(MINE, "", 5, NotificationFilter())).records] == [record.id]
    keys = [stored.draft.dedupe_key for stored in (await log.since(MINE, 0, 10, EVERYTHING)).events]
    assert keys == ["a", "failed", "seen"]


async def test_prices_whose_answers_are_lost_are_stored_once(twice: Rpc, rpc: Rpc) -> None:
    published, changes = SupabasePublished(twice), SupabaseChanges(rpc)
    row = {"symbol": "A", "display_name": "", "currency": "", "state": "TRADABLE"}
    await rpc.call("upsert_instruments", p_instruments=[{**row, "groups": {}, "lot_size": None}])
    start = await changes.newest()
    assert await published.publish_bars([Bar("A", 100, 10.0), Bar("A", 101, 11.0, volume=5.0)]) == Outcome(2, {})
    assert await published.publish_quotes([Quote("A", 7, bid=1.0)]) == Outcome(1, {})
    found = (await changes.changes_since(start, 10)).changes
    assert len(found) == 3
    assert [one.quote for one in found if one.quote] == [Quote("A", 7, bid=1.0)]
    assert sorted((one.prices.field, one.prices.first, one.prices.last) for one in found if one.prices) == [
        ("CLOSE", 100, 101), ("VOLUME", 101, 101)
    ]  # fmt: skip


async def test_events_of_a_slow_transaction_come_first_or_the_others_wait(rpc: Rpc, stack: RunningStack) -> None:
    """A reader that goes on from the highest number it has seen misses none."""
    log = SupabaseEvents(rpc)
    slow = await asyncpg.connect(stack.stack.database_url)
    transaction = slow.transaction()
    await transaction.start()
    await slow.fetchval("select absfin.store_events($1::jsonb)", json.dumps(event_arguments([event("slow")])))
    fast = asyncio.create_task(log.append([event("fast")]))
    await asyncio.sleep(0.3)
    page = await log.since(MINE, 0, 10, EVERYTHING)
    assert (page.events, page.scanned) == ((), 0), "a reader does not wait, and a later event is not there before it"
    await transaction.commit()
    await fast
    await slow.close()
    later = await log.since(MINE, page.scanned, 10, EVERYTHING)
    assert [stored.draft.dedupe_key for stored in later.events] == ["slow", "fast"]


async def test_many_servers_write_events_and_a_reader_misses_none(access: Access) -> None:
    writers, each = 5, 20
    opened = [Rpc(access) for _ in range(writers)]

    async def write(number: int) -> None:
        log = SupabaseEvents(opened[number])
        for i in range(each):
            await log.append([event(f"{number}-{i}"), event(f"{number}-{i}+")])

    log = SupabaseEvents(opened[0])
    seen: list[int] = []
    after = 0
    writing = asyncio.gather(*(write(number) for number in range(writers)))
    done = False
    while not done:
        done = writing.done()
        page = await log.since(Scope("", everyone=True), after, 7, EVERYTHING)
        seen += [stored.sequence for stored in page.events]
        after = page.scanned
        done = done and after == page.newest
    await writing
    for one in opened:
        await one.close()
    assert seen == sorted(set(seen))
    assert len(seen) == 2 * writers * each


async def test_two_listeners_and_one_lease_by_the_clock_of_the_database(
    rpc: Rpc, access: Access, database: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Rpc(access)
    first, second = SupabaseListener(rpc), SupabaseListener(other)
    claims = await asyncio.gather(first.claim("one", 30.0), second.claim("two", 30.0))
    assert sum(claim is not None for claim in claims) == 1
    held = next(claim for claim in claims if claim is not None)
    loser = second if held.worker == "one" else first
    name = "two" if held.worker == "one" else "one"
    # A server whose own clock is an hour ahead takes nothing over.
    ahead = time.time_ns() + 3_600_000_000_000
    with monkeypatch.context() as clock:
        clock.setattr(time, "time_ns", lambda: ahead)
        clock.setattr(time, "time", lambda: ahead / 1e9)
        assert await loser.claim(name, 30.0) is None
    await database.execute("update absfin.listener set lease_time = clock_timestamp() - interval '1 millisecond'")
    taken = await loser.claim(name, 30.0)
    assert taken is not None
    assert taken.number > held.number
    assert await first.record(held, [event("late")], [wanted("late")]) is None
    assert not await first.store(held, ListenerState("1.1", b"late"))
    await first.release(held)
    assert await loser.store(taken, ListenerState("2.2", b"\x00state"))
    assert await first.load() == ListenerState("2.2", b"\x00state")
    assert (await SupabaseEvents(rpc).since(MINE, 0, 5, EVERYTHING)).events == ()
    assert await SupabaseRecomputations(rpc).claim("w", 1.0) is None
    await other.close()


async def test_claims_of_many_workers_at_once_are_of_different_portfolios(access: Access, rpc: Rpc) -> None:
    queue = SupabaseRecomputations(rpc)
    await queue.enqueue([replace(wanted("x"), portfolio=f"p{number}") for number in range(8)])
    opened = [Rpc(access) for _ in range(12)]
    claims = await asyncio.gather(
        *(SupabaseRecomputations(one).claim(f"w{number}", 30.0) for number, one in enumerate(opened))
    )
    found = [claim.portfolio for claim in claims if claim is not None]
    assert len(found) == len(set(found))
    while (more := await queue.claim("rest", 30.0)) is not None:
        found.append(more.portfolio)
    assert sorted(found) == [f"p{number}" for number in range(8)]
    for one in opened:
        await one.close()


async def test_old_rows_go_and_the_epoch_stays(rpc: Rpc, database: asyncpg.Connection) -> None:
    log, changes, listener = SupabaseEvents(rpc), SupabaseChanges(rpc), SupabaseListener(rpc)
    queue = SupabaseRecomputations(rpc)
    await log.append([event("old", NotificationDraft("seen", deliver=False)), event("older")])
    await queue.enqueue([wanted("x")])
    claim = await queue.claim("w", 30.0)
    assert claim is not None
    await queue.finish("w", claim, event("done"))
    retention = EventRetention(rpc, changes, listener)
    before = await log.since(MINE, 0, 5, EVERYTHING)
    assert await retention.sweep() == 0
    await database.execute("update absfin.events set stored = stored - interval '31 days' where dedupe_key <> 'done'")
    await database.execute("update absfin.notifications set created = created - interval '31 days'")
    await database.execute("update absfin.recomputations set finished = finished - interval '31 days'")
    assert await retention.sweep() == 4
    page = await log.since(MINE, 0, 5, EVERYTHING)
    assert [stored.draft.dedupe_key for stored in page.events] == ["done"]
    assert (page.oldest, page.newest, page.epoch) == (before.newest, before.newest, before.epoch)
    await database.execute("update absfin.events set stored = stored - interval '31 days'")
    assert await retention.sweep() == 1
    page = await log.since(MINE, 0, 5, EVERYTHING)
    assert (page.oldest, page.newest, page.scanned) == (before.newest + 1, before.newest, before.newest)
