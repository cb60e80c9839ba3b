"""Events as functions of the database take and return them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from domain.monitoring.signals import EventKind, Severity
from server.ports.events import EventDraft, EventType, StoredEvent
from server.storage.supabase.access import text_of
from server.storage.texts import kept_text, text_of_kept


def event_arguments(drafts: Sequence[EventDraft]) -> list[dict[str, object]]:
    """Events to store."""
    return [event_argument(draft) for draft in drafts]


def event_argument(draft: EventDraft) -> dict[str, object]:
    """An event to store, with its notification where it has one."""
    notify = draft.notify
    return {
        "owner": draft.owner,
        "key": kept_text(draft.dedupe_key),
        "type": draft.type,
        "time": draft.time,
        "kind": draft.kind,
        "severity": int(draft.severity),
        "portfolio": kept_text(draft.portfolio),
        "symbol": kept_text(draft.symbol),
        "payload": text_of(draft.payload),
        "notify": None if notify is None else {"message": kept_text(notify.message), "deliver": notify.deliver},
    }


def stored_of(drafts: Sequence[EventDraft], answer: Sequence[Sequence[int]]) -> tuple[StoredEvent, ...]:
    """The events that were new, of which the answer has the place and the sequence."""
    return tuple(StoredEvent(sequence, replace(drafts[place], notify=None)) for place, sequence in answer)


def event_of(row: Mapping[str, Any], payload: bytes) -> StoredEvent:
    """A stored event."""
    draft = EventDraft(
        EventType(row["type"]),
        row["owner"],
        row["time"],
        EventKind(row["kind"]),
        Severity(row["severity"]),
        text_of_kept(row["key"]),
        payload,
        text_of_kept(row["portfolio"]),
        text_of_kept(row["symbol"]),
    )
    return StoredEvent(row["sequence"], draft)
