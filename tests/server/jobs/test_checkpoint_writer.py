"""Reports of a worker: ticks go to followers at once, checkpoints to the store in their order, until it has them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from server.jobs import checkpoint_writer
from server.jobs.backtest_run import Compacted, Saved
from server.jobs.checkpoint_writer import CheckpointWriter, Yielded, until_stored, while_writing
from server.jobs.progress import Progress
from server.ports.errors import LostClaim, StorageFull
from server.ports.jobs import JobEnd, JobEvent, JobEventDraft, JobInputs, JobRecord, JobState, JobTick, JobView
from tests.owners import OWNER

TICK = JobTick(0.5, 7, 1.0)
RECORD = JobRecord(
    key=7, owner=OWNER, id="job", state=JobState.RUNNING, label="", epoch="e", request=b"",
    inputs=JobInputs("data", "prices"), fingerprint="", created=datetime(2024, 1, 2, tzinfo=UTC), finished=None,
    tick=None, last_event=0, dropped_event=0, attempt=1, crashes=0, worker="w",
)  # fmt: skip


@dataclass
class RecordingLog:
    """A log in memory that keeps what it is given, and raises the errors it is made with first."""

    errors: list[Exception] = field(default_factory=list)
    stored: list[tuple[Any, ...]] = field(default_factory=list)
    seconds: float = 0.0  # that it takes to store something

    async def view(self, key: int, after: int) -> JobView:
        return JobView(RECORD, ())

    async def save(
        self, record: JobRecord, checkpoint: bytes, part: bytes, tick: JobTick, events: Sequence[JobEventDraft]
    ) -> tuple[JobEvent, ...]:
        await asyncio.sleep(self.seconds)
        if self.errors:
            raise self.errors.pop(0)
        self.stored.append((checkpoint, part, tick))
        return ()

    async def parts(self, key: int, after: int) -> tuple[tuple[int, bytes], ...]:
        return ()

    async def compact(self, record: JobRecord, count: int, part: bytes) -> None:
        self.stored.append((count, part))

    async def finish(self, record: JobRecord, end: JobEnd, events: Sequence[JobEventDraft]) -> tuple[JobEvent, ...]:
        raise AssertionError("a checkpoint writer ends no job")


def saved(number: int) -> Saved:
    return Saved(bytes([number]), b"part", TICK, ())


def writer_of(log: RecordingLog) -> tuple[CheckpointWriter, Progress]:
    progress = Progress(log, log)  # type: ignore[arg-type]  # no archive: nobody follows the job
    progress.begins(RECORD)
    return CheckpointWriter(log, progress, RECORD), progress


async def test_a_tick_is_told_at_once_and_not_stored() -> None:
    log = RecordingLog()
    writer, progress = writer_of(log)
    writer.submit(TICK)
    assert progress.ticks() == {RECORD.key: TICK}
    await writer.flush(asyncio.create_task(writer.run()))
    assert log.stored == []


async def test_checkpoints_are_stored_in_their_order() -> None:
    log = RecordingLog()
    writer, _ = writer_of(log)
    for reported in (saved(1), Compacted(3, b"joined"), saved(2)):
        writer.submit(reported)
    await writer.flush(asyncio.create_task(writer.run()))
    assert log.stored == [(b"\x01", b"part", TICK), (3, b"joined"), (b"\x02", b"part", TICK)]


async def test_a_job_makes_room_only_at_a_checkpoint() -> None:
    log = RecordingLog()
    writer, _ = writer_of(log)
    writer.yield_at_next()
    for reported in (Compacted(3, b"joined"), saved(1), saved(2)):
        writer.submit(reported)
    with pytest.raises(Yielded):
        await writer.run()
    assert log.stored == [(3, b"joined"), (b"\x01", b"part", TICK)]


async def test_a_job_that_is_over_makes_no_room() -> None:
    log = RecordingLog()
    writer, _ = writer_of(log)
    writer.submit(saved(1))
    writer.yield_at_next()
    await writer.flush(asyncio.create_task(writer.run()))
    assert len(log.stored) == 1


async def test_a_full_store_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_writer, "RETRY_SECONDS", (0.0, 0.0))
    log = RecordingLog([StorageFull("full"), StorageFull("full")])
    writer, _ = writer_of(log)
    writer.submit(saved(1))
    await writer.flush(asyncio.create_task(writer.run()))
    assert log.stored == [(b"\x01", b"part", TICK)]


async def test_a_store_that_stays_full_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_writer, "RETRY_SECONDS", (0.0, 0.0))
    tries = 0

    async def store() -> None:
        nonlocal tries
        tries += 1
        raise StorageFull("full")

    with pytest.raises(StorageFull):
        await until_stored(store, "job")
    assert tries == 3


async def test_a_claim_that_is_lost_is_not_tried_again() -> None:
    log = RecordingLog([LostClaim()])
    writer, _ = writer_of(log)
    writer.submit(saved(1))
    with pytest.raises(LostClaim):
        await writer.run()
    assert log.stored == []


async def test_what_work_reported_before_it_failed_is_stored_first() -> None:
    """So that what was over by then is not done again, or is listed."""
    log = RecordingLog(seconds=0.01)
    writer, _ = writer_of(log)

    async def work() -> None:
        writer.submit(saved(1))
        writer.submit(saved(2))
        raise ValueError("no such price")

    with pytest.raises(ValueError, match="no such price"):
        await while_writing(work(), writer)
    assert [stored[0] for stored in log.stored] == [b"\x01", b"\x02"]


async def test_a_job_whose_work_fails_while_nothing_can_be_stored_goes_on_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It fails as the store does, and so has no end yet: whoever claims it next finds the same error."""
    monkeypatch.setattr(checkpoint_writer, "RETRY_SECONDS", ())
    log = RecordingLog([StorageFull("full")], seconds=0.01)
    writer, _ = writer_of(log)

    async def work() -> None:
        writer.submit(saved(1))
        raise ValueError("no such price")

    with pytest.raises(StorageFull):
        await while_writing(work(), writer)
    assert log.stored == []


async def test_work_that_is_cancelled_stores_no_more() -> None:
    log = RecordingLog(seconds=60.0)
    writer, _ = writer_of(log)

    async def work() -> None:
        writer.submit(saved(1))
        await asyncio.sleep(60.0)

    running = asyncio.create_task(while_writing(work(), writer))
    await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(10.0):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert log.stored == []
