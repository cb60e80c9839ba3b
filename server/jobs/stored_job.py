"""What a worker needs for a backtest, from what the store has of its job."""

from collections.abc import Sequence

from server.jobs.backtest_run import Job
from server.ports.job_stores import JobStores
from server.ports.jobs import Claim, JobInputs, JobRecord
from server.ports.panels import StoredPanelRef


async def stored_backtest(stores: JobStores, claim: Claim) -> Job:
    """A backtest that this worker has claimed, as far as it is: nobody else changes it. Raises StorageUnavailable."""
    record, parts, after = claim.record, list[bytes](), 0
    while record.attempt > 1 and (page := await stores.log.parts(record.key, after)):
        parts += [part for _, part in page]
        after = page[-1][0]
    return await stored_job(stores, record, record.inputs, claim.checkpoint, parts)


async def stored_job(
    stores: JobStores,
    record: JobRecord,
    inputs: JobInputs,
    checkpoint: bytes | None = None,
    parts: Sequence[bytes] = (),
) -> Job:
    """A job on some inputs, from its checkpoint if it has one. Raises StorageUnavailable."""

    async def named(name: str | None) -> StoredPanelRef | None:
        return None if name is None else StoredPanelRef.of(await stores.inputs.panel(name))

    return Job(
        data=StoredPanelRef.of(await stores.inputs.panel(inputs.data)),
        kind=inputs.kind,
        benchmarks={s: StoredPanelRef.of(await stores.inputs.panel(name)) for s, name in inputs.benchmarks.items()},
        groups=inputs.groups,
        checkpoint=checkpoint,
        parts=tuple(parts),
        name=record.name,
        decisions=None if stores.decisions is None else stores.decisions.log(record),
        opens=await named(inputs.opens),
        actions=inputs.actions,
        volumes=await named(inputs.volumes),
        earlier=await named(inputs.earlier),
        labels=inputs.labels,
    )
