"""Opens the Supabase backend: all stores of one project, and the files of this machine that are derived from it."""

import asyncio
from functools import partial

from server.ports.errors import StorageUnavailable
from server.ports.events import EventStores
from server.ports.job_queue import QueuePolicy
from server.ports.storage import Storage
from server.settings import Settings, WrongSetting
from server.storage.panels import PanelFiles
from server.storage.scratch import Scratch
from server.storage.supabase.access import Access
from server.storage.supabase.api_keys import SupabaseApiKeys
from server.storage.supabase.audit import SupabaseAudit
from server.storage.supabase.changes import SupabaseChanges
from server.storage.supabase.corporate_actions import SupabaseCorporateActions
from server.storage.supabase.event_retention import EventRetention
from server.storage.supabase.events import SupabaseEvents
from server.storage.supabase.fills import SupabaseFills
from server.storage.supabase.job_stores import open_jobs
from server.storage.supabase.listener import SupabaseListener
from server.storage.supabase.market_data import SupabaseMarketData
from server.storage.supabase.notifications import SupabaseNotifications
from server.storage.supabase.portfolios import SupabasePortfolios
from server.storage.supabase.published import SupabasePublished
from server.storage.supabase.realtime import RealtimeNotices
from server.storage.supabase.recomputations import SupabaseRecomputations
from server.storage.supabase.results import SupabaseResults
from server.storage.supabase.retention import ResultRetention
from server.storage.supabase.rpc import Rpc, SyncRpc
from server.storage.supabase.schema import UnknownSchema, require_schema
from server.storage.supabase.stale_results import SupabaseStaleResults
from server.storage.supabase.transfer import SupabaseTransfer
from server.storage.workers import WorkerLocks


def open_storage(settings: Settings, policy: QueuePolicy) -> Storage:
    """Opens the stores of a project. Raises WrongSetting where it cannot be used."""
    access = Access(settings.supabase_url, settings.supabase_key)
    starting = SyncRpc(access)
    try:
        require_schema(starting)
        return _open(settings, policy, access)
    except (StorageUnavailable, UnknownSchema) as error:
        where = f"--supabase-url (SUPABASE_URL) cannot be used: {settings.supabase_url}"
        raise WrongSetting(f"{where}: {error}") from None
    except OSError as error:
        where = f"{error.filename or settings.data_dir}: {error.strerror}"
        raise WrongSetting(f"--data-dir (ABSFIN_DATA_DIR) cannot be used: {where}") from None
    finally:
        starting.close()


def _open(settings: Settings, policy: QueuePolicy, access: Access) -> Storage:
    folder = settings.data_dir
    rpc = Rpc(access)
    locks = WorkerLocks(folder / "workers")
    scratch = Scratch(folder / "scratch", locks)
    panels = PanelFiles(folder / "panels")
    market_data = SupabaseMarketData(rpc, panels, folder / "staging")
    jobs = open_jobs(rpc, access, panels, locks, settings, policy)
    changes, listener = SupabaseChanges(rpc), SupabaseListener(rpc)
    audit = SupabaseAudit(rpc, settings.audit)
    return Storage(
        # market data
        market_data=market_data,
        corporate_actions=SupabaseCorporateActions(rpc),
        # portfolios, fills and results
        portfolios=SupabasePortfolios(rpc),
        fills=SupabaseFills(rpc),
        optimizations=SupabaseResults(rpc, "optimization"),
        reallocations=SupabaseResults(rpc, "reallocation"),
        # jobs
        jobs=jobs.stores,
        # changes, and what follows from them
        changes=changes,
        events=EventStores(
            log=SupabaseEvents(rpc),
            notifications=SupabaseNotifications(rpc),
            recomputations=SupabaseRecomputations(rpc),
            listener=listener,
        ),
        notices=RealtimeNotices(settings.realtime_url, lambda: access.key) if settings.realtime_url else None,
        published=SupabasePublished(rpc),
        stale_results=SupabaseStaleResults(rpc),
        when_written=rpc.when_written,
        when_timed=rpc.when_timed,
        # what every part shares
        api_keys=SupabaseApiKeys(rpc),
        audit=audit,
        transfer=SupabaseTransfer(rpc),
        worker=locks.own,
        new_file=scratch.file,
        cleanup={
            "imports": market_data.sweep,
            "scratch": partial(asyncio.to_thread, scratch.sweep),
            "results": ResultRetention(rpc, settings.retention_days).sweep,
            "events": EventRetention(rpc, changes, listener).sweep,
            "audit": audit.sweep,
            **jobs.cleanup,
        },
        release_worker=jobs.release_worker,
        close=_nothing,
        probe=partial(_probe, rpc),
        disconnect=rpc.close,
    )


def _nothing() -> None:
    """Everything is closed by `disconnect`."""


async def _probe(rpc: Rpc) -> None:
    await rpc.call("get_schema_versions")
