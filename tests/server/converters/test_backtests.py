"""What followers of a backtest are told, as messages."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from absfinance.v1.backtest_pb2 import BacktestState
from google.protobuf import json_format
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status

from server.converters.backtests import progress_to_proto
from server.jobs.progress import Heartbeat, ProgressMessage, ProgressSnapshot, ProgressTick
from server.ports.jobs import (
    EventKind,
    JobEvent,
    JobEventDraft,
    JobInputs,
    JobRecord,
    JobState,
    JobTick,
    Stage,
    Weighing,
)
from tests.owners import OWNER

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
STAGE = Stage("yearly", 1, 3)
TICK = JobTick(0.25, 18263, 1.5, STAGE, ((18262, 1.4), (18263, 1.5)))
RECORD = JobRecord(
    7, OWNER, "x", JobState.SUCCEEDED, "", "", b"", JobInputs("d", "prices"), "", NOON, NOON, None, 0, 0, 1, 0, None
)

SECOND_OF_JANUARY_2020 = {"year": 2020, "month": 1, "day": 2}


def told(content: Any) -> dict[str, Any]:
    message = progress_to_proto(ProgressMessage(7, "epoch", NOON, content))
    assert (message.sequence, message.epoch, message.event_time.ToDatetime(UTC)) == (7, "epoch", NOON)
    kind = message.WhichOneof("event")
    assert kind is not None
    told: dict[str, Any] = json_format.MessageToDict(getattr(message, kind))
    return {kind: told}


def test_a_snapshot_says_how_far_the_job_is() -> None:
    progress = {
        "fraction": 0.25,
        "simulatedDate": SECOND_OF_JANUARY_2020,
        "nav": 1.5,
        "label": "yearly",
        "stageIndex": 1,
        "stageCount": 3,
        "equity": {"dates": [18262, 18263], "navs": [1.4, 1.5]},
    }
    stands = {"state": "BACKTEST_STATE_RUNNING", "oldestSequence": "4"}
    assert told(ProgressSnapshot(JobState.RUNNING, TICK, 4)) == {"snapshot": {**stands, "tick": progress}}
    assert told(ProgressTick(TICK, 2.5)) == {"tick": {**progress, "eta": "2.500s"}}
    assert told(ProgressTick(TICK, None)) == {"tick": progress}
    assert told(ProgressSnapshot(JobState.RUNNING, None, 4)) == {"snapshot": stands}


def test_a_tick_without_stage_and_points() -> None:
    found = told(ProgressTick(JobTick(0.25, 18263, 1.5), None))
    assert found == {"tick": {"fraction": 0.25, "simulatedDate": SECOND_OF_JANUARY_2020, "nav": 1.5}}


@pytest.mark.parametrize("kind", [kind for kind in EventKind if kind is not EventKind.FINISHED])
def test_a_milestone_of_each_kind(kind: EventKind) -> None:
    full = JobEventDraft(kind, "text", 18263, "REASON", STAGE, Weighing(0.02, 0.01))
    assert told(JobEvent(7, NOON, full)) == {
        "milestone": {
            "kind": f"KIND_{kind}",
            "message": "text",
            "reason": "REASON",
            "simulatedDate": SECOND_OF_JANUARY_2020,
            "label": "yearly",
            "stageIndex": 1,
            "stageCount": 3,
            "benefitAnnual": 0.02,
            "costAnnual": 0.01,
        }
    }
    bare = JobEventDraft(kind, "text")
    assert told(JobEvent(7, NOON, bare)) == {"milestone": {"kind": f"KIND_{kind}", "message": "text"}}


def test_a_heartbeat_says_nothing_else() -> None:
    assert told(Heartbeat()) == {"heartbeat": {}}


def test_the_end_has_a_result_or_an_error() -> None:
    assert told(RECORD) == {"finished": {"state": "BACKTEST_STATE_SUCCEEDED", "result": "backtests/x"}}
    error = Status(code=code_pb2.INVALID_ARGUMENT, message="wrong").SerializeToString()
    for record, state, expected in (
        (replace(RECORD, state=JobState.FAILED, error=error), "FAILED", (code_pb2.INVALID_ARGUMENT, "wrong")),
        (replace(RECORD, state=JobState.CANCELLED), "CANCELLED", (code_pb2.CANCELLED, "the backtest was cancelled")),
    ):
        message = progress_to_proto(ProgressMessage(7, "epoch", NOON, record))
        assert message.finished.state == BacktestState.Value(f"BACKTEST_STATE_{state}")
        assert (message.finished.error.code, message.finished.error.message) == expected
        assert not message.finished.result
