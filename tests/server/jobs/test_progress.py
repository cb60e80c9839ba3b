"""What a follower of a job is told: every event once, of many ticks the latest, and each point of a curve once."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from server.jobs.progress import (
    BLOCK,
    MAX_CURVE_POINTS,
    Cursor,
    Curve,
    Heartbeat,
    Log,
    Pace,
    Progress,
    ProgressMessage,
    ProgressSnapshot,
    ProgressTick,
    _resumable,
)
from server.ports.errors import Draining, EpochChanged, EventsCompacted, NotFound
from server.ports.job_queue import QueuePolicy
from server.ports.job_stores import JobStores
from server.ports.jobs import (
    EventKind,
    JobDraft,
    JobEvent,
    JobEventDraft,
    JobInputs,
    JobRecord,
    JobState,
    JobTick,
    Stage,
)
from server.settings import Settings
from server.storage.embedded.factory import open_storage
from tests.owners import OWNER

NOW = datetime(2024, 1, 2, tzinfo=UTC)


def record(last_event: int = 0, **changes: object) -> JobRecord:
    whole = JobRecord(
        key=7, owner=OWNER, id="job", state=JobState.RUNNING, label="", epoch="e", request=b"",
        inputs=JobInputs("data", "prices"), fingerprint="", created=NOW, finished=None, tick=None,
        last_event=last_event, dropped_event=0, attempt=1, crashes=0, worker="w",
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


def event(number: int, kind: EventKind = EventKind.STAGE) -> JobEvent:
    return JobEvent(number, NOW, JobEventDraft(kind, f"event {number}"))


def log_of(*events: JobEvent, **changes: object) -> Log:
    return Log(record(events[-1].number if events else 0, **changes), list(events), None)


def tick(fraction: float, stage: int, *points: tuple[int, float]) -> JobTick:
    return JobTick(fraction, *points[-1], Stage(f"s{stage}", stage, 2), points)


def content(message: ProgressMessage) -> JobTick:
    assert isinstance(message.content, ProgressTick)
    return message.content.tick


def test_events_are_told_once_and_numbered_by_blocks() -> None:
    log = log_of(event(1), event(2))
    cursor = Cursor(log, 0)
    assert [message.sequence for message in cursor.durable()] == [BLOCK, 2 * BLOCK]
    assert cursor.durable() == []
    log.events.append(event(3))
    [message] = cursor.durable()
    assert (message.sequence, message.content, message.time, message.epoch) == (3 * BLOCK, event(3), NOW, "e")


@pytest.mark.parametrize(("after", "numbers"), [(0, [1, 2, 3]), (BLOCK, [2, 3]), (BLOCK + 7, [2, 3]), (3 * BLOCK, [])])
def test_a_reader_who_comes_again_gets_what_followed(after: int, numbers: list[int]) -> None:
    cursor = Cursor(log_of(event(1), event(2), event(3)), after)
    assert cursor.snapshot().sequence == after
    assert [message.sequence // BLOCK for message in cursor.durable()] == numbers


def test_the_last_event_of_a_job_is_its_record() -> None:
    log = log_of(event(1), event(2, EventKind.FINISHED), state=JobState.SUCCEEDED)
    cursor = Cursor(log, 0)
    assert not cursor.at_end
    assert cursor.durable()[-1].content is log.record
    assert cursor.at_end
    assert Cursor(log, 2 * BLOCK).at_end
    assert not Cursor(log_of(event(1)), BLOCK).at_end  # the job still runs


def test_events_that_were_dropped_are_missed_by_a_reader_who_had_some_before() -> None:
    log = log_of(event(4), event(5), dropped_event=3)
    assert [message.sequence // BLOCK for message in Cursor(log, 0).durable()] == [4, 5]
    assert [message.sequence // BLOCK for message in Cursor(log, 3 * BLOCK).durable()] == [4, 5]
    with pytest.raises(EventsCompacted) as raised:
        Cursor(log, 2 * BLOCK).durable()
    assert raised.value.oldest_sequence == 4 * BLOCK


def test_a_snapshot_says_where_the_log_begins() -> None:
    log = log_of(event(4), dropped_event=3)
    log.tick = tick(0.5, 0, (1, 10.0))
    assert Cursor(log, 0).snapshot().content == ProgressSnapshot(JobState.RUNNING, log.tick, 4 * BLOCK)


def test_ticks_and_heartbeats_take_the_sequences_between_events() -> None:
    log = log_of(event(1))
    cursor = Cursor(log, 0)
    cursor.durable()
    log.advance(tick(0.1, 0, (1, 10.0)))
    assert cursor.tick().sequence == BLOCK + 1
    beat = cursor.heartbeat()
    assert (beat.sequence, type(beat.content)) == (BLOCK + 2, Heartbeat)


def test_of_many_ticks_the_latest_is_sent_with_all_points_since() -> None:
    log = log_of()
    cursor = Cursor(log, 0)
    assert not cursor.has_tick
    log.advance(tick(0.1, 0, (1, 10.0)))
    log.advance(tick(0.3, 0, (2, 11.0), (3, 12.0)))
    sent = content(cursor.tick())
    assert (sent.fraction, sent.points) == (0.3, ((1, 10.0), (2, 11.0), (3, 12.0)))
    assert not cursor.has_tick
    log.advance(tick(0.4, 0, (4, 13.0)))
    assert cursor.has_tick
    assert content(cursor.tick()).points == ((4, 13.0),)


def test_the_rest_of_a_curve_comes_before_the_next_strategy() -> None:
    log = log_of()
    cursor = Cursor(log, 0)
    log.advance(tick(0.2, 0, (1, 10.0)))
    cursor.tick()
    log.advance(tick(0.5, 0, (2, 11.0)))
    log.advance(tick(0.6, 1, (1, 20.0)))
    first, second = content(cursor.tick()), content(cursor.tick())
    assert (first.stage, first.fraction, first.points) == (Stage("s0", 0, 2), 0.5, ((2, 11.0),))
    assert (second.stage, second.fraction, second.points) == (Stage("s1", 1, 2), 0.6, ((1, 20.0),))
    assert not cursor.has_tick


def test_a_tick_without_a_strategy_is_sent_as_it_is() -> None:
    log = log_of()
    cursor = Cursor(log, 0)
    log.advance(JobTick(0.5, 7, 1.0))
    assert content(cursor.tick()) == JobTick(0.5, 7, 1.0)
    assert not cursor.has_tick
    assert log.curves == {}


def test_a_curve_takes_each_day_once() -> None:
    curve = Curve()
    curve.add(tick(0.1, 0, (1, 10.0)), ((1, 10.0), (2, 11.0)))
    curve.add(tick(0.2, 0, (3, 12.0)), ((2, 99.0), (3, 12.0)))
    assert curve.after(None) == ((1, 10.0), (2, 11.0), (3, 12.0))
    assert curve.after(2) == ((3, 12.0),)
    assert curve.after(3) == ()


def test_a_long_curve_keeps_every_second_point_and_the_last() -> None:
    curve = Curve()
    count = MAX_CURVE_POINTS + 1
    curve.add(tick(0.5, 0, (count, 1.0)), [(day, float(day)) for day in range(count)])
    kept = curve.after(None)
    assert [day for day, _ in kept] == list(range(0, count, 2))
    assert all(nav == day for day, nav in kept)
    curve.add(tick(0.6, 0, (count, 1.0)), [(count, 1.0)])
    assert curve.days[-1] == count


def test_the_time_left_is_by_the_pace_of_this_attempt() -> None:
    pace = Pace(time.monotonic() - 1000.0, 0.2)  # 1000 s ago it was at 0.2
    assert pace.eta(JobTick(0.6, 0, 1.0)) == pytest.approx(1000.0, abs=30.0)  # 0.4 took 1000 s, 0.4 is left
    assert pace.eta(JobTick(0.2, 0, 1.0)) is None
    log = log_of()
    log.advance(JobTick(0.6, 0, 1.0))
    log.pace = pace
    sent = Cursor(log, 0).tick().content
    assert isinstance(sent, ProgressTick)
    assert sent.eta_seconds == pytest.approx(1000.0, abs=30.0)


@pytest.mark.parametrize("durable", [True, False])
async def test_only_what_is_durable_wakes_those_who_wait_for_it(durable: bool) -> None:
    log = log_of()
    changed = asyncio.create_task(log.changed.wait())
    ticked = asyncio.create_task(log.ticked.wait())
    await asyncio.sleep(0)
    log.wake(durable=durable)
    await asyncio.sleep(0)
    assert (changed.done(), ticked.done()) == (durable, True)
    assert not log.changed.is_set()
    assert not log.ticked.is_set()
    changed.cancel()


@pytest.mark.parametrize(
    ("after", "epoch", "error"),
    [
        (0, "other", EpochChanged),
        (6 * BLOCK, "e", InvalidInput),
        (2 * BLOCK, "e", EventsCompacted),
        (1, "", EventsCompacted),
    ],
)
def test_a_place_that_cannot_be_resumed(after: int, epoch: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        _resumable(record(5, dropped_event=3), after, epoch)


@pytest.mark.parametrize("after", [0, 3 * BLOCK, 5 * BLOCK, 5 * BLOCK + 9])
def test_a_place_that_can_be_resumed(after: int) -> None:
    assert _resumable(record(5, dropped_event=3), after, "e") is None
    assert _resumable(record(5, dropped_event=3), after, "") is None


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[JobStores]:
    storage = open_storage(Settings.read(("--data-dir", str(tmp_path)), {}), QueuePolicy())
    with closing(storage):
        yield storage.jobs
    storage.release_worker()


def test_only_jobs_that_run_here_have_ticks(stores: JobStores) -> None:
    progress = Progress(stores.archive, stores.log)
    progress.ticked(7, JobTick(0.1, 0, 1.0))  # nobody runs or follows it
    assert progress.ticks() == {}
    progress.begins(record())
    assert progress.ticks() == {}
    progress.ticked(7, JobTick(0.2, 0, 1.0))
    assert progress.ticks() == {7: JobTick(0.2, 0, 1.0)}
    progress.ends(7)
    assert progress.ticks() == {}


async def stored_job(stores: JobStores, owner: str = OWNER) -> JobRecord:
    draft = JobDraft(b"", b"", "", "", JobInputs("data", "prices"), {}, id="job")
    return await stores.queue.enqueue(owner, draft)


@pytest.mark.parametrize(("draining", "error"), [(True, Draining), (False, NotFound)])
async def test_a_follower_hears_why_there_is_no_more(stores: JobStores, draining: bool, error: type[Exception]) -> None:
    progress = Progress(stores.archive, stores.log)
    job = await stored_job(stores)
    progress.begins(job)
    messages = progress.follow(OWNER, "job", 0, "", 0.0, 60.0)
    assert isinstance((await anext(messages)).content, ProgressSnapshot)
    if draining:
        progress.drain()
    else:
        await stores.queue.cancel(OWNER, "job")
        await stores.archive.delete(OWNER, "job")
        await progress.refresh(job.key)
    with pytest.raises(error):
        await asyncio.wait_for(anext(messages), timeout=60)


async def test_only_its_owner_follows_a_job(stores: JobStores) -> None:
    """It runs here and is followed, so that all of it is in memory: that tells nobody else."""
    progress = Progress(stores.archive, stores.log)
    job = await stored_job(stores, "users/one")
    progress.begins(job)
    followed = progress.follow("users/one", "job", 0, "", 0.0, 60.0)
    assert isinstance((await anext(followed)).content, ProgressSnapshot)
    refusals = []
    for name in ("job", "none"):
        with pytest.raises(NotFound) as raised:
            await anext(progress.follow("users/two", name, 0, "", 0.0, 60.0))
        refusals.append(str(raised.value).replace(name, "x"))
    assert refusals[0] == refusals[1]
    theirs = await stored_job(stores, "users/two")
    message = await anext(progress.follow("users/two", "job", 0, "", 0.0, 60.0))
    assert message.epoch == theirs.epoch != job.epoch
    await followed.aclose()


async def test_a_job_that_is_deleted_while_somebody_waits_for_its_end(stores: JobStores) -> None:
    progress = Progress(stores.archive, stores.log)
    job = await stored_job(stores)
    await stores.queue.cancel(OWNER, "job")
    await stores.archive.delete(OWNER, "job")
    await stored_job(stores)
    with pytest.raises(NotFound, match="backtests/job"):
        await progress.ended(job, 60.0)
