"""Notifications on Supabase: lists of them, and their delivery by workers with leases."""

import builtins
from collections.abc import Mapping
from typing import Any

from domain.monitoring.signals import EventKind, Severity
from server.ports.events import (
    EventDraft,
    NotificationFilter,
    NotificationPage,
    NotificationRecord,
    NotificationState,
)
from server.ports.scope import Scope
from server.storage.delivery_attempts import after_attempt
from server.storage.pages import Position, position_of, token_of
from server.storage.supabase.event_rows import event_argument
from server.storage.supabase.frames import require_owner
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, text_of_kept

KIND = "notification"


class SupabaseNotifications:
    """The notifications of a project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def list(self, scope: Scope, token: str, limit: int, filters: NotificationFilter) -> NotificationPage:
        """A page of notifications, newest first."""
        after = position_of(token, KIND, scope, filters)
        rows: builtins.list[Mapping[str, Any]] = await self._rpc.call(
            "list_notifications",
            p_owner=None if scope.everyone else scope.owner,
            p_after=None if after is None else after.micros,
            p_after_id=None if after is None else after.id,
            p_after_key=None if after is None else after.key,
            p_limit=limit,
            p_portfolio=kept_text(filters.portfolio) or None,
            p_state=filters.state,
            p_severity=int(filters.min_severity),
            p_created_from=filters.created_from,
            p_created_before=filters.created_before,
        )
        records = tuple(_record(scope, row) for row in rows[:limit])
        if len(rows) <= limit:
            return NotificationPage(records, "")
        last = rows[limit - 1]
        position = Position(last["created"], last["id"], last["key"])
        return NotificationPage(records, token_of(position, KIND, scope, filters))

    async def get(self, owner: str, notification_id: str) -> NotificationRecord:
        """One notification."""
        return _record(Scope(owner), await self._rpc.call("get_notification", p_owner=owner, p_id=notification_id))

    async def acknowledge(self, owner: str, notification_id: str, event: EventDraft) -> NotificationRecord:
        """Marks it as seen at the time of the event, which is stored the first time."""
        row = await self._rpc.call(
            "acknowledge_notification", p_owner=owner, p_id=notification_id, p_event=event_argument(event)
        )
        return _record(Scope(owner), row)

    async def redeliver(self, owner: str, notification_id: str, now: int) -> NotificationRecord:
        """Puts it back to be delivered; a worker that has it in hand loses it."""
        row = await self._rpc.call(
            "redeliver_notification", p_owner=owner, p_id=notification_id, p_now=now, p_token=write_token()
        )
        return _record(Scope(owner), row)

    async def claim_due(
        self, worker: str, now: int, lease_seconds: float, limit: int
    ) -> tuple[NotificationRecord, ...]:
        """Those whose delivery is due, the longest due first."""
        rows = await self._rpc.call(
            "claim_notifications",
            p_worker=worker,
            p_now=now,
            p_lease_seconds=lease_seconds,
            p_limit=limit,
            p_token=write_token(),
        )
        return tuple(_record(Scope("", everyone=True), row) for row in rows)

    async def attempted(
        self, worker: str, record: NotificationRecord, error: str, next_attempt: int | None, event: EventDraft | None
    ) -> bool:
        """Says how an attempt ended."""
        delivery, following = after_attempt(error, next_attempt)
        had = await self._rpc.call(
            "end_delivery_attempt",
            p_owner=record.owner,
            p_id=record.id,
            p_worker=worker,
            p_attempts=record.attempts,
            p_delivery=delivery,
            p_error=kept_text(error),
            p_next=following,
            p_event=None if event is None else event_argument(event),
            p_token=write_token(),
        )
        return bool(had)


def _record(scope: Scope, row: Mapping[str, Any]) -> NotificationRecord:
    require_owner(row, scope)
    return NotificationRecord(
        owner=row["owner"],
        id=row["id"],
        kind=EventKind(row["kind"]),
        severity=Severity(row["severity"]),
        portfolio=text_of_kept(row["portfolio"]),
        symbol=text_of_kept(row["symbol"]),
        message=text_of_kept(row["message"]),
        state=NotificationState(row["state"]),
        attempts=row["attempts"],
        last_error=text_of_kept(row["last_error"]),
        signal_sequence=row["signal_sequence"],
        created=row["created"],
        acknowledged=row["acknowledged"],
        next_attempt=row["next_attempt"],
    )
