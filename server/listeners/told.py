"""Signals that were stored after the state of a listener was: what came and went since, the state does not know."""

import asyncio
from collections.abc import Sequence

from domain.monitoring.events import ToldAlarm
from server.converters.events import told_alarm_from_bytes
from server.listeners.memory import name_of
from server.ports.events import EventFilter, EventLog, EventType, StoredEvent
from server.ports.scope import Scope

PAGE = 1000

MOST_EVENTS = 100_000
"""Newest events that are looked at, where a state knows of none: what was told before stays as it was told."""


async def told_since(log: EventLog, sequence: int) -> tuple[tuple[ToldAlarm, ...], int]:
    """Signals after a sequence that everybody was told, in order, and the sequence up to which they are these."""
    everybody, everything = Scope("", everyone=True), EventFilter()
    newest = (await log.since(everybody, sequence, 1, everything)).newest
    place = max(sequence, newest - MOST_EVENTS)
    found: list[ToldAlarm] = []
    while place < newest:  # ends with what is stored now
        page = await log.since(everybody, place, PAGE, everything)
        found += await asyncio.to_thread(_alarms, page.events)
        if page.scanned <= place:
            break
        place = page.scanned
    return tuple(found), max(place, newest)


def _alarms(events: Sequence[StoredEvent]) -> list[ToldAlarm]:
    drafts = [event.draft for event in events if event.draft.type is EventType.SIGNAL and event.draft.portfolio]
    return [told_alarm_from_bytes(name_of(draft.owner, draft.portfolio), draft.payload) for draft in drafts]
