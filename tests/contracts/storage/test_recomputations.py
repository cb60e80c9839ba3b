"""The queue of recomputations: every cause is answered once, bursts as one, whoever works on it."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from domain.monitoring.mandate import Action
from server.ports.events import EventFilter, Recomputation, RecomputationQueue
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened, of_event_backends
from tests.contracts.storage.event_drafts import LEASE_SECONDS, event, events_of, notice, recomputation
from tests.owners import MINE, OWNER

pytestmark = of_event_backends

PAST_LEASE = -1.0
"""A lease that has run out when it begins."""


@pytest.fixture
def queue(storage: Storage) -> RecomputationQueue:
    return events_of(storage).recomputations


async def claimed(queue: RecomputationQueue, worker: str = "w", lease_seconds: float = LEASE_SECONDS) -> Recomputation:
    found = await queue.claim(worker, lease_seconds)
    assert found is not None
    return found


async def test_a_burst_is_one(queue: RecomputationQueue) -> None:
    assert await queue.enqueue([]) == 0
    assert await queue.claim("w", LEASE_SECONDS) is None
    await queue.enqueue([recomputation("a", "b", "a")])
    await queue.enqueue([recomputation("b", "c"), recomputation("d")])
    found = await claimed(queue)
    assert (found.owner, found.portfolio, found.action) == (OWNER, "main", Action.OPTIMIZE)
    assert (found.causes, found.attempt) == (("a", "b", "c", "d"), 1)
    assert await queue.claim("w", LEASE_SECONDS) is None


async def test_a_cause_counts_once_for_a_portfolio_and_an_action(queue: RecomputationQueue) -> None:
    others = (
        recomputation("a", owner="users/other"),
        recomputation("a", portfolio="second"),
        recomputation("a", action=Action.REALLOCATE),
    )
    assert await queue.enqueue([recomputation("a"), *others]) == 4
    assert await queue.enqueue([recomputation("a"), *others]) == 0
    found = [await claimed(queue) for _ in range(4)]
    assert [one.key for one in found] == sorted({one.key for one in found}), "the oldest first"
    assert await queue.enqueue([recomputation("a"), *others]) == 0, "also while it is done"
    for one in found:
        assert await queue.finish("w", one, event(f"done-{one.key}", owner=one.owner))
    assert await queue.enqueue([recomputation("a"), *others]) == 0, "also after it"
    assert await queue.claim("w", LEASE_SECONDS) is None


async def test_what_comes_while_one_is_done_is_done_after_it(queue: RecomputationQueue) -> None:
    await queue.enqueue([recomputation("a")])
    first = await claimed(queue)
    await queue.enqueue([recomputation("a", "b"), recomputation("c")])
    assert await queue.claim("other", LEASE_SECONDS) is None, "never two of one portfolio and action at once"
    assert await queue.finish("w", first, event("done"))
    second = await claimed(queue, "other")
    assert (first.causes, second.causes) == (("a",), ("b", "c"))


async def test_causes_are_not_added_to_one_that_was_given_back(queue: RecomputationQueue) -> None:
    """Its result may be stored already, from data before the new cause."""
    await queue.enqueue([recomputation("a")])
    await queue.release("w", await claimed(queue), 0.0)
    await queue.enqueue([recomputation("b")])
    again = await claimed(queue)
    assert (again.causes, again.attempt) == (("a",), 2)
    assert await queue.claim("w", LEASE_SECONDS) is None
    await queue.finish("w", again, event("done"))
    assert (await claimed(queue)).causes == ("b",)


async def test_an_old_claim_is_fenced_off(storage: Storage, queue: RecomputationQueue) -> None:
    await queue.enqueue([recomputation("a")])
    old = await claimed(queue, "one", PAST_LEASE)
    new = await claimed(queue, "two")
    assert (old.key, old.attempt, new.attempt) == (new.key, 1, 2)
    assert await queue.renew("one", [old], LEASE_SECONDS) == frozenset()
    assert await queue.renew("two", [new], LEASE_SECONDS) == {new.key}
    assert not await queue.finish("one", old, event("old"))
    await queue.release("one", old, 0.0)
    assert await queue.claim("one", LEASE_SECONDS) is None, "what it gives back is not its own"
    assert await queue.finish("two", new, event("new"))
    assert not await queue.finish("two", new, event("twice"))
    assert await queue.renew("two", [new], LEASE_SECONDS) == frozenset()
    await queue.release("two", new, 0.0)
    assert await queue.claim("two", LEASE_SECONDS) is None
    page = await events_of(storage).log.since(MINE, 0, 10, EventFilter())
    assert [one.draft.dedupe_key for one in page.events] == ["new"]


async def test_a_worker_that_claims_again_what_it_lost_is_fenced_off_too(queue: RecomputationQueue) -> None:
    await queue.enqueue([recomputation("a")])
    old, new = await claimed(queue, "w", PAST_LEASE), await claimed(queue, "w")
    assert not await queue.finish("w", old, event("old"))
    assert await queue.finish("w", new, event("new"))


async def test_a_lease_that_ran_out_is_good_until_somebody_takes_it(queue: RecomputationQueue) -> None:
    await queue.enqueue([recomputation("a")])
    claim = await claimed(queue, "w", PAST_LEASE)
    assert await queue.renew("w", [claim], LEASE_SECONDS) == {claim.key}
    assert await queue.claim("other", LEASE_SECONDS) is None
    assert await queue.finish("w", claim, event("done"))


async def test_one_that_was_given_back_waits(queue: RecomputationQueue) -> None:
    await queue.enqueue([recomputation("a"), recomputation("a", portfolio="second")])
    first = await claimed(queue)
    await queue.release("w", first, 1.0)
    assert (await claimed(queue)).portfolio == "second"
    assert await queue.claim("w", LEASE_SECONDS) is None
    await asyncio.sleep(1.1)
    assert (await claimed(queue)).key == first.key


async def test_the_sequence_of_its_signal(storage: Storage, queue: RecomputationQueue) -> None:
    stored = await events_of(storage).log.append([event("x"), event("signal"), event("signal", owner="users/other")])
    await queue.enqueue([recomputation("signal", signal_key="signal")])
    await queue.enqueue([recomputation("later", signal_key="x")])
    assert (await claimed(queue)).signal_sequence == stored[1].sequence, "that of the first cause"
    await queue.enqueue([recomputation("y", portfolio="second", signal_sequence=77)])
    assert (await claimed(queue)).signal_sequence == 77
    await queue.enqueue([recomputation("z", portfolio="third", signal_key="none")])
    assert (await claimed(queue)).signal_sequence == 0


async def test_one_ends_with_its_event_and_notification(storage: Storage, queue: RecomputationQueue) -> None:
    await queue.enqueue([recomputation("a")])
    assert await queue.finish("w", await claimed(queue), notice("done"))
    page = await events_of(storage).log.since(MINE, 0, 10, EventFilter())
    assert [one.draft for one in page.events] == [event("done")]
    due = await events_of(storage).notifications.claim_due("w", 10**17, LEASE_SECONDS, 10)
    assert [one.message for one in due] == ["told of done"]


async def test_several_workers_do_each_once(opened: Opened, stack: object) -> None:
    """Two servers with four workers each; every second attempt is lost."""
    stores = [opened(), opened()]
    drafts = [recomputation(f"c{number}", portfolio=f"p{number % 20}") for number in range(60)]
    done: list[Recomputation] = []
    running: set[str] = set()
    enqueued = asyncio.Event()

    async def work(queue: RecomputationQueue, worker: str) -> None:
        idle = 0
        while idle < 10 or not enqueued.is_set():
            lost = random.Random(f"{worker} {len(done)}").random() < 0.5
            claim = await queue.claim(worker, PAST_LEASE if lost else LEASE_SECONDS)
            if claim is None:
                idle += 1
                await asyncio.sleep(0.01)
                continue
            idle = 0
            if lost:
                continue
            assert claim.portfolio not in running
            running.add(claim.portfolio)
            await asyncio.sleep(0.001)
            running.discard(claim.portfolio)
            if await queue.finish(worker, claim, event(f"done-{claim.key}")):
                done.append(claim)

    async def enqueue(queue: RecomputationQueue) -> None:
        for draft in drafts:
            await queue.enqueue([draft])

    async def enqueue_by_both() -> None:
        await asyncio.gather(enqueue(queues[0]), enqueue(queues[1]))
        enqueued.set()

    queues = [events_of(one).recomputations for one in stores]
    workers = [work(queue, f"{number}.{place}") for number, queue in enumerate(queues) for place in range(4)]
    await asyncio.gather(enqueue_by_both(), *workers)
    causes = sorted(cause for claim in done for cause in claim.causes)
    assert causes == sorted(f"c{number}" for number in range(60)), "each cause was answered once"


@dataclass
class Row:
    """A recomputation of the model."""

    of: tuple[str, str]
    causes: list[str]
    attempt: int = 0
    holder: str = ""
    expired: bool = False
    over: bool = False


@dataclass
class Model:
    """The queue as a list."""

    rows: list[Row] = field(default_factory=list)
    known: set[tuple[str, str, str]] = field(default_factory=set)

    def enqueue(self, portfolio: str, action: Action, causes: list[str]) -> None:
        of = (portfolio, action)
        new = [cause for cause in dict.fromkeys(causes) if (*of, cause) not in self.known]
        if not new:
            return
        self.known |= {(*of, cause) for cause in new}
        waiting = [row for row in self.rows if row.of == of and not row.over and row.attempt == 0]
        if waiting:
            waiting[0].causes += new
        else:
            self.rows.append(Row(of, new))

    def claim(self, worker: str, expired: bool) -> Row | None:
        row = next(self._free(), None)
        if row is not None:
            row.attempt, row.holder, row.expired = row.attempt + 1, worker, expired
        return row

    def _free(self) -> Iterator[Row]:
        seen: set[tuple[str, str]] = set()
        for row in self.rows:
            if not row.over and row.of not in seen:
                seen.add(row.of)
                if not row.holder or row.expired:
                    yield row

    def holds(self, worker: str, row: Row, attempt: int) -> bool:
        return not row.over and row.holder == worker and row.attempt == attempt


@pytest.mark.parametrize("seed", range(2))
async def test_as_a_plain_list_does_it(queue: RecomputationQueue, seed: int) -> None:
    """400 random calls."""
    chosen, model = random.Random(seed), Model()
    claims: list[tuple[str, Recomputation, Row]] = []
    for number in range(400):
        call = chosen.choice(["enqueue", "enqueue", "claim", "claim", "finish", "release", "renew"])
        worker = chosen.choice("xyz")
        if call == "enqueue":
            portfolio, action = chosen.choice("pqr"), chosen.choice([Action.OPTIMIZE, Action.ANALYZE_RISK])
            causes = [f"c{chosen.randrange(60)}" for _ in range(chosen.randrange(4))]
            await queue.enqueue([recomputation(*causes, portfolio=portfolio, action=action)])
            model.enqueue(portfolio, action, causes)
        elif call == "claim":
            expired = chosen.random() < 0.4
            found = await queue.claim(worker, PAST_LEASE if expired else LEASE_SECONDS)
            expected = model.claim(worker, expired)
            assert (found is None) == (expected is None)
            if found is not None and expected is not None:
                assert ((found.portfolio, found.action), list(found.causes)) == (expected.of, expected.causes)
                assert found.attempt == expected.attempt
                claims.append((worker, found, expected))
        elif claims:
            worker, claim, row = chosen.choice(claims)
            holds = model.holds(worker, row, claim.attempt)
            if call == "finish":
                assert await queue.finish(worker, claim, event(f"done-{number}")) == holds
                row.over = row.over or holds
            elif call == "release":
                await queue.release(worker, claim, 0.0)
                row.holder = "" if holds else row.holder
            else:
                assert await queue.renew(worker, [claim], LEASE_SECONDS) == ({claim.key} if holds else set())
                row.expired = row.expired and not holds
    assert any(row.over for row in model.rows)
