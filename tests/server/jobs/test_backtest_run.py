"""A backtest that goes on from any checkpoint, with its parts joined or not, ends with the same bytes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from google.protobuf import json_format

from domain.backtest.specification import BacktestSpecification
from server.converters.backtest_request import backtest_specification_from_proto
from server.jobs import backtest_run
from server.jobs.backtest_run import BacktestCompleted, Compacted, Job, Saved, run_backtest
from server.jobs.codec import parts_from_bytes
from server.ports.panels import StoredPanelRef

DAYS = 120


REQUEST = {
    # Strategies that are asked for each decision: between two of them a run can be left and continued.
    "strategies": [{"inverseVolatility": {"lookbackPeriods": 5}, "label": f"s{i}"} for i in range(2)],
    "rebalancing": {"everyPeriods": {"n": 5}},
}
SPECIFICATION = backtest_specification_from_proto(json_format.ParseDict(REQUEST, BacktestRequest()))


SELECTING = {
    "strategy": {
        "select": {
            "candidates": [{"equalWeight": {}}, {"momentum": {"lookbackPeriods": 3, "topN": 1}}],
            "lookbackPeriods": 20,
        }
    },
    "rebalancing": {"everyPeriods": {"n": 5}},
    "costs": {"commissionBps": 10},
}


@pytest.fixture
def job(tmp_path: object) -> Job:
    values = np.random.default_rng(1).uniform(1, 2, (DAYS, 3))
    path = f"{tmp_path}/panel.npy"
    np.save(path, values)
    panel = StoredPanelRef(("A", "B", "C"), np.arange(DAYS, dtype=np.int32), Path(path))
    return Job(panel, "prices", {}, {}, None, ())


def completed(job: Job, specification: BacktestSpecification = SPECIFICATION) -> tuple[BacktestCompleted, list[object]]:
    reported: list[object] = []
    return run_backtest(job, specification, lambda: None, reported.append), reported


def test_from_every_checkpoint(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = completed(job)
    for name in ("CHECKPOINT_SECONDS", "EVENT_SECONDS"):
        monkeypatch.setattr(backtest_run, name, 0.0)
    _, reported = completed(job)
    saved = [one for one in reported if isinstance(one, Saved)]
    assert len(saved) > backtest_run.MANY_PARTS
    for count in (1, backtest_run.MANY_PARTS, backtest_run.MANY_PARTS + 1, len(saved)):
        parts = tuple(one.part for one in saved[:count])
        rest, later = completed(replace(job, checkpoint=saved[count - 1].checkpoint, parts=parts))
        assert rest.series == whole.series
        compacted = [one for one in later if isinstance(one, Compacted)]
        assert bool(compacted) == (count > backtest_run.MANY_PARTS)
        for one in compacted:
            assert one.count == count
            assert {index for index, _ in parts_from_bytes(one.part)} == {
                index for p in parts for index, _ in parts_from_bytes(p)
            }
            again, _ = completed(replace(job, checkpoint=saved[count - 1].checkpoint, parts=(one.part,)))
            assert again.series == whole.series


def test_from_a_damaged_checkpoint_it_begins_again_and_says_so(
    job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was stored beside it is dropped: nothing is counted twice."""
    whole, _ = completed(job)
    assert caplog.records == []
    for name in ("CHECKPOINT_SECONDS", "EVENT_SECONDS"):
        monkeypatch.setattr(backtest_run, name, 0.0)
    _, reported = completed(job)
    first = next(one for one in reported if isinstance(one, Saved))
    again, later = completed(replace(job, checkpoint=first.checkpoint[:-20], parts=(first.part,)))
    assert again.series == whole.series
    (dropped,) = [one for one in later if isinstance(one, Compacted)]
    assert (dropped.count, list(parts_from_bytes(dropped.part))) == (1, [])
    assert [record.getMessage() for record in caplog.records] == [
        "a stored checkpoint cannot be read; the backtest begins again"
    ]


def test_a_selection_from_every_checkpoint(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accounts of candidates are continued like strategies, and choices are made again with the same numbers."""
    selecting = backtest_specification_from_proto(json_format.ParseDict(SELECTING, BacktestRequest()))
    whole, _ = completed(job, selecting)
    for name in ("CHECKPOINT_SECONDS", "EVENT_SECONDS"):
        monkeypatch.setattr(backtest_run, name, 0.0)
    _, reported = completed(job, selecting)
    saved = [one for one in reported if isinstance(one, Saved)]
    assert {one.tick.stage.index for one in saved if one.tick.stage is not None} == {0, 1, 2}
    for count in range(1, len(saved) + 1, 4):
        parts = tuple(one.part for one in saved[:count])
        rest, _ = completed(replace(job, checkpoint=saved[count - 1].checkpoint, parts=parts), selecting)
        assert rest.series == whole.series
        assert rest.outcome.strategies[0].selection == whole.outcome.strategies[0].selection


@pytest.mark.parametrize(("seconds", "of_events", "events"), [(3600.0, 3600.0, []), (3600.0, 0.0, ["s0", "s1"])])
def test_checkpoints_come_by_the_clock_and_sooner_where_something_happened(
    job: Job, monkeypatch: pytest.MonkeyPatch, seconds: float, of_events: float, events: list[str]
) -> None:
    """Within an hour there is none but for events: here each of the strategies begins."""
    monkeypatch.setattr(backtest_run, "CHECKPOINT_SECONDS", seconds)
    monkeypatch.setattr(backtest_run, "EVENT_SECONDS", of_events)
    ended, reported = completed(job)
    saved = [one for one in reported if isinstance(one, Saved)]
    assert [event.stage.label for one in saved for event in one.events if event.stage is not None] == events
    assert len(saved) == len(events)
    # What no checkpoint tells, the end does.
    assert [event.stage.label for event in ended.events if event.stage is not None] == ["s0", "s1"][len(events) :]
