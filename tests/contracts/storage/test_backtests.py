"""What every store of jobs promises: one worker at a time, fenced, and nothing after the end."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InvalidInput
from domain.market_data.corporate_actions import CashDividend, CorporateAction, Delisting, Split
from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from domain.warnings import ResultWarning
from server.ports.errors import AlreadyExists, LostClaim, NotFound, QuotaExceeded, RequestIdReused, StillRunning
from server.ports.job_queue import QueuePolicy
from server.ports.jobs import EventKind, JobEnd, JobEventDraft, JobState, JobTick, Stage, Weighing
from server.ports.list_filter import ListFilter
from server.ports.scope import Scope
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened
from tests.contracts.storage.job_drafts import EVENT, PANEL, TICK, claim, claimed, draft, parts_of
from tests.owners import MINE, OWNER

OTHER = "users/other"


async def test_a_job_comes_back_as_it_was(storage: Storage) -> None:
    """Whatever is in it: corporate actions in their order, text with NUL, names in the order in which they came."""
    inputs = replace(
        draft().inputs,
        benchmarks={"B": "b", "A": "a"},
        groups={"z": ("B", "A"), "a": ()},
        warnings=(ResultWarning("CODE", "a.b", "too much"),),
        opens="o",
        actions=(
            CorporateAction("B", 4, Split(1.5)),
            CorporateAction("A", 3, CashDividend(0.1 + 0.2, 5)),
            CorporateAction("A", 9, Delisting(None)),
        ),
        volumes="v",
        earlier="e",
        labels={"sector=x": ("A", "B")},
    )
    whole = draft("r\0", bytes(range(256)), inputs=inputs, label="a\0ü\1", caller="c\0", cost_estimate=0.1 + 0.2)
    traceparent = f"00-{'1' * 32}-{'2' * 16}-01"
    job = await storage.jobs.queue.enqueue(OWNER, replace(whole, request=bytes(range(256)), traceparent=traceparent))
    assert (job.owner, job.state, job.label, job.request_id) == (OWNER, JobState.QUEUED, "a\0ü\1", "r\0")
    assert (job.request, job.caller, job.cost_estimate) == (bytes(range(256)), "c\0", 0.1 + 0.2)
    assert job.traceparent == traceparent
    assert job.inputs == inputs
    assert list(job.inputs.benchmarks) == ["B", "A"]
    assert list(job.inputs.groups) == ["z", "a"]
    assert (job.tick, job.finished, job.worker, job.result, job.error) == (None, None, None, None, None)
    assert await storage.jobs.archive.get(OWNER, job.id) == job
    assert (await storage.jobs.log.view(job.key, 0)).record == job
    assert await storage.jobs.archive.find(OWNER, "r\0", bytes(range(256))) == job
    (listed,) = (await storage.jobs.archive.list(MINE, "", 5)).records
    assert listed == replace(job, request=b"", inputs=replace(inputs, actions=()))
    assert (await claimed(storage)).record.traceparent == traceparent


async def test_a_sweep_is_a_job_of_another_name(storage: Storage) -> None:
    """It comes back with the data of all its trials, and no list of backtests shows it."""
    own = replace(draft().inputs, actions=(CorporateAction("A", 3, Split(2.0)),), labels={"sector=x": ("A",)})
    inputs = replace(draft().inputs, sets=(own, replace(own, kind="returns")), set_of=(0, 1, 0), trial_count=3)
    sweep = await storage.jobs.queue.enqueue(OWNER, draft("sweeps/r", id="sweeps/j", inputs=inputs))
    backtest = await storage.jobs.queue.enqueue(OWNER, draft("r", id="j"))
    assert (sweep.id, backtest.id) == ("sweeps/j", "j")
    assert (await storage.jobs.archive.get(OWNER, "sweeps/j")).inputs == inputs
    assert [one.id for one in (await storage.jobs.archive.list(MINE, "", 5)).records] == ["j"]
    with pytest.raises(AlreadyExists) as taken:
        await storage.jobs.queue.enqueue(OWNER, draft(body=b"other", id="sweeps/j"))
    assert (taken.value.kind, taken.value.name) == ("sweep", "sweeps/j")
    with pytest.raises(StillRunning, match=r"^sweeps/j is not over"):
        await storage.jobs.archive.delete(OWNER, "sweeps/j")
    assert (await storage.jobs.queue.cancel(OWNER, "sweeps/j")).record.state is JobState.CANCELLED
    await storage.jobs.archive.delete(OWNER, "sweeps/j")
    with pytest.raises(NotFound) as gone:
        await storage.jobs.archive.get(OWNER, "sweeps/j")
    assert (gone.value.kind, gone.value.name) == ("sweep", "sweeps/j")
    assert (await storage.jobs.archive.get(OWNER, "j")).state is JobState.QUEUED


async def test_a_request_is_stored_once(storage: Storage) -> None:
    first = await storage.jobs.queue.enqueue(OWNER, draft("r"))
    assert await storage.jobs.queue.enqueue(OWNER, draft("r")) == first
    with pytest.raises(RequestIdReused):
        await storage.jobs.queue.enqueue(OWNER, draft("r", b"other"))
    with pytest.raises(RequestIdReused):
        await storage.jobs.archive.find(OWNER, "r", b"other")
    assert await storage.jobs.archive.find(OWNER, "none", b"b") is None
    assert await storage.jobs.archive.find(OTHER, "r", b"b") is None


async def test_one_request_of_many_callers_at_once_is_one_job(opened: Opened) -> None:
    servers = [opened() for _ in range(4)]
    drafts = [draft("r", caller=f"caller {i}") for i in range(12)]
    jobs = await asyncio.gather(*(servers[i % 4].jobs.queue.enqueue(OWNER, one) for i, one in enumerate(drafts)))
    assert len({job.id for job in jobs}) == 1
    assert len((await servers[0].jobs.archive.list(MINE, "", 20)).records) == 1


async def test_chosen_ids(storage: Storage) -> None:
    assert (await storage.jobs.queue.enqueue(OWNER, draft("r", id="j"))).id == "j"
    assert (await storage.jobs.queue.enqueue(OWNER, draft("r", id="j"))).id == "j"
    with pytest.raises(AlreadyExists, match="backtests/j"):
        await storage.jobs.queue.enqueue(OWNER, draft(id="j"))


async def test_of_many_at_once_one_takes_an_id(opened: Opened) -> None:
    servers = [opened() for _ in range(2)]
    calls = (servers[i % 2].jobs.queue.enqueue(OWNER, draft(id="j", caller=f"{i}")) for i in range(8))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, AlreadyExists) for one in outcomes) == 7


async def test_owners_have_ids_of_their_own(storage: Storage) -> None:
    mine = await storage.jobs.queue.enqueue(OWNER, draft("r", id="j"))
    theirs = await storage.jobs.queue.enqueue(OTHER, draft("r", b"other", id="j"))
    assert mine.key != theirs.key
    assert (await storage.jobs.archive.get(OTHER, "j")).key == theirs.key
    assert (await storage.jobs.queue.cancel(OTHER, "j")).record.key == theirs.key
    await storage.jobs.archive.delete(OTHER, "j")
    assert (await storage.jobs.archive.get(OWNER, "j")).state is JobState.QUEUED
    for refused in (
        storage.jobs.archive.get(OTHER, "j"),
        storage.jobs.archive.delete(OTHER, "j"),
        storage.jobs.archive.series(OTHER, "j", ""),
        storage.jobs.queue.cancel(OTHER, "j"),
    ):
        with pytest.raises(NotFound) as raised:
            await refused
        assert (raised.value.kind, raised.value.name) == ("backtest", "backtests/j")
        assert str(raised.value) == "there is no backtest backtests/j"


async def test_jobs_by_label_state_and_time(storage: Storage) -> None:
    jobs = storage.jobs
    records = [
        await jobs.queue.enqueue(OWNER, draft(label=label, id=f"{label}{i}")) for i in (1, 2) for label in ("a", "b")
    ]
    await jobs.queue.enqueue(OTHER, draft(label="a", id="theirs"))
    await jobs.queue.cancel(OWNER, "a1")

    async def pages(filters: ListFilter, scope: Scope = MINE) -> list[str]:
        found, token = [], ""
        while True:
            page = await jobs.archive.list(scope, token, 1, filters)
            found += [record.id for record in page.records]
            token = page.next_token
            if not token:
                return found

    assert await pages(ListFilter(label="a")) == ["a2", "a1"]
    assert await pages(ListFilter(label="a", state=JobState.QUEUED)) == ["a2"]
    assert await pages(ListFilter(state=JobState.CANCELLED)) == ["a1"]
    assert await pages(ListFilter(created_from=records[2].created)) == ["b2", "a2"]
    assert await pages(ListFilter(created_before=records[2].created)) == ["b1", "a1"]
    assert await pages(ListFilter(), Scope(OWNER, everyone=True)) == ["theirs", "b2", "a2", "b1", "a1"]


async def test_a_token_of_a_time_that_never_comes_is_none(storage: Storage) -> None:
    for job_id in ("a", "b"):
        await storage.jobs.queue.enqueue(OWNER, draft(id=job_id))
    token = (await storage.jobs.archive.list(MINE, "", 1)).next_token
    with pytest.raises(InvalidInput) as raised:
        await storage.jobs.archive.list(MINE, ".".join(["9" * 18, *token.split(".")[1:]]), 1)
    assert raised.value.field == "page_token"


async def test_a_caller_has_so_many_jobs_waiting(opened: Opened) -> None:
    storage = opened(policy=QueuePolicy(max_queued=5))
    for _ in range(5):
        await storage.jobs.queue.enqueue(OWNER, draft(caller="one"))
    with pytest.raises(QuotaExceeded, match="5 backtests of yours wait"):
        await storage.jobs.queue.enqueue(OWNER, draft(caller="one"))
    assert (await storage.jobs.queue.enqueue(OWNER, draft(caller="two"))).caller == "two"
    await claimed(storage)
    await claimed(storage)
    await storage.jobs.queue.enqueue(OWNER, draft(caller="one"))


async def test_the_limit_holds_for_calls_at_once(opened: Opened) -> None:
    servers = [opened(policy=QueuePolicy(max_queued=5)) for _ in range(2)]
    calls = (servers[i % 2].jobs.queue.enqueue(OWNER, draft(caller="one")) for i in range(12))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(one, QuotaExceeded) for one in outcomes) == 7
    assert len((await servers[0].jobs.archive.list(MINE, "", 20)).records) == 5


async def test_a_checkpoint_a_takeover_and_the_fence(opened: Opened) -> None:
    store, successor = opened(), opened()
    job = await store.jobs.queue.enqueue(OWNER, draft())
    first = await claimed(store)
    assert (first.checkpoint, first.record.state) == (None, JobState.RUNNING)
    assert (first.record.worker, first.record.attempt) == (store.worker, 1)
    (event,) = await store.jobs.log.save(first.record, b"c1", b"p1", TICK, [EVENT])
    assert (event.number, event.content) == (1, EVENT)
    await store.jobs.log.save(first.record, b"c2\0", b"", TICK, [])
    assert await claim(successor) is None, "the first one lives"
    store.release_worker()
    taken = await claimed(successor)
    assert (taken.record.attempt, taken.checkpoint) == (2, b"c2\0")
    assert await parts_of(successor.jobs, taken) == (b"p1", b"")
    for late in (
        store.jobs.log.save(first.record, b"c3", b"p3", TICK, [EVENT]),
        store.jobs.log.compact(first.record, 1, b"p3"),
        store.jobs.log.finish(first.record, JobEnd(JobState.SUCCEEDED, series=[("label", b"late")]), ()),
        store.jobs.queue.release(first.record, crashed=False),
    ):
        with pytest.raises(LostClaim):
            await late
    last = replace(TICK, fraction=1.0, day_or_failed_count=TICK.day_or_failed_count + 1)
    end = JobEnd(JobState.SUCCEEDED, b"result", series=[("label", b"s"), ("second", b"")], tick=last)
    (finished,) = await successor.jobs.log.finish(taken.record, end, [])
    assert (finished.number, finished.content) == (3, JobEventDraft(EventKind.FINISHED, "SUCCEEDED"))
    view = await store.jobs.log.view(job.key, 0)
    assert [event.content.kind for event in view.events] == [EventKind.STAGE, EventKind.RESUMED, EventKind.FINISHED]
    assert [event.number for event in view.events] == [1, 2, 3]
    assert (view.record.result, view.record.error, view.record.worker) == (b"result", None, None)
    assert (view.record.state, view.record.tick) == (JobState.SUCCEEDED, last)
    assert await store.jobs.archive.series(OWNER, job.id, "") == ("label", b"s")
    assert await store.jobs.archive.series(OWNER, job.id, "second") == ("second", b"")
    with pytest.raises(NotFound, match="has no series of 'other'"):
        await store.jobs.archive.series(OWNER, job.id, "other")


async def test_a_lease_runs_out(opened: Opened) -> None:
    store, other = opened(), opened()
    await store.jobs.queue.enqueue(OWNER, draft())
    first = await claimed(store)
    assert await claim(other) is None
    assert await store.jobs.queue.heartbeat(store.worker, [first.record.key], 0.3, {}) == {first.record.key}
    await asyncio.sleep(0.4)
    assert (await claimed(other)).record.key == first.record.key
    assert await store.jobs.queue.heartbeat(store.worker, [first.record.key], 30.0, {}) == frozenset()


async def test_a_heartbeat_renews_and_tells(opened: Opened) -> None:
    store, other = opened(), opened()
    job = await store.jobs.queue.enqueue(OWNER, draft())
    await claimed(store, 1.0)
    queue = store.jobs.queue
    assert await queue.heartbeat(store.worker, [], 30.0, {}) == frozenset(), "it is not named, so it runs nowhere"
    assert await queue.heartbeat(other.worker, [job.key], 30.0, {job.key: TICK}) == frozenset(), "it is not its own"
    assert (await other.jobs.archive.get(OWNER, job.id)).tick is None
    tick = JobTick(0.1 + 0.2, -3, 1e-300, Stage("mine\0", 1, 3))
    assert await queue.heartbeat(store.worker, [job.key, 10**9], 30.0, {job.key: tick}) == {job.key}
    await asyncio.sleep(1.1)
    assert await claim(other) is None
    assert (await other.jobs.archive.get(OWNER, job.id)).tick == tick


async def test_the_time_of_a_job_is_counted_to_its_end(storage: Storage) -> None:
    job = await storage.jobs.queue.enqueue(OWNER, draft())
    first = await claimed(storage)
    assert first.record.run_seconds == 0.0
    await asyncio.sleep(0.2)
    await storage.jobs.log.finish(first.record, JobEnd(JobState.SUCCEEDED), [])
    ended = (await storage.jobs.archive.get(OWNER, job.id)).run_seconds
    assert 0.2 <= ended < 20.0
    await asyncio.sleep(0.05)
    assert (await storage.jobs.archive.get(OWNER, job.id)).run_seconds == ended


async def test_the_end_absorbs(storage: Storage) -> None:
    job = await storage.jobs.queue.enqueue(OWNER, draft())
    first = await claimed(storage)
    cancelled = await storage.jobs.queue.cancel(OWNER, job.id)
    assert cancelled.record.state is JobState.CANCELLED
    assert [event.content for event in cancelled.events] == [JobEventDraft(EventKind.FINISHED, "CANCELLED")]
    with pytest.raises(LostClaim):
        await storage.jobs.log.finish(first.record, JobEnd(JobState.SUCCEEDED, series=[("label", b"s")]), ())
    again = await storage.jobs.queue.cancel(OWNER, job.id)
    assert (again.record.state, again.events) == (JobState.CANCELLED, ())
    assert await claim(storage) is None
    with pytest.raises(NotFound, match="it ended as cancelled"):
        await storage.jobs.archive.series(OWNER, job.id, "")
    with pytest.raises(NotFound, match="backtests/none"):
        await storage.jobs.queue.cancel(OWNER, "none")


async def test_a_failure_has_its_error(storage: Storage) -> None:
    job = await storage.jobs.queue.enqueue(OWNER, draft())
    await storage.jobs.log.finish((await claimed(storage)).record, JobEnd(JobState.FAILED, error=b"\0\xff"), [EVENT])
    view = await storage.jobs.log.view(job.key, 0)
    assert (view.record.state, view.record.result, view.record.error) == (JobState.FAILED, None, b"\0\xff")
    assert [event.content for event in view.events] == [EVENT, JobEventDraft(EventKind.FINISHED, "FAILED")]
    assert view.record.finished is not None
    assert view.record.finished >= view.record.created


async def test_old_events_go_first(opened: Opened) -> None:
    storage = opened("--retained-events", "5")
    job = await storage.jobs.queue.enqueue(OWNER, draft())
    first = await claimed(storage)
    stored = await storage.jobs.log.save(first.record, b"c", b"p", TICK, [EVENT] * 8)
    assert [event.number for event in stored] == [4, 5, 6, 7, 8]
    view = await storage.jobs.log.view(job.key, 0)
    assert ([event.number for event in view.events], view.record.dropped_event) == ([4, 5, 6, 7, 8], 3)
    assert [event.number for event in (await storage.jobs.log.view(job.key, 6)).events] == [7, 8]
    await storage.jobs.log.save(first.record, b"c", b"p", TICK, [])
    assert (await storage.jobs.log.view(job.key, 0)).record.dropped_event == 3


async def test_an_event_keeps_the_figures_of_its_decision(storage: Storage) -> None:
    job = await storage.jobs.queue.enqueue(OWNER, draft())
    stage = Stage("mine", 1, 3)
    events = [
        JobEventDraft(EventKind.REBALANCE, "worth it", 5, "", stage, Weighing(0.1 + 0.2, 1e-300)),
        JobEventDraft(EventKind.STAGE, "next\0\1", 6, "", stage),
        JobEventDraft(EventKind.REBALANCE_FAILED, "", -6, "WHY"),
    ]
    await storage.jobs.log.save((await claimed(storage)).record, b"c", b"p", TICK, events)
    assert [event.content for event in (await storage.jobs.log.view(job.key, 0)).events] == events


async def test_data_goes_with_its_last_job(storage: Storage) -> None:
    jobs = storage.jobs
    first, second = await jobs.queue.enqueue(OWNER, draft()), await jobs.queue.enqueue(OTHER, draft())
    with pytest.raises(StillRunning, match=f"backtests/{first.id} is not over"):
        await jobs.archive.delete(OWNER, first.id)
    name = fingerprint_of(PANEL)
    for owner, job in ((OWNER, first), (OTHER, second)):
        assert (await jobs.inputs.panel(name)).panel.values.tolist() == PANEL.values.tolist()
        await jobs.queue.cancel(owner, job.id)
        await jobs.archive.delete(owner, job.id)
    with pytest.raises(NotFound):
        await jobs.inputs.panel(name)
    with pytest.raises(NotFound):
        await jobs.archive.delete(OWNER, first.id)
    with pytest.raises(NotFound):
        await jobs.log.view(first.key, 0)
    again = await jobs.queue.enqueue(OWNER, draft())
    assert (await jobs.inputs.panel(again.inputs.data)).panel.values.tolist() == PANEL.values.tolist()


async def test_data_that_a_job_needs_is_never_gone(opened: Opened) -> None:
    """Jobs with the same data come and go on two servers at once."""
    servers = [opened(), opened()]

    async def come_and_go(storage: Storage, count: int) -> None:
        for _ in range(count):
            job = await storage.jobs.queue.enqueue(OWNER, draft())
            assert (await storage.jobs.inputs.panel(job.inputs.data)).panel.symbols == ("A", "B")
            await storage.jobs.queue.cancel(OWNER, job.id)
            await storage.jobs.archive.delete(OWNER, job.id)

    await asyncio.gather(*(come_and_go(servers[i % 2], 8) for i in range(4)))


async def test_large_data_of_a_job(storage: Storage) -> None:
    """Larger than what is sent at once: panel, checkpoint, part and the records of strategies."""
    rng = np.random.default_rng(1)
    panel = PricePanel.of([f"S{i}" for i in range(300)], range(4000), rng.uniform(1, 2, 300 * 4000))
    storage_jobs, data = storage.jobs, rng.bytes(9_500_000)
    job = await storage_jobs.queue.enqueue(OWNER, draft(panel=panel))
    found = await storage_jobs.inputs.panel(job.inputs.data)
    assert np.array_equal(found.panel.values, panel.values)
    first = await claimed(storage)
    await storage_jobs.log.save(first.record, data, data, TICK, [])
    await storage_jobs.log.save(first.record, data, data[:-1], TICK, [])
    await storage_jobs.queue.release(first.record, crashed=False, yielded=True)
    again = await claimed(storage)
    assert again.checkpoint == data
    assert await storage_jobs.log.parts(job.key, 0) == ((1, data),), "a page is no larger where it can be"
    assert await storage_jobs.log.parts(job.key, 1) == ((2, data[:-1]),)
    series = [("a", data), ("b", b"small"), ("c", data[: 4 << 20])]
    await storage_jobs.log.finish(again.record, JobEnd(JobState.SUCCEEDED, data, series=series), [])
    for label, content in series:
        assert await storage_jobs.archive.series(OWNER, job.id, label) == (label, content)
    assert (await storage_jobs.archive.get(OWNER, job.id)).result == data


async def test_a_job_given_back_is_free(storage: Storage) -> None:
    await storage.jobs.queue.enqueue(OWNER, draft())
    for crashes in (0, 1, 2):
        found = await claimed(storage)
        assert found.record.crashes == crashes
        await storage.jobs.queue.release(found.record, crashed=True)


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED, JobState.SUCCEEDED])
async def test_a_sweep_keeps_its_parts_unless_it_succeeds(storage: Storage, state: JobState) -> None:
    """They are the trials that are over; those of a backtest go with its end."""
    for job_id, kept in (("sweeps/p", state is not JobState.SUCCEEDED), ("p", False)):
        inputs = replace(draft().inputs, sets=(draft().inputs,), trial_count=3)
        await storage.jobs.queue.enqueue(OWNER, draft(id=job_id, inputs=inputs))
        job = (await claimed(storage)).record
        for part in (b"p1", b"p2\0"):
            await storage.jobs.log.save(job, b"", part, TICK, [])
        assert await storage.jobs.log.parts(job.key, 0) == ((1, b"p1"), (2, b"p2\0"))
        assert await storage.jobs.log.parts(job.key, 1) == ((2, b"p2\0"),)
        if state is JobState.CANCELLED:
            await storage.jobs.queue.cancel(OWNER, job_id)
        else:
            await storage.jobs.log.finish(job, JobEnd(state), [])
        assert bool(await storage.jobs.log.parts(job.key, 0)) is kept
        await storage.jobs.archive.delete(OWNER, job_id)
        assert await storage.jobs.log.parts(job.key, 0) == ()


async def test_many_parts_become_fewer(storage: Storage) -> None:
    log = storage.jobs.log
    await storage.jobs.queue.enqueue(OWNER, draft())
    first = await claimed(storage)
    for i in range(3):
        await log.save(first.record, b"c", b"p%d" % i, TICK, [])
    await log.compact(first.record, 2, b"p01")
    await log.save(first.record, b"c", b"p3", TICK, [])
    await storage.jobs.queue.release(first.record, crashed=False, yielded=True)
    again = await claimed(storage)
    assert await parts_of(storage.jobs, again) == (b"p01", b"p2", b"p3")
    await log.compact(again.record, 2, b"p23", skipped=1)
    await log.save(again.record, b"c", b"p4", TICK, [])
    assert await log.parts(again.record.key, 0) == ((2, b"p01"), (4, b"p23"), (5, b"p4"))
    with pytest.raises(LostClaim):
        await log.compact(first.record, 3, b"late")
    assert (await log.view(first.record.key, 0)).events == (), "making room for others is no event"


async def test_a_worker_that_claims_its_own_job_again_is_fenced_from_its_first_claim(storage: Storage) -> None:
    """Same worker, same job, another attempt: what the first one still writes would undo what the second one did."""
    log, queue = storage.jobs.log, storage.jobs.queue
    job = await queue.enqueue(OWNER, draft())
    first = await claimed(storage, 0.0)
    second = await claimed(storage)
    assert (first.record.id, first.record.worker, first.record.attempt) == (job.id, storage.worker, 1)
    assert (second.record.id, second.record.worker, second.record.attempt) == (job.id, storage.worker, 2)
    await log.save(second.record, b"c2", b"p2", TICK, [])
    for late in (
        log.save(first.record, b"c1", b"p1", TICK, [EVENT]),
        log.compact(first.record, 1, b"p1"),
        log.finish(first.record, JobEnd(JobState.FAILED), ()),
        queue.release(first.record, crashed=True),
    ):
        with pytest.raises(LostClaim):
            await late
    await queue.release(second.record, crashed=False, yielded=True)
    third = await claimed(storage)
    assert (third.record.attempt, third.record.crashes, third.checkpoint) == (3, 0, b"c2")
    assert await parts_of(storage.jobs, third) == (b"p2",)
