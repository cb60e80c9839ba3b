"""Opens the embedded backend: all stores of one data folder."""

import asyncio
from functools import partial

from server.ports.errors import StorageFull, StorageUnavailable
from server.ports.events import EventStores
from server.ports.job_queue import QueuePolicy
from server.ports.job_stores import JobStores
from server.ports.storage import Storage
from server.settings import DATABASE_NAME, Settings, WrongSetting
from server.storage.embedded.api_keys import EmbeddedApiKeys
from server.storage.embedded.audit import EmbeddedAudit
from server.storage.embedded.backtests import EmbeddedBacktests
from server.storage.embedded.changes import EmbeddedChanges
from server.storage.embedded.corporate_actions import EmbeddedCorporateActions
from server.storage.embedded.database import Database, UnknownSchema
from server.storage.embedded.decisions import EmbeddedDecisions
from server.storage.embedded.event_retention import EventRetention
from server.storage.embedded.events import EmbeddedEvents
from server.storage.embedded.fills import EmbeddedFills
from server.storage.embedded.listener import EmbeddedListener
from server.storage.embedded.market_data import EmbeddedMarketData
from server.storage.embedded.notifications import EmbeddedNotifications
from server.storage.embedded.portfolios import EmbeddedPortfolios
from server.storage.embedded.published import EmbeddedPublished
from server.storage.embedded.recomputations import EmbeddedRecomputations
from server.storage.embedded.results import EmbeddedResults
from server.storage.embedded.retention import Retention
from server.storage.embedded.room import StorageLimits
from server.storage.embedded.stale_results import EmbeddedStaleResults
from server.storage.embedded.transfer import EmbeddedTransfer
from server.storage.embedded.tried_trials import EmbeddedTriedTrials
from server.storage.panels import PanelFiles
from server.storage.scratch import Scratch
from server.storage.workers import WorkerLocks


def open_storage(settings: Settings, policy: QueuePolicy) -> Storage:
    """Opens the stores of the data folder. Raises WrongSetting where it cannot be used."""
    folder = settings.data_dir
    try:
        return _open(settings, policy)
    except (StorageFull, StorageUnavailable, UnknownSchema) as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise WrongSetting(f"--data-dir (ABSFIN_DATA_DIR) cannot be used: {folder}: {error}{cause}") from None
    except OSError as error:
        where = error.filename or folder
        raise WrongSetting(f"--data-dir (ABSFIN_DATA_DIR) cannot be used: {where}: {error.strerror}") from None


def _open(settings: Settings, policy: QueuePolicy) -> Storage:
    folder = settings.data_dir
    limits = StorageLimits(settings.max_storage_bytes, settings.min_free_bytes)
    database = Database(folder / DATABASE_NAME, limits)
    locks = WorkerLocks(folder / "workers")
    scratch = Scratch(folder / "scratch", locks)
    if settings.max_storage_bytes:
        panels = PanelFiles(folder / "panels", limits.panel_bytes, hard=True)
    else:
        panels = PanelFiles(folder / "panels")
    market_data = EmbeddedMarketData(database, panels, locks)
    backtests = EmbeddedBacktests(database, panels, locks, settings.retained_events, policy)
    changes, listener = EmbeddedChanges(database), EmbeddedListener(database)
    audit = EmbeddedAudit(database, settings.audit)
    return Storage(
        market_data=market_data,
        corporate_actions=EmbeddedCorporateActions(database),
        portfolios=EmbeddedPortfolios(database),
        fills=EmbeddedFills(database),
        api_keys=EmbeddedApiKeys(database),
        audit=audit,
        transfer=EmbeddedTransfer(database),
        optimizations=EmbeddedResults(database, "optimization"),
        reallocations=EmbeddedResults(database, "reallocation"),
        jobs=JobStores(
            archive=backtests,
            queue=backtests,
            log=backtests,
            inputs=backtests,
            decisions=EmbeddedDecisions(database.path),
            tried=EmbeddedTriedTrials(database),
        ),
        changes=changes,
        events=EventStores(
            log=EmbeddedEvents(database),
            notifications=EmbeddedNotifications(database),
            recomputations=EmbeddedRecomputations(database),
            listener=listener,
        ),
        published=EmbeddedPublished(database, market_data.imports),
        stale_results=EmbeddedStaleResults(database),
        worker=locks.own,
        new_file=scratch.file,
        cleanup={
            "imports": market_data.sweep,
            "scratch": partial(asyncio.to_thread, scratch.sweep),
            "workers": partial(asyncio.to_thread, locks.sweep),
            "retention": Retention(database, panels, settings.retention_days).sweep,
            "events": EventRetention(database, changes, listener).sweep,
            "audit": audit.sweep,
        },
        when_written=database.when_written,
        when_timed=database.when_timed,
        release_worker=locks.close,
        close=database.close,
    )
