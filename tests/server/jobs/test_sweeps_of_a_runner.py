"""Sweeps beside short jobs, in real worker processes: a short job waits for one trial, and no trial is begun twice."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.sweep.ranking import Score
from server.jobs import runner
from server.jobs.backtest_run import EncodedBacktest
from server.jobs.sweep_run import SweepTasks
from server.jobs.sweep_state import TrialDone
from server.ports.job_queue import QueuePolicy
from server.ports.jobs import JobDraft, JobInputs, JobState
from server.storage.scratch import read_value, write_value
from tests.owners import OWNER
from tests.server.jobs.test_runner import Open, draft, open_house, template

__all__ = ["open_house", "template"]

TRIALS = 6
TRIAL_SECONDS = 1.2
"""Longer than the place of a long job is lent in these tests."""


def run_one(
    inputs: Path,
    sets: Any,
    chunk: Sequence[int],
    control: Callable[[], None],
    report: Callable[[tuple[TrialDone, ...]], None],
) -> None:
    """A trial of a sweep that writes down when it begins."""
    with (inputs.parent / "begun").open("a") as file:
        file.write(f"{read_value(inputs).request.decode()} {chunk[0]}\n")
    until = time.monotonic() + TRIAL_SECONDS
    while time.monotonic() < until:
        control()
        time.sleep(0.02)
    report((TrialDone(chunk[0], f"t{chunk[0]}", b"", 1.0),))


def died(request: bytes, trial: int, cause: Exception | None) -> TrialDone:
    raise AssertionError("no process was killed")


def conclude(inputs: Path, trials: Path, control: Callable[[], None], earlier: object = None) -> EncodedBacktest:
    return EncodedBacktest(",".join(str(one.index) for one in read_value(trials)).encode(), (), (), None)


def sharpe(request: bytes) -> Score:
    return Score.SHARPE


def tasks(folder: Path) -> SweepTasks:
    folder.mkdir()
    made = iter(range(1000))

    @asynccontextmanager
    async def new_file() -> AsyncIterator[Path]:
        path = folder / str(next(made))
        path.touch()
        yield path

    return SweepTasks(run_one, died, conclude, sharpe, new_file, write_value)


def sweep(name: str) -> JobDraft:
    one = draft(50)
    inputs = JobInputs(one.inputs.data, "prices", sets=(one.inputs,), trial_count=TRIALS)
    return draft(50, id=f"sweeps/{name}", request=name.encode(), inputs=inputs, cost_estimate=3600.0)


async def test_a_short_job_waits_for_one_trial_and_none_is_begun_twice(
    open_house: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LENT_SECONDS", 0.3)
    house = open_house(2, QueuePolicy(short_seconds=5.0, slice_seconds=30.0), sweep=tasks(tmp_path / "shared"))
    for name in ("a", "b"):
        await house.submit(sweep(name))
    for name in ("a", "b"):
        await house.until(f"sweeps/{name}", lambda record: record.tick is not None)
    for i in range(2):
        assert (await house.end(await house.submit(draft(100 + i)))).state is JobState.SUCCEEDED
        assert not all([(await house.store.get(OWNER, f"sweeps/{name}")).state.is_final for name in ("a", "b")])
    attempts = []
    for name in ("a", "b"):
        ended = await house.end(f"sweeps/{name}")
        assert (ended.state, ended.result) == (JobState.SUCCEEDED, b"0,1,2,3,4,5")
        attempts.append(ended.attempt)
    assert max(attempts) > 1, "one of them made room"
    begun = Counter((tmp_path / "shared" / "begun").read_text().splitlines())
    assert sorted(begun.values()) == [1] * (2 * TRIALS)
