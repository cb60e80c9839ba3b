"""The log of events, and the one listener that writes it: what is noticed twice is stored once."""

import asyncio
import random
from collections.abc import Mapping

import pytest

from domain.monitoring.mandate import Action
from domain.monitoring.signals import EventKind, Severity
from server.ports.events import (
    EventDraft,
    EventFilter,
    EventType,
    ListenerClaim,
    ListenerState,
    ListenerStore,
    NotificationFilter,
    StoredEvent,
)
from server.ports.scope import Scope
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened, of_event_backends
from tests.contracts.storage.event_drafts import LEASE_SECONDS, TIME, event, events_of, notice, recomputation
from tests.owners import MINE, OWNER

pytestmark = of_event_backends

EVERYTHING = EventFilter()
OTHER = "users/other"
PAST_LEASE = -1.0


@pytest.fixture
def listener(storage: Storage) -> ListenerStore:
    return events_of(storage).listener


async def claimed(listener: ListenerStore, worker: str = "w", lease_seconds: float = LEASE_SECONDS) -> ListenerClaim:
    found = await listener.claim(worker, lease_seconds)
    assert found is not None
    return found


async def keys(storage: Storage, scope: Scope = MINE, filters: EventFilter = EVERYTHING) -> list[str]:
    page = await events_of(storage).log.since(scope, 0, 1_000, filters)
    return [one.draft.dedupe_key for one in page.events]


async def test_an_event_is_stored_as_it_is(storage: Storage) -> None:
    log = events_of(storage).log
    sent = EventDraft(
        EventType.RECOMPUTATION, OWNER, TIME, EventKind.LIMIT, Severity.CRITICAL, "k", b"\x00\xff", "main", "é"
    )
    bare = event("bare", portfolio="", symbol="", payload=b"")
    stored = await log.append([sent, bare])
    assert [one.draft for one in stored] == [sent, bare]
    assert 0 < stored[0].sequence < stored[1].sequence
    page = await log.since(MINE, 0, 10, EVERYTHING)
    assert page.events == stored
    assert (page.oldest, page.newest, page.scanned) == (stored[0].sequence, stored[1].sequence, stored[1].sequence)


async def test_an_empty_log(opened: Opened, stack: object) -> None:
    first, second = (events_of(opened()).log for _ in range(2))
    page = await first.since(MINE, 0, 10, EVERYTHING)
    assert (page.events, page.newest, page.oldest) == ((), 0, 1)
    assert len(page.epoch) >= 8
    assert page.epoch == (await second.since(MINE, 0, 10, EVERYTHING)).epoch, "an epoch is that of the store"


async def test_a_key_is_stored_once_for_each_owner(storage: Storage) -> None:
    log = events_of(storage).log
    first = await log.append([notice("a"), notice("a", owner=OTHER), notice("a")])
    assert [one.draft.owner for one in first] == [OWNER, OTHER]
    again = await log.append([notice("b"), notice("a", payload=b"other")])
    assert [one.draft.dedupe_key for one in again] == ["b"]
    assert await keys(storage) == ["a", "b"]
    assert await keys(storage, Scope(OTHER)) == ["a"]
    assert await keys(storage, Scope(OWNER, everyone=True)) == ["a", "a", "b"]
    page = await events_of(storage).notifications.list(MINE, "", 10, NotificationFilter())
    assert sorted(one.message for one in page.records) == ["told of a", "told of b"], "each notification once, too"


async def test_pages(storage: Storage) -> None:
    log = events_of(storage).log
    stored = await log.append([event(f"k{number}", owner=OWNER if number % 3 else OTHER) for number in range(10)])
    mine = [one for one in stored if one.draft.owner == OWNER]
    for limit in (1, 2, 6, 7):
        after, found = 0, list[StoredEvent]()
        while after < stored[-1].sequence:
            page = await log.since(MINE, after, limit, EVERYTHING)
            assert len(page.events) <= limit
            assert (page.oldest, page.newest) == (stored[0].sequence, stored[-1].sequence), "of everybody"
            assert after < page.scanned <= page.newest
            found, after = [*found, *page.events], page.scanned
        assert found == mine
    assert (await log.since(MINE, stored[-1].sequence, 5, EVERYTHING)).events == ()


MATCHES: Mapping[str, EventFilter] = {
    "portfolio": EventFilter(portfolios=frozenset({"main", "none"})),
    "kind": EventFilter(kinds=frozenset({EventKind.LIMIT})),
    "severity": EventFilter(min_severity=Severity.WARNING),
    "all": EventFilter(frozenset({"second"}), frozenset({EventKind.LIMIT, EventKind.DRIFT}), Severity.CRITICAL),
}


@pytest.mark.parametrize("name", MATCHES)
async def test_filters(storage: Storage, name: str) -> None:
    filters = MATCHES[name]
    drafts = [
        event(f"{portfolio} {kind} {severity}", portfolio=portfolio, kind=kind, severity=severity)
        for portfolio in ("main", "second", "")
        for kind in (EventKind.DRIFT, EventKind.LIMIT, EventKind.DRAWDOWN)
        for severity in Severity
    ]
    expected = [
        one
        for one in drafts
        if (not filters.portfolios or one.portfolio in filters.portfolios)
        and (not filters.kinds or one.kind in filters.kinds)
        and one.severity >= filters.min_severity
    ]
    stored = await events_of(storage).log.append(drafts)
    page = await events_of(storage).log.since(MINE, 0, 100, filters)
    assert [one.draft for one in page.events] == expected
    assert page.scanned == stored[-1].sequence, "what does not pass is not looked at again"
    if len(expected) > 1:
        page = await events_of(storage).log.since(MINE, 0, 1, filters)
        assert page.scanned < stored[-1].sequence
        assert (await events_of(storage).log.since(MINE, page.scanned, 1, filters)).events[0].draft == expected[1]


async def test_who_reads_along_misses_nothing(opened: Opened, stack: object) -> None:
    """Two servers write at once; what becomes visible later never comes before what was read."""
    writers, reader = [events_of(opened()).log, events_of(opened()).log], events_of(opened()).log
    seen: list[StoredEvent] = []
    written = asyncio.Event()

    async def write(name: str, place: int) -> None:
        for number in range(30):
            await writers[place].append([event(f"{name}-{number}-{part}") for part in range(3)])

    async def read() -> None:
        after = 0
        while True:
            finished = written.is_set()
            page = await reader.since(MINE, after, 4, EVERYTHING)
            seen.extend(page.events)
            after = page.scanned
            if finished and not page.events:
                return
            await asyncio.sleep(0)

    reading = asyncio.create_task(read())
    await asyncio.gather(write("x", 0), write("y", 1))
    written.set()
    await reading
    sequences = [one.sequence for one in seen]
    assert sequences == sorted(set(sequences))
    assert {one.draft.dedupe_key for one in seen} == {f"{n}-{i}-{k}" for n in "xy" for i in range(30) for k in range(3)}


async def test_there_is_one_listener(opened: Opened, stack: object) -> None:
    one, two = (events_of(opened()).listener for _ in range(2))
    first = await claimed(one, "one")
    assert await two.claim("two", LEASE_SECONDS) is None
    assert await one.claim("one", LEASE_SECONDS) == first, "a renewal keeps its number"
    await one.release(first)
    second = await claimed(two, "two")
    assert second.number > first.number
    assert await one.claim("one", LEASE_SECONDS) is None
    await one.release(first)
    assert await one.claim("one", LEASE_SECONDS) is None, "what it gives back is not its own"
    await two.release(second)
    third = await claimed(two, "two")
    assert third.number > second.number, "a worker that begins anew has a later claim"


async def test_many_want_to_listen_at_once(opened: Opened, stack: object) -> None:
    stores = [events_of(opened()).listener for _ in range(3)]
    found = await asyncio.gather(*(stores[n % 3].claim(f"w{n}", LEASE_SECONDS) for n in range(12)))
    assert sum(one is not None for one in found) == 1


async def test_an_old_listener_stores_nothing(storage: Storage, listener: ListenerStore) -> None:
    old = await claimed(listener, "old", PAST_LEASE)
    assert await listener.store(old, ListenerState("5", b"old")), "nobody has taken over yet"
    new = await claimed(listener, "new")
    assert new.number > old.number
    assert await listener.load() == ListenerState("5", b"old"), "the next one goes on from there"
    assert not await listener.store(old, ListenerState("9", b"late"))
    assert await listener.record(old, [notice("late")], [recomputation("late")]) is None
    assert await listener.load() == ListenerState("5", b"old")
    assert await keys(storage) == []
    assert await events_of(storage).recomputations.claim("w", LEASE_SECONDS) is None
    assert await events_of(storage).notifications.claim_due("w", 10**17, LEASE_SECONDS, 5) == ()
    assert await listener.store(new, ListenerState("6", b"new"))
    assert await listener.load() == ListenerState("6", b"new")
    assert await listener.cursor() == "6"


async def test_a_claim_of_the_same_worker_that_is_older(listener: ListenerStore) -> None:
    old = await claimed(listener, "w")
    await listener.release(old)
    await claimed(listener, "w")
    assert not await listener.store(old, ListenerState("1", b""))
    assert await listener.record(old, [event("a")], []) is None


async def test_before_anything_is_stored(listener: ListenerStore) -> None:
    assert await listener.load() == ListenerState("", b"")
    assert await listener.cursor() == ""
    assert await listener.record(ListenerClaim("w", 0), [event("a")], []) is None


async def test_what_is_recorded_twice_is_stored_once(storage: Storage, listener: ListenerStore) -> None:
    """As after a death between the record and the state: the next listener notices the same again, and more."""
    claim = await claimed(listener)
    noticed = [notice("a"), notice("b", deliver=False)]
    starts = [recomputation("a", signal_key="a"), recomputation("b", action=Action.ANALYZE_RISK, signal_key="b")]
    first = await listener.record(claim, noticed, starts)
    assert first is not None
    assert [one.draft.dedupe_key for one in first] == ["a", "b"]
    assert await listener.record(claim, noticed, starts) == ()
    again = await listener.record(claim, [*noticed, notice("c")], [*starts, recomputation("b", "c", signal_key="b")])
    assert again is not None
    assert [one.draft.dedupe_key for one in again] == ["c"]
    assert await keys(storage) == ["a", "b", "c"]
    page = await events_of(storage).notifications.list(MINE, "", 10, NotificationFilter())
    assert len(page.records) == 3
    queue = events_of(storage).recomputations
    found = [await queue.claim("w", LEASE_SECONDS) for _ in range(3)]
    assert [one and (one.action, one.causes, one.signal_sequence) for one in found] == [
        (Action.OPTIMIZE, ("a", "b", "c"), first[0].sequence),
        (Action.ANALYZE_RISK, ("b",), first[1].sequence),
        None,
    ]


@pytest.mark.parametrize("seed", range(2))
async def test_as_a_plain_list_does_it(storage: Storage, seed: int) -> None:
    """400 random calls of two listeners and readers."""
    chosen, stores = random.Random(seed), events_of(storage)
    stored: list[StoredEvent] = []
    known: set[tuple[str, str]] = set()
    holder: ListenerClaim | None = None
    expired, state = False, ListenerState("", b"")
    claims = [ListenerClaim("x", 0)]
    for number in range(400):
        call = chosen.choice(["claim", "record", "record", "append", "since", "store", "load", "release"])
        owner = chosen.choice([OWNER, OTHER])
        drafts = [
            event(f"k{chosen.randrange(150)}", owner=owner, portfolio=chosen.choice("pq"))
            for _ in range(chosen.randrange(4))
        ]
        new = list({d.dedupe_key: d for d in reversed(drafts) if (owner, d.dedupe_key) not in known}.values())[::-1]
        claim = chosen.choice(claims[-3:])
        if call == "claim":
            worker, short = chosen.choice("xy"), chosen.random() < 0.5
            found = await stores.listener.claim(worker, PAST_LEASE if short else LEASE_SECONDS)
            assert (found is None) == (holder is not None and holder.worker != worker and not expired)
            if found is not None:
                same = holder is not None and holder.worker == worker
                assert found.number == claims[-1].number + (0 if same else 1)
                holder, expired = found, short
                claims.append(found)
        elif call in ("record", "append"):
            if call == "append":
                result = await stores.log.append(drafts)
            elif claim == holder:
                recorded = await stores.listener.record(claim, drafts, [])
                assert recorded is not None
                result = recorded
            else:
                assert await stores.listener.record(claim, drafts, []) is None
                continue
            assert {one.draft.dedupe_key for one in result} == {one.dedupe_key for one in new}
            assert all(one.sequence > (stored[-1].sequence if stored else 0) for one in result)
            stored += result
            known |= {(owner, one.draft.dedupe_key) for one in result}
        elif call == "since":
            after, limit = chosen.choice([0, *(one.sequence for one in stored)]), chosen.randrange(1, 9)
            filters = EventFilter(portfolios=frozenset(chosen.choice(["", "p", "q", "pq"])))
            page = await stores.log.since(Scope(owner), after, limit, filters)
            expected = [
                one
                for one in stored
                if one.sequence > after
                and one.draft.owner == owner
                and (not filters.portfolios or one.draft.portfolio in filters.portfolios)
            ]
            assert list(page.events) == expected[:limit]
        elif call == "store":
            sent = ListenerState(f"{number}", f"state {number}".encode())
            assert await stores.listener.store(claim, sent) == (claim == holder)
            state = sent if claim == holder else state
        elif call == "load":
            assert await stores.listener.load() == state
        else:
            await stores.listener.release(claim)
            holder = None if claim == holder else holder
    assert len(stored) > 50
