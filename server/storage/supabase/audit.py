"""The audit log in PostgreSQL; roles that call its functions have no right to change its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from server.ports.audit import AuditEvent, AuditFilter, AuditPage, AuditRecord, AuditRetention
from server.ports.scope import Scope
from server.storage.audit_tokens import place_of_token, token_of_place
from server.storage.pages import micros_of, time_of
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, text_of_kept

BATCH = 1_000
"""Events removed in one transaction."""


class SupabaseAudit:
    """The audit log of a project."""

    def __init__(self, rpc: Rpc, retention: AuditRetention) -> None:
        self._rpc = rpc
        self._retention = retention

    async def append(self, events: Sequence[AuditEvent]) -> None:
        """Stores events in their order, all or none."""
        await self._rpc.call("append_audit_events", p_events=[_row(event) for event in events], p_token=write_token())

    async def list(self, scope: Scope, token: str, limit: int, filters: AuditFilter) -> AuditPage:
        """A page of events, newest first: by the numbers of the owner, or by key where everybody's are listed."""
        rows = await self._rpc.call(
            "list_audit_events",
            p_owner=None if scope.everyone else kept_text(scope.owner),
            p_after=place_of_token(token, scope, filters),
            p_limit=limit,
            p_caller=kept_text(filters.caller) or None,
            p_method=kept_text(filters.method) or None,
            p_resource=kept_text(filters.resource) or None,
            p_since=None if filters.since is None else micros_of(filters.since),
            p_before=None if filters.before is None else micros_of(filters.before),
        )
        records = tuple(_record(row) for row in rows[:limit])
        if len(rows) <= limit:
            return AuditPage(records, "")
        last = rows[limit - 1]
        place = last["key"] if scope.everyone else last["number"]
        return AuditPage(records, token_of_place(place, scope, filters))

    async def sweep(self) -> int:
        """Removes the oldest events beyond what is retained, by the clock of the database; how many."""
        removed = 0
        limits = {"p_days": self._retention.days, "p_events": self._retention.events}
        while count := await self._rpc.call("delete_old_audit_events", **limits, p_limit=BATCH):
            removed += count
        return removed


def _row(event: AuditEvent) -> dict[str, object]:
    return {
        "owner": kept_text(event.owner),
        "caller": kept_text(event.caller),
        "method": event.method,
        "resource": event.resource,
        "code": event.code,
        "reason": event.reason,
        "call_id": event.call_id,
        "time": micros_of(event.time),
        "count": event.count,
    }


def _record(row: Mapping[str, Any]) -> AuditRecord:
    event = AuditEvent(
        owner=text_of_kept(row["owner"]),
        caller=text_of_kept(row["caller"]),
        method=row["method"],
        resource=row["resource"],
        code=row["code"],
        reason=row["reason"],
        call_id=row["call_id"],
        time=time_of(row["event_time"]),
        count=row["count"],
    )
    return AuditRecord(row["number"], event)
