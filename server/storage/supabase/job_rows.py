"""Jobs and their events as functions of the database return and take them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from server.ports.errors import NotFound
from server.ports.jobs import (
    EventKind,
    JobEvent,
    JobEventDraft,
    JobRecord,
    JobState,
    JobTick,
    JobView,
    Stage,
    Weighing,
    kind_of,
    resource_name,
)
from server.ports.scope import Scope
from server.storage.job_inputs import actions_of, inputs_of
from server.storage.supabase.access import read_in_thread_if_large
from server.storage.supabase.frames import Frame, require_owner
from server.storage.texts import kept_text, text_of_kept


def job_of(frame: Frame) -> JobRecord:
    """The job in a frame whose other contents have been taken."""
    row = frame.header["job"]
    record = listed_job_of(row)
    actions, request = frame.take(row["actions"]), frame.take(row["request"])
    result, error = (None if row[name] is None else frame.take(row[name]) for name in ("result", "error"))
    inputs = replace(record.inputs, actions=actions_of(actions))
    return replace(record, inputs=inputs, request=request, result=result, error=error)


async def owned_job_of(data: bytes, owner: str) -> JobRecord | None:
    """The job in an answer to somebody who asks for their own, None where there is none. Raises ForeignRow."""
    record = await read_in_thread_if_large(_job_if_any, data)
    if record is not None:
        require_own(record, Scope(owner))
    return record


def _job_if_any(data: bytes) -> JobRecord | None:
    frame = Frame(data)
    return None if frame.header is None else job_of(frame)


def require_own(record: JobRecord, scope: Scope) -> None:
    """Raises ForeignRow for a job of another owner than the one who asks."""
    require_owner({"owner": record.owner}, scope)


def listed_job_of(row: Mapping[str, Any]) -> JobRecord:
    """A job as a list shows it: without request, corporate actions, result and error."""
    tick = None
    if row["day"] is not None:
        tick = JobTick(float(row["fraction"]), row["day"], float(row["wealth"]), _stage_of(row["stage"]))
    request_id = row["request_id"]
    return JobRecord(
        key=row["key"],
        owner=row["owner"],
        id=row["id"],
        state=JobState(row["state"]),
        label=text_of_kept(row["label"]),
        epoch=row["epoch"],
        request=b"",
        inputs=inputs_of(row["inputs"]),
        fingerprint=row["fingerprint"],
        created=_time_of(row["created_time"]),
        finished=None if row["finished_time"] is None else _time_of(row["finished_time"]),
        tick=tick,
        last_event=row["last_event"],
        dropped_event=row["dropped_event"],
        attempt=row["attempts"],
        crashes=row["crashes"],
        worker=row["worker"],
        request_id=None if request_id is None else text_of_kept(request_id),
        caller=text_of_kept(row["caller"]),
        cost_estimate=float(row["cost_estimate"]),
        run_seconds=float(row["run_seconds"]),
        stale_since=None if row["stale_time"] is None else _time_of(row["stale_time"]),
        traceparent=row["traceparent"],
    )


def tick_argument(tick: JobTick) -> dict[str, object]:
    """How far a job is."""
    return {
        "fraction": str(tick.fraction),  # JSON has no NaN; the text reads back as the same number
        "day": tick.day_or_failed_count,
        "wealth": str(tick.nav_or_best_score),
        "stage": _stage_argument(tick.stage),
    }


def event_arguments(events: Iterable[JobEventDraft]) -> list[dict[str, object]]:
    """Events to store."""
    return [
        {
            "kind": event.kind,
            "message": kept_text(event.message),
            "day": event.day,
            "reason": kept_text(event.reason),
            "stage": _stage_argument(event.stage),
            "benefit_annual": None if event.weighing is None else str(event.weighing.benefit_annual),
            "cost_annual": None if event.weighing is None else str(event.weighing.cost_annual),
        }
        for event in events
    ]


def events_of(rows: Sequence[Mapping[str, Any]]) -> tuple[JobEvent, ...]:
    """Stored events."""
    return tuple(JobEvent(row["number"], _time_of(row["event_time"]), _content_of(row)) for row in rows)


async def view_of(data: bytes, name: str) -> JobView:
    """A job with events. Raises NotFound."""
    view = await read_in_thread_if_large(_view_if_any, data)
    if view is None:
        raise NotFound(kind_of(name), resource_name(name))
    return view


def _view_if_any(data: bytes) -> JobView | None:
    frame = Frame(data)
    return None if frame.header is None else JobView(job_of(frame), events_of(frame.header["events"]))


def _content_of(row: Mapping[str, Any]) -> JobEventDraft:
    weighing = None
    if row["benefit_annual"] is not None:
        weighing = Weighing(float(row["benefit_annual"]), float(row["cost_annual"]))
    kind, message, reason = EventKind(row["kind"]), text_of_kept(row["message"]), text_of_kept(row["reason"])
    return JobEventDraft(kind, message, row["day"], reason, _stage_of(row["stage"]), weighing)


def _stage_argument(stage: Stage | None) -> list[object] | None:
    return None if stage is None else [kept_text(stage.label), stage.index, stage.count]


def _stage_of(row: Sequence[Any] | None) -> Stage | None:
    return None if row is None else Stage(text_of_kept(row[0]), row[1], row[2])


def _time_of(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
