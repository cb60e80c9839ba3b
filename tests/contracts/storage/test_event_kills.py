"""Servers that listen are killed in the middle: what is stored is whole, and whoever goes on repeats nothing."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from server.ports.events import EventFilter, NotificationFilter, StoredEvent
from server.ports.storage import Storage
from tests.contracts.storage.conftest import Opened, of_event_backends
from tests.contracts.storage.event_drafts import all_changes, changes_of, events_of
from tests.owners import MINE
from tests.supabase_stack import RunningStack

ROOT = Path(__file__).parents[3]
pytestmark = [of_event_backends, pytest.mark.timeout(300)]

COUNT = 40
KILLED_AFTER = (3, 11, 24)


def started(stack: RunningStack | None, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, **({} if stack is None else stack.stack.environment)}
    arguments = [str(COUNT), "--data-dir", str(folder)]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.storage.recorder", *arguments],
        stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment,
    )  # fmt: skip


def killed_after(process: subprocess.Popen[str], number: int) -> None:
    """Kills a server once it has recorded so many, or lets it end."""
    assert process.stdout is not None
    for line in process.stdout:
        if line == f"recorded {number}\n":
            process.kill()
            break
    process.stdout.close()
    process.wait(60)


async def is_whole(storage: Storage) -> None:
    """Each portfolio has its change, each event its notification, and no key and no cause is there twice."""
    page = await storage.portfolios.list(MINE, "", 1_000)
    changes = await all_changes(changes_of(storage))
    assert Counter(one.name for one in changes) == Counter(one.id for one in page.records)
    stores = events_of(storage)
    events = (await stores.log.since(MINE, 0, 1_000, EventFilter())).events
    told = [one.draft.dedupe_key for one in events if one.draft.dedupe_key.startswith("k")]
    assert told == [f"k{number}" for number in range(len(told))]
    notifications = (await stores.notifications.list(MINE, "", 1_000, NotificationFilter())).records
    assert Counter(one.message for one in notifications) == Counter(f"told of {key}" for key in told)
    answered = answered_by(events)
    assert len(answered) == len(set(answered))
    assert set(answered) <= set(told)


def answered_by(events: Sequence[StoredEvent]) -> list[str]:
    """The causes of all recomputations that have ended."""
    ended = [one.draft.payload for one in events if one.draft.dedupe_key.startswith("done")]
    return [cause for payload in ended for cause in payload.decode().split()]


async def test_kills_in_the_middle(opened: Opened, stack: RunningStack | None, tmp_path: Path) -> None:
    storage = opened()
    for number in KILLED_AFTER:
        await asyncio.to_thread(killed_after, started(stack, tmp_path), number)
        await is_whole(storage)
    await asyncio.to_thread(killed_after, started(stack, tmp_path), COUNT)
    await is_whole(storage)
    events = (await events_of(storage).log.since(MINE, 0, 1_000, EventFilter())).events
    assert sorted(answered_by(events)) == sorted(f"k{number}" for number in range(COUNT)), "each was recomputed once"


async def test_two_servers_and_kills(opened: Opened, stack: RunningStack | None, tmp_path: Path) -> None:
    storage = opened()
    pair = [started(stack, tmp_path), started(stack, tmp_path)]
    ends = [asyncio.to_thread(killed_after, one, number) for one, number in zip(pair, (7, 12), strict=True)]
    await asyncio.gather(*ends)
    await is_whole(storage)
    pair = [started(stack, tmp_path), started(stack, tmp_path)]
    await asyncio.gather(*(asyncio.to_thread(killed_after, one, COUNT) for one in pair))
    await is_whole(storage)
    events = (await events_of(storage).log.since(MINE, 0, 1_000, EventFilter())).events
    assert {one.draft.dedupe_key for one in events} >= {f"k{number}" for number in range(COUNT)}
