"""All stores of jobs of a project, and what keeps them in order."""

from collections.abc import Mapping

from domain.records import dataclass
from server.ports.errors import StorageUnavailable
from server.ports.job_queue import QueuePolicy
from server.ports.job_stores import JobStores
from server.ports.storage import CleanupTask
from server.settings import Settings
from server.storage.panels import PanelFiles
from server.storage.supabase.access import Access
from server.storage.supabase.decisions import SupabaseDecisions
from server.storage.supabase.job_inputs import SupabaseJobInputs
from server.storage.supabase.job_log import SupabaseJobLog
from server.storage.supabase.job_queue import SupabaseJobQueue
from server.storage.supabase.job_retention import JobRetention
from server.storage.supabase.jobs import SupabaseJobs
from server.storage.supabase.rpc import Rpc, SyncRpc
from server.storage.supabase.tried_trials import SupabaseTriedTrials
from server.storage.workers import WorkerLocks


@dataclass(frozen=True, slots=True)
class ProjectJobs:
    """The jobs of a project, as one of its servers works on them."""

    stores: JobStores
    cleanup: Mapping[str, CleanupTask]
    access: Access
    worker: WorkerLocks

    def release_worker(self) -> None:
        """Ends the worker of this server: others may take its jobs over at once."""
        self.worker.close()
        rpc = SyncRpc(self.access, patience_seconds=0.0)
        try:
            rpc.call("end_backtest_leases", p_worker=self.worker.own)
        except StorageUnavailable:
            pass  # its leases run out
        finally:
            rpc.close()


def open_jobs(
    rpc: Rpc, access: Access, panels: PanelFiles, worker: WorkerLocks, settings: Settings, policy: QueuePolicy
) -> ProjectJobs:
    """Opens the stores of jobs."""
    inputs = SupabaseJobInputs(rpc, panels)
    stores = JobStores(
        archive=SupabaseJobs(rpc, panels),
        queue=SupabaseJobQueue(rpc, inputs, worker, settings.retained_events, policy),
        log=SupabaseJobLog(rpc, settings.retained_events),
        inputs=inputs,
        decisions=SupabaseDecisions(access),
        tried=SupabaseTriedTrials(rpc),
    )
    cleanup = {"old backtests": JobRetention(rpc, panels, settings.retention_days).sweep}
    return ProjectJobs(stores, cleanup, access, worker)
