"""Notifications: lists of them, who has seen them, and their delivery, each attempt by one worker."""

import asyncio
import random
from dataclasses import dataclass

import pytest

from domain.errors import InvalidInput
from domain.monitoring.signals import EventKind, Severity
from server.ports.errors import NotFound
from server.ports.events import (
    EventFilter,
    EventType,
    NotificationFilter,
    NotificationRecord,
    NotificationState,
    NotificationStore,
)
from server.ports.scope import Scope
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened, of_event_backends
from tests.contracts.storage.event_drafts import LEASE_SECONDS, TIME, event, events_of, notice
from tests.owners import MINE, OWNER

pytestmark = of_event_backends

ALL = NotificationFilter()
OTHER = "users/other"
LATER = 10**17
"""A time at which everything that was stored is due, in microseconds."""


@pytest.fixture
def store(storage: Storage) -> NotificationStore:
    return events_of(storage).notifications


async def told(storage: Storage, *keys: str, deliver: bool = True, **more: object) -> list[NotificationRecord]:
    """Stores notifications; their records in this order."""
    stored = await events_of(storage).log.append([notice(key, deliver, **more) for key in keys])
    listed = await every(storage, Scope(OWNER, everyone=True))
    by_sequence = {one.signal_sequence: one for one in listed}
    return [by_sequence[one.sequence] for one in stored]


async def every(
    storage: Storage, scope: Scope = MINE, filters: NotificationFilter = ALL, limit: int = 100
) -> list[NotificationRecord]:
    found, token = list[NotificationRecord](), ""
    while True:
        page = await events_of(storage).notifications.list(scope, token, limit, filters)
        assert len(page.records) <= limit
        found += page.records
        if not (token := page.next_token):
            return found


async def keys(storage: Storage) -> list[str]:
    page = await events_of(storage).log.since(MINE, 0, 1_000, EventFilter())
    return [one.draft.dedupe_key for one in page.events]


async def test_a_notification_is_about_its_event(storage: Storage, store: NotificationStore) -> None:
    (one,) = await told(storage, "k", kind=EventKind.LIMIT, severity=Severity.CRITICAL)
    (other,) = await told(storage, "quiet", deliver=False)
    assert (one.owner, one.kind, one.severity) == (OWNER, EventKind.LIMIT, Severity.CRITICAL)
    assert (one.portfolio, one.symbol, one.message) == ("main", "A", "told of k")
    assert (one.state, one.attempts, one.last_error, one.acknowledged) == (NotificationState.PENDING, 0, "", None)
    assert one.next_attempt is not None
    assert (other.state, other.next_attempt) == (NotificationState.DELIVERED, None)
    assert await store.get(OWNER, one.id) == one
    assert [due.id for due in await store.claim_due("w", LATER, LEASE_SECONDS, 5)] == [one.id]


async def test_another_owner_has_none_of_it(storage: Storage, store: NotificationStore) -> None:
    (one,) = await told(storage, "k")
    assert await every(storage, Scope(OTHER)) == []
    for name in (one.id, "none"):
        with pytest.raises(NotFound, match=name):
            await store.get(OTHER, name)
        with pytest.raises(NotFound, match=name):
            await store.acknowledge(OTHER, name, event("seen"))
        with pytest.raises(NotFound, match=name):
            await store.redeliver(OTHER, name, TIME)
    assert await store.get(OWNER, one.id) == one
    assert await keys(storage) == ["k"]


async def test_lists(storage: Storage, store: NotificationStore) -> None:
    for number in range(7):
        severity = Severity.CRITICAL if number % 2 else Severity.INFO
        await told(storage, f"k{number}", portfolio=f"p{number % 3}", severity=severity)
    await told(storage, "other", owner=OTHER)
    newest_first = await every(storage)
    assert [one.message for one in newest_first] == [f"told of k{number}" for number in reversed(range(7))]
    for limit in (1, 2, 7):
        assert await every(storage, limit=limit) == newest_first
    assert len(await every(storage, Scope(OTHER, everyone=True), limit=3)) == 8
    assert await store.attempted("w", (await store.claim_due("w", LATER, LEASE_SECONDS, 1))[0], "", None, None)
    now_listed = await every(storage)
    times = [one.created for one in now_listed]
    for filters, expected in (
        (NotificationFilter(portfolio="p1"), [one for one in now_listed if one.portfolio == "p1"]),
        (NotificationFilter(min_severity=Severity.WARNING), [o for o in now_listed if o.severity >= Severity.WARNING]),
        (NotificationFilter(state=NotificationState.DELIVERED), [now_listed[-1]]),
        (NotificationFilter(state=NotificationState.PENDING), now_listed[:-1]),
        (NotificationFilter(state=NotificationState.FAILED), []),
        (NotificationFilter(created_from=times[3]), [one for one in now_listed if one.created >= times[3]]),
        (NotificationFilter(created_before=times[3]), [one for one in now_listed if one.created < times[3]]),
    ):
        for limit in (1, 100):
            assert await every(storage, filters=filters, limit=limit) == expected


async def test_a_token_belongs_to_its_list(storage: Storage, store: NotificationStore) -> None:
    await told(storage, "a", "b", "c")
    token = (await store.list(MINE, "", 1, ALL)).next_token
    assert token
    for scope, filters in ((Scope(OTHER), ALL), (MINE, NotificationFilter(portfolio="main"))):
        with pytest.raises(InvalidInput):
            await store.list(scope, token, 1, filters)
    with pytest.raises(InvalidInput):
        await store.list(MINE, "made up", 1, ALL)


async def test_it_is_seen_once(storage: Storage, store: NotificationStore) -> None:
    (one,) = await told(storage, "k")
    seen = event("seen", type=EventType.NOTIFICATION, time=TIME + 5)
    first = await store.acknowledge(OWNER, one.id, seen)
    assert (first.state, first.acknowledged) == (NotificationState.ACKNOWLEDGED, TIME + 5)
    again = await store.acknowledge(OWNER, one.id, event("again", time=TIME + 9))
    assert again == first
    assert await keys(storage) == ["k", "seen"]
    assert await every(storage, filters=NotificationFilter(state=NotificationState.ACKNOWLEDGED)) == [first]
    assert await every(storage, filters=NotificationFilter(state=NotificationState.PENDING)) == []


async def test_deliveries(storage: Storage, store: NotificationStore) -> None:
    """One is delivered, one tried again, one given up."""
    records = await told(storage, "a", "b", "c")
    due = await store.claim_due("w", LATER, LEASE_SECONDS, 5)
    assert {one.id for one in due} == {one.id for one in records}
    assert await store.claim_due("other", LATER, LEASE_SECONDS, 5) == ()
    done = event("done", type=EventType.NOTIFICATION)
    assert await store.attempted("w", records[0], "", None, done)
    assert await store.attempted("w", records[1], "status 500", LATER + 10, None)
    assert await store.attempted("w", records[2], "status 410", None, event("gone"))
    a, b, c = [await store.get(OWNER, one.id) for one in records]
    assert (a.state, a.attempts, a.last_error, a.next_attempt) == (NotificationState.DELIVERED, 1, "", None)
    assert (b.state, b.attempts, b.last_error, b.next_attempt) == (
        NotificationState.PENDING,
        1,
        "status 500",
        LATER + 10,
    )
    assert (c.state, c.attempts, c.last_error, c.next_attempt) == (NotificationState.FAILED, 1, "status 410", None)
    assert sorted(await keys(storage)) == ["a", "b", "c", "done", "gone"]
    assert await store.claim_due("w", LATER + 9, LEASE_SECONDS, 5) == ()
    (second,) = await store.claim_due("w", LATER + 10, LEASE_SECONDS, 5)
    assert second == b
    assert await store.attempted("w", second, "", None, None)
    assert (await store.get(OWNER, b.id)).attempts == 2


async def test_a_worker_that_lost_it_says_nothing(storage: Storage, store: NotificationStore) -> None:
    await told(storage, "a")
    (old,) = await store.claim_due("one", LATER, LEASE_SECONDS, 5)
    after = LATER + round((LEASE_SECONDS + 1) * 1e6)
    assert await store.claim_due("two", LATER + 1, LEASE_SECONDS, 5) == (), "the lease goes on"
    (new,) = await store.claim_due("two", after, LEASE_SECONDS, 5)
    assert not await store.attempted("one", old, "", None, event("old"))
    assert await store.attempted("two", new, "status 500", after, None)
    assert not await store.attempted("two", new, "", None, event("twice"))
    (third,) = await store.claim_due("one", after, LEASE_SECONDS, 5)
    assert not await store.attempted("one", old, "", None, event("old")), "of an attempt before"
    assert await store.attempted("one", third, "", None, event("new"))
    assert await keys(storage) == ["a", "new"]


async def test_a_delivery_of_what_was_seen_goes_on(storage: Storage, store: NotificationStore) -> None:
    await told(storage, "a")
    (claim,) = await store.claim_due("w", LATER, LEASE_SECONDS, 5)
    seen = await store.acknowledge(OWNER, claim.id, event("seen"))
    assert await store.attempted("w", claim, "", None, None)
    after = await store.get(OWNER, claim.id)
    assert (after.attempts, after.acknowledged, after.next_attempt) == (1, seen.acknowledged, None)
    assert after.state is NotificationState.ACKNOWLEDGED


async def test_it_is_delivered_again(storage: Storage, store: NotificationStore) -> None:
    (one,) = await told(storage, "a")
    await store.claim_due("w", LATER, LEASE_SECONDS, 5)
    assert await store.attempted("w", one, "status 410", None, None)
    again = await store.redeliver(OWNER, one.id, TIME)
    assert (again.state, again.attempts, again.next_attempt) == (NotificationState.PENDING, 0, TIME)
    (claim,) = await store.claim_due("w", TIME, LEASE_SECONDS, 5)
    back = await store.redeliver(OWNER, one.id, TIME + 5)
    assert not await store.attempted("w", claim, "", None, None), "it was put back meanwhile"
    assert await store.get(OWNER, one.id) == back
    await store.claim_due("w", TIME + 5, LEASE_SECONDS, 5)
    assert await store.attempted("w", back, "", None, None)
    await store.acknowledge(OWNER, one.id, event("seen"))
    seen = await store.redeliver(OWNER, one.id, TIME)
    assert (seen.acknowledged, seen.attempts, seen.next_attempt) == (TIME, 0, TIME)


async def test_several_workers_deliver_each_once(opened: Opened, stack: object) -> None:
    stores = [opened(), opened()]
    await told(stores[0], *(f"k{number}" for number in range(50)))
    delivered: list[str] = []

    async def work(storage: Storage, worker: str) -> None:
        notifications = events_of(storage).notifications
        while due := await notifications.claim_due(worker, LATER, LEASE_SECONDS, 3):
            for record in due:
                assert await notifications.attempted(worker, record, "", None, event(f"done-{record.id}"))
                delivered.append(record.id)

    await asyncio.gather(*(work(stores[number % 2], f"w{number}") for number in range(6)))
    assert len(delivered) == len(set(delivered)) == 50


@dataclass
class Row:
    """A notification of the model."""

    record: NotificationRecord
    state: NotificationState = NotificationState.PENDING
    attempts: int = 0
    next_attempt: int | None = 0
    holder: str = ""
    lease: int = 0
    seen: bool = False


@pytest.mark.parametrize("seed", range(2))
async def test_as_a_plain_list_does_it(storage: Storage, store: NotificationStore, seed: int) -> None:
    """400 random calls."""
    chosen, now = random.Random(seed), LATER
    rows: dict[str, Row] = {}
    claims: list[tuple[str, NotificationRecord]] = []
    for number in range(400):
        now += chosen.randrange(5)
        call = chosen.choice(["add", "claim", "claim", "attempt", "attempt", "see", "again", "get"])
        worker = chosen.choice("xy")
        row = chosen.choice(list(rows.values())) if rows else None
        if call == "add":
            (record,) = await told(storage, f"k{number}")
            rows[record.id] = Row(record)
        elif call == "claim":
            lease, limit = chosen.choice([0.000_002, LEASE_SECONDS]), chosen.randrange(1, 4)
            found = await store.claim_due(worker, now, lease, limit)
            due = {
                name: one
                for name, one in rows.items()
                if one.next_attempt is not None and one.next_attempt <= now and (not one.holder or one.lease < now)
            }
            assert len(found) == min(limit, len(due))
            assert {one.id for one in found} <= set(due)
            for record in found:
                rows[record.id].holder, rows[record.id].lease = worker, now + round(lease * 1e6)
                claims.append((worker, record))
        elif call == "attempt" and claims:
            worker, record = chosen.choice(claims[-6:])
            one = rows[record.id]
            error, following = chosen.choice([("", None), ("no", now + 7), ("no", None)])
            holds = one.holder == worker and one.attempts == record.attempts
            assert await store.attempted(worker, record, error, following, None) == holds
            if holds:
                one.attempts, one.holder, one.next_attempt = one.attempts + 1, "", following
                states = NotificationState.FAILED if following is None else NotificationState.PENDING
                one.state = states if error else NotificationState.DELIVERED
        elif call == "see" and row:
            await store.acknowledge(OWNER, row.record.id, event(f"seen-{number}"))
            row.seen = True
        elif call == "again" and row:
            await store.redeliver(OWNER, row.record.id, now)
            row.state, row.attempts, row.next_attempt, row.holder = NotificationState.PENDING, 0, now, ""
        elif row:
            found_one = await store.get(OWNER, row.record.id)
            assert (found_one.attempts, found_one.acknowledged is not None) == (row.attempts, row.seen)
            if row.attempts:
                assert found_one.next_attempt == row.next_attempt
            if not row.seen:
                assert found_one.state is row.state
    assert any(one.state is NotificationState.DELIVERED for one in rows.values())
