"""The queue of jobs on Supabase: one for all servers of the project, by the clock of the database."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from server.ports.errors import StorageUnavailable
from server.ports.job_queue import QueuePolicy, QueueSnapshot, WaitingJob
from server.ports.jobs import Claim, JobDraft, JobRecord, JobTick, JobView
from server.ports.scope import Scope
from server.storage.job_inputs import actions_to_json, inputs_to_json
from server.storage.job_refusals import RESTARTED, RESUMED, queue_full
from server.storage.supabase.access import read_in_thread_if_large, text_of
from server.storage.supabase.errors import FunctionRefused
from server.storage.supabase.frames import Frame
from server.storage.supabase.job_inputs import SupabaseJobInputs
from server.storage.supabase.job_rows import job_of, owned_job_of, require_own, tick_argument, view_of
from server.storage.supabase.rpc import Rpc
from server.storage.supabase.used_data import used_argument
from server.storage.supabase.write_tokens import write_token
from server.storage.texts import kept_text, text_of_kept
from server.storage.workers import WorkerLocks

TRIES = 4
"""Data may be deleted with its last job between its upload and the job that needs it; then it is sent again."""

RECOVERY_SECONDS = 5.0
"""After the database could not be reached, no job is taken from another worker for so long: its lease may have passed
only because it could not be renewed."""


class SupabaseJobQueue:
    """Jobs of everybody that wait for a worker, and who runs them."""

    def __init__(
        self, rpc: Rpc, inputs: SupabaseJobInputs, workers: WorkerLocks, retained_events: int, policy: QueuePolicy
    ) -> None:
        self._rpc = rpc
        self._inputs = inputs
        self._workers = workers
        self._retained = retained_events
        self._policy = policy
        self._gone: set[str] = set()  # workers of this machine whose end the database does not know yet
        self._unreachable = float("-inf")  # when the database last was, by time.monotonic

    async def enqueue(self, owner: str, draft: JobDraft) -> JobRecord:
        """Stores a job, and before it the data that it needs and that is not there."""
        job = await asyncio.to_thread(_argument_of, draft)
        for _ in range(TRIES):
            try:
                return await self._stored(owner, job)
            except FunctionRefused as refused:
                if refused.reason != "INPUTS_MISSING":
                    raise
                missing = refused.detail["names"]
            for name in missing:
                await self._inputs.send(name, draft.panels[name])
        raise StorageUnavailable("the data of the backtest was deleted whenever it had been stored; send it again")

    async def cancel(self, owner: str, job_id: str) -> JobView:
        """Ends a job at once: whoever still works on it has lost its claim."""
        data = await self._rpc.read_bytes(
            "cancel_backtest", p_owner=owner, p_id=job_id, p_write=write_token(), p_retained=self._retained
        )
        view = await view_of(data, job_id)
        require_own(view.record, Scope(owner))
        return view

    async def claim(self, worker: str, lease_seconds: float) -> Claim | None:
        """Takes the job that is next."""
        with self._noticing_absence():
            await self._tell_who_is_gone()
            data = await self._rpc.read_bytes(
                "claim_backtest",
                p_worker=worker,
                p_write=write_token(),
                p_lease_seconds=lease_seconds,
                p_short_seconds=self._policy.short_seconds,
                p_patience_seconds=10.0 * self._policy.slice_seconds,
                p_max_running=self._policy.max_running,
                p_take_over=time.monotonic() - self._unreachable > RECOVERY_SECONDS,
                p_resumed=RESUMED,
                p_restarted=RESTARTED,
                p_retained=self._retained,
            )
        return await read_in_thread_if_large(_claim_of, data)

    async def queue(self, worker: str) -> QueueSnapshot:
        """What waits and what runs."""
        found = await self._rpc.call("read_backtest_queue", p_short_seconds=self._policy.short_seconds)
        waiting = tuple(
            WaitingJob(one["key"], text_of_kept(one["caller"]), one["is_long"], float(one["waited_seconds"]))
            for one in found["waiting"]
        )
        return QueueSnapshot(waiting, {text_of_kept(caller): count for caller, count in found["running"].items()})

    async def heartbeat(
        self, worker: str, jobs: Sequence[int], lease_seconds: float, ticks: Mapping[int, JobTick]
    ) -> frozenset[int]:
        """Renews leases."""
        if not jobs:
            return frozenset()
        with self._noticing_absence():
            held = await self._rpc.call(
                "renew_backtest_leases",
                p_worker=worker,
                p_keys=list(jobs),
                p_lease_seconds=lease_seconds,
                p_ticks={str(key): tick_argument(tick) for key, tick in ticks.items()},
            )
        return frozenset(held)

    async def release(self, claim: JobRecord, *, crashed: bool, yielded: bool = False) -> None:
        """Gives a job back."""
        await self._rpc.call(
            "release_backtest",
            p_key=claim.key,
            p_worker=claim.worker,
            p_attempt=claim.attempt,
            p_write=write_token(),
            p_crashed=crashed,
            p_yielded=yielded,
        )

    @contextlib.contextmanager
    def _noticing_absence(self) -> Iterator[None]:
        """Notes when the database was last away, whoever finds that: a server with no free place claims nothing."""
        try:
            yield
        except StorageUnavailable:
            self._unreachable = time.monotonic()
            raise

    async def _stored(self, owner: str, job: Mapping[str, object]) -> JobRecord:
        try:
            data = await self._rpc.read_bytes(
                "enqueue_backtest", p_owner=owner, p_job=job, p_max_queued=self._policy.max_queued
            )
        except FunctionRefused as refused:
            if refused.reason == "QUEUE_FULL":
                raise queue_full(refused.detail["queued"]) from None
            raise
        record = await owned_job_of(data, owner)
        if record is None:
            raise StorageUnavailable("the backtest was deleted in the moment in which it was found; try again")
        return record

    async def _tell_who_is_gone(self) -> None:
        """Ends the leases of workers that locks of this machine prove to be gone; others wait for theirs to pass."""
        self._gone |= await asyncio.to_thread(self._workers.take_gone)
        for worker in tuple(self._gone):
            await self._rpc.call("end_backtest_leases", p_worker=worker)
            self._gone.discard(worker)


def _argument_of(draft: JobDraft) -> dict[str, object]:
    """A job as absfin.enqueue_backtest takes it, under the same name whenever it is sent."""
    return {
        "id": draft.id or secrets.token_hex(10),
        "request_id": None if draft.request_id is None else kept_text(draft.request_id),
        "body": text_of(draft.body),
        "label": kept_text(draft.label),
        "caller": kept_text(draft.caller),
        "traceparent": draft.traceparent,
        "epoch": secrets.token_hex(8),
        "fingerprint": draft.fingerprint,
        "cost_estimate": draft.cost_estimate,
        "inputs": inputs_to_json(replace(draft.inputs, actions=())),
        "actions": actions_to_json(draft.inputs.actions),
        "request": text_of(draft.request),
        "names": sorted(draft.panels),
        "used": used_argument(draft.used),
    }


def _claim_of(data: bytes) -> Claim | None:
    """A claim; None where there is no job."""
    frame = Frame(data)
    found = frame.header
    if found is None:
        return None
    checkpoint = None if found["checkpoint"] is None else frame.take(found["checkpoint"])
    return Claim(job_of(frame), checkpoint, float(found["waited_seconds"]))
