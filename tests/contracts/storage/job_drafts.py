"""Jobs to store, and who works on them."""

from dataclasses import replace

import numpy as np

from domain.market_data.fingerprint import fingerprint_of
from domain.market_data.panel import PricePanel
from server.ports.job_stores import JobStores
from server.ports.jobs import Claim, EventKind, JobDraft, JobEventDraft, JobInputs, JobTick
from server.ports.storage import Storage

PANEL = PricePanel.of("AB", range(10), np.arange(1.0, 21.0))
TICK = JobTick(0.5, 7, 1.25)
EVENT = JobEventDraft(EventKind.STAGE, "begun", 3)
LEASE_SECONDS = 30.0


def draft(request_id: str | None = None, body: bytes = b"b", panel: PricePanel = PANEL, **other: object) -> JobDraft:
    name = fingerprint_of(panel)
    inputs = JobInputs(name, "prices")
    made = JobDraft(b"request", body, "label", "fp", inputs, {name: panel}, request_id)
    return replace(made, **other)  # type: ignore[arg-type]


async def claim(storage: Storage, lease_seconds: float = LEASE_SECONDS) -> Claim | None:
    """The next job for this server."""
    return await storage.jobs.queue.claim(storage.worker, lease_seconds)


async def claimed(storage: Storage, lease_seconds: float = LEASE_SECONDS) -> Claim:
    """The next job, which is there."""
    found = await claim(storage, lease_seconds)
    assert found is not None
    return found


async def parts_of(jobs: JobStores, claim: Claim) -> tuple[bytes, ...]:
    """What earlier attempts have stored of the output of a job."""
    return tuple(part for _, part in await jobs.log.parts(claim.record.key, 0))
