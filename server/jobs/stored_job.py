"""What a worker needs for a backtest, from what the store has of its job."""

from server.jobs.backtest_run import Job
from server.ports.job_stores import JobStores
from server.ports.jobs import Claim, JobInputs, resource_name
from server.ports.panels import StoredPanelRef


async def stored_job(stores: JobStores, claim: Claim, inputs: JobInputs) -> Job:
    """A job on some inputs, from the checkpoint of a claim if it has one. Raises StorageUnavailable."""

    async def named(name: str | None) -> StoredPanelRef | None:
        return None if name is None else StoredPanelRef.of(await stores.inputs.panel(name))

    return Job(
        data=StoredPanelRef.of(await stores.inputs.panel(inputs.data)),
        kind=inputs.kind,
        benchmarks={s: StoredPanelRef.of(await stores.inputs.panel(name)) for s, name in inputs.benchmarks.items()},
        groups=inputs.groups,
        checkpoint=claim.checkpoint,
        parts=claim.parts,
        name=resource_name(claim.record.id),
        decisions=None if stores.decisions is None else stores.decisions.log(claim.record),
        opens=await named(inputs.opens),
        actions=inputs.actions,
        volumes=await named(inputs.volumes),
        earlier=await named(inputs.earlier),
        labels=inputs.labels,
    )
