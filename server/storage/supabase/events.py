"""The log of events on Supabase: its numbers increase in the order in which events become visible."""

from collections.abc import Sequence

from server.ports.events import EventDraft, EventFilter, EventPage, StoredEvent
from server.ports.scope import Scope
from server.storage.supabase.access import read_in_thread_if_large
from server.storage.supabase.event_rows import event_arguments, event_of, stored_of
from server.storage.supabase.frames import Frame, require_owner
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_texts

LOOKED_AT_ONCE = 10_000
"""Events of an owner that one page looks at: filters that almost nothing passes make a read no longer than this."""


class SupabaseEvents:
    """The log of events of a project."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    async def since(self, scope: Scope, after: int, limit: int, filters: EventFilter) -> EventPage:
        """Events after a sequence that an owner watches."""
        data = await self._rpc.read_bytes(
            "read_events",
            p_owner=None if scope.everyone else scope.owner,
            p_after=after,
            p_limit=limit,
            p_most=LOOKED_AT_ONCE,
            p_severity=int(filters.min_severity),
            p_portfolios=kept_texts(sorted(filters.portfolios)) or None,
            p_kinds=sorted(filters.kinds) or None,
        )
        return await read_in_thread_if_large(lambda content: _page(scope, content), data)

    async def append(self, drafts: Sequence[EventDraft]) -> tuple[StoredEvent, ...]:
        """Stores those that are new by their keys."""
        answer = await self._rpc.call("append_events", p_events=event_arguments(drafts), p_token=write_token())
        return stored_of(drafts, answer)


def _page(scope: Scope, data: bytes) -> EventPage:
    frame = Frame(data)
    found = frame.header
    for row in found["events"]:
        require_owner(row, scope)
    events = tuple(event_of(row, frame.take(row["payload"])) for row in found["events"])
    return EventPage(events, found["oldest"], found["newest"], found["epoch"], found["scanned"])
