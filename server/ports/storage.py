"""A storage backend as the server sees it: its stores, and what keeps them in order."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from domain.records import dataclass
from server.ports.audit import AuditStore
from server.ports.changes import ChangeLog
from server.ports.corporate_actions import CorporateActionStore
from server.ports.events import EventStores
from server.ports.fills import FillStore
from server.ports.identity import ApiKeyStore
from server.ports.job_stores import JobStores
from server.ports.market_data import MarketDataStore
from server.ports.notices import ChangeNotices
from server.ports.portfolios import PortfolioStore
from server.ports.published import PublishedPrices
from server.ports.results import ResultStore
from server.ports.stale_results import StaleResults
from server.ports.transfer import TransferStore

CleanupTask = Callable[[], Awaitable[object]]


async def _nothing() -> None:
    """What a store on this machine has to do for what only a distant one needs."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The open stores of one backend."""

    market_data: MarketDataStore
    corporate_actions: CorporateActionStore
    portfolios: PortfolioStore
    fills: FillStore
    api_keys: ApiKeyStore
    audit: AuditStore
    optimizations: ResultStore
    reallocations: ResultStore
    jobs: JobStores
    transfer: TransferStore  # for a copy of the store
    worker: str  # the name under which this process claims jobs
    new_file: Callable[[], AbstractAsyncContextManager[Path]]  # an empty file, removed with the call that uses it
    cleanup: Mapping[str, CleanupTask]  # by name; run from time to time
    release_worker: Callable[[], None]  # from then on others may take over the jobs of this process
    close: Callable[[], None]
    # Raises StorageUnavailable where the store cannot be used now; asked from time to time. None: it is always there.
    probe: Callable[[], Awaitable[None]] | None = None
    # None where a store does not keep them yet.
    changes: ChangeLog | None = None
    events: EventStores | None = None
    published: PublishedPrices | None = None
    stale_results: StaleResults | None = None
    # Calls back, in any thread, after writes of this process that may have changed something. None: nothing is told.
    when_written: Callable[[Callable[[], None]], None] | None = None
    # Calls back, in any thread, after each use of the store: what was done, of few words, and the seconds it took.
    when_timed: Callable[[Callable[[str, float], None]], None] | None = None
    notices: ChangeNotices | None = None  # of writes of other processes; None: nobody announces them
    disconnect: Callable[[], Awaitable[None]] = _nothing  # before `close`, while the event loop runs
