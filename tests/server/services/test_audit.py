"""What the audit log stores at once, and what becomes of events while the store is away."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from server.bootstrap import _calls_over
from server.interceptors.admission import Admission
from server.ports.audit import AuditEvent, AuditFilter, AuditPage
from server.ports.errors import StorageUnavailable
from server.ports.scope import Scope
from server.services.audit import MOST_KINDS_OF_OWNER, AuditLog

DONE = AuditEvent("a", "key-a", "x/Delete", "portfolios/p", "OK", "", "1", datetime(2026, 1, 2, tzinfo=UTC))


def refused(place: int, owner: str = "a") -> AuditEvent:
    return replace(DONE, owner=owner, resource=f"portfolios/{place}", code="PERMISSION_DENIED", call_id=str(place))


@dataclass
class Store:
    """Keeps what is appended, or is away."""

    is_away: bool = False
    gate: asyncio.Event | None = None  # each append waits for it
    rounds: list[list[AuditEvent]] = field(default_factory=list)

    @property
    def events(self) -> list[AuditEvent]:
        return [event for each in self.rounds for event in each]

    async def append(self, events: Sequence[AuditEvent]) -> None:
        if self.is_away:
            raise StorageUnavailable("away")
        if self.gate is not None:
            await self.gate.wait()
        self.rounds.append(list(events))

    async def list(self, scope: Scope, token: str, limit: int, filters: AuditFilter) -> AuditPage:
        raise NotImplementedError


async def test_the_failures_of_one_owner_push_nobody_out() -> None:
    store = Store()
    log = AuditLog(store)
    for place in range(500):
        log.note(refused(place))
    log.note(refused(0, "b"))
    await log.close()
    of_a = [event for event in store.events if event.owner == "a"]
    assert len(of_a) == MOST_KINDS_OF_OWNER + 1
    assert sum(event.count for event in of_a) == 500
    assert of_a[-1].resource == ""
    assert [event.resource for event in store.events if event.owner == "b"] == ["portfolios/0"]


async def test_failures_wait_for_others_though_something_is_written_meanwhile() -> None:
    store = Store()
    log = AuditLog(store, soon_seconds=60.0)
    for _ in range(3):
        log.note(refused(1))
        await log.record(DONE)
    assert store.events == [DONE] * 3
    await log.close()
    assert store.events[3:] == [replace(refused(1), count=3)]


async def test_what_stands_is_told_once_the_store_is_back() -> None:
    store = Store(is_away=True)
    log = AuditLog(store, soon_seconds=0.01)
    with pytest.raises(StorageUnavailable):
        await log.record(DONE)
    store.is_away = False
    await log.close()
    assert store.events == [DONE]


async def test_a_drain_waits_for_the_events_of_calls_that_are_over() -> None:
    """Their answers have not left yet, though nothing counts them as inside any more."""
    store = Store(gate=asyncio.Event())
    log = AuditLog(store)
    recorded = asyncio.create_task(log.record(DONE))
    await asyncio.sleep(0.01)
    over = asyncio.create_task(_calls_over(Admission(1), log))
    await asyncio.sleep(0.01)
    assert not over.done()
    assert store.gate is not None
    store.gate.set()
    await asyncio.wait_for(over, 10)
    await asyncio.wait_for(recorded, 10)
    assert store.events == [DONE]
