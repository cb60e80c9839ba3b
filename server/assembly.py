"""The parts of a server, made from its settings and its storage: what runs jobs, services, listeners, servicers."""

from dataclasses import replace
from functools import partial

from domain.records import dataclass
from server.converters.status import internal_error, status_from_error
from server.converters.sweep_request import score_of
from server.execution.executor import ClusterFirst, Executor
from server.execution.process_pool import ProcessPool
from server.execution.ray_cluster import RayCluster
from server.execution.small_tasks import SmallTasks
from server.execution.template import Template
from server.identity.api_keys import ApiKeys
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.jobs.sweep_run import SweepTasks
from server.listeners.actions import Actions
from server.listeners.change_feed import ChangeFeed
from server.listeners.event_sink import EventSink
from server.listeners.listening import Listening
from server.listeners.reading import Readings, WatchedStores
from server.listeners.recomputations import Recomputations
from server.observability import request_id
from server.ports.errors import Refused
from server.ports.job_queue import QueuePolicy
from server.ports.remote import RemoteServices, RemoteTargets
from server.ports.storage import Storage
from server.servicers.admin import AdminServicer
from server.servicers.backtests import BacktestServicer
from server.servicers.events import EventServicer
from server.servicers.liquidity import LiquidityServicer
from server.servicers.market_data import MarketDataServicer
from server.servicers.optimization import OptimizationServicer
from server.servicers.portfolios import PortfolioServicer
from server.servicers.reading import Requests
from server.servicers.reallocation import ReallocationServicer
from server.servicers.risk import RiskServicer
from server.services.audit import AuditLog
from server.services.backtests import Backtests
from server.services.event_delivery import EventDelivery
from server.services.fills import Fills
from server.services.liquidity import Liquidity
from server.services.market_data import MarketData
from server.services.market_metrics import MarketMetrics
from server.services.operation import Operation
from server.services.optimization.batch import OPTIMIZE, REALLOCATE, Batch
from server.services.optimization.frontier import Frontier
from server.services.optimization.optimize import Optimization
from server.services.portfolios import Portfolios
from server.services.reallocation import ReallocationService
from server.services.risk import Risk
from server.services.sweeps import Sweeps
from server.settings import Settings
from server.storage.scratch import write_value
from server.tasks import backtest, sweep, sweep_parts

JOB_NICENESS = 10


@dataclass(frozen=True, slots=True)
class Jobs:
    """What runs and follows jobs."""

    progress: Progress
    runner: Runner


@dataclass(frozen=True, slots=True)
class Services:
    """What servicers and listeners both use."""

    market_data: MarketData
    optimization: Optimization
    risk: Risk
    reallocations: ReallocationService
    backtests: Backtests
    sweeps: Sweeps


def queue_policy(settings: Settings) -> QueuePolicy:
    """How jobs are queued."""
    return QueuePolicy(
        short_seconds=settings.short_job_seconds,
        slice_seconds=settings.job_slice_seconds,
        max_queued=settings.max_queued_jobs,
        max_running=settings.max_running_jobs,
        max_job_seconds=settings.max_job_seconds,
    )


def remote_authority(settings: Settings) -> bytes | None:
    """Who signs the certificates of services outside (PEM); None where they are called in clear text."""
    return settings.remote_authority.read_bytes() if settings.remote_authority else None


def jobs_of(
    settings: Settings, storage: Storage, policy: QueuePolicy, template: Template, cluster: RayCluster | None
) -> Jobs:
    """The runner of jobs, on a cluster or with worker processes of its own."""
    progress = Progress(storage.jobs.archive, storage.jobs.log)
    runner = Runner(
        # No service outside decides on a cluster, so a node needs nothing of the store.
        replace(storage.jobs, decisions=None) if cluster else storage.jobs,
        progress,
        # A pool of their own, which gives way: jobs shall not keep a caller of Optimize waiting.
        cluster or _pool_of_jobs(settings, template),
        storage.worker,
        (lambda: cluster.processors) if cluster else settings.workers,
        run=partial(
            backtest.run,
            strategy_targets=settings.strategy_targets,
            remote_authority=remote_authority(settings),
        ),
        sweep=SweepTasks(
            sweep_parts.run_trials, sweep.died, sweep_parts.conclude, score_of, storage.new_file, write_value
        ),
        encode_error=_error_to_bytes,
        policy=policy,
    )
    return Jobs(progress, runner)


def _pool_of_jobs(settings: Settings, template: Template) -> ProcessPool:
    """Worker processes that give way to those of calls; the runner says what is repeated."""
    return ProcessPool(
        settings.workers,
        niceness=JOB_NICENESS,
        growth=1,
        template=template,
        retries=0,
        max_memory_bytes=settings.limits.request_memory_bytes,
    )


def services_of(
    settings: Settings, storage: Storage, pool: ProcessPool, small: SmallTasks, jobs: Jobs, remote: RemoteServices
) -> Services:
    """Each service over the stores that it reads and writes."""
    market_data = MarketData(storage.market_data, storage.corporate_actions, storage.published)
    return Services(
        market_data=market_data,
        optimization=Optimization(market_data, storage.optimizations, pool, small),
        risk=Risk(market_data, pool),
        reallocations=ReallocationService(
            market_data,
            storage.portfolios,
            storage.reallocations,
            pool,
            remote=remote,
            targets=RemoteTargets(settings.liquidity_target, settings.strategy_targets),
        ),
        backtests=Backtests(
            market_data, storage.jobs, pool, jobs.runner, jobs.progress, strategy_targets=settings.strategy_targets
        ),
        sweeps=Sweeps(market_data, storage.jobs, pool, jobs.runner, jobs.progress),
    )


def listening_of(
    settings: Settings, storage: Storage, services: Services, delivery: EventDelivery | None
) -> Listening | None:
    """What follows changes; None where the store keeps none, or another server is to follow them."""
    if not settings.events or storage.changes is None or storage.events is None or delivery is None:
        return None
    actions = Actions(
        storage.portfolios,
        storage.jobs,
        services.market_data,
        optimization=services.optimization,
        reallocations=services.reallocations,
        risk=services.risk,
        backtests=services.backtests,
    )
    events = storage.events
    sink = EventSink(delivery.deliverer is not None, delivery.stored)
    work = Recomputations(events.recomputations, events.log, actions.do, storage.worker, settings.workers, sink=sink)
    stores = WatchedStores(
        storage.market_data,
        storage.corporate_actions,
        storage.portfolios,
        storage.optimizations,
        storage.published,
        storage.stale_results,
    )
    feed = ChangeFeed(
        storage.changes,
        events.listener,
        Readings(stores),
        storage.worker,
        log=events.log,
        on_recomputations=work.wake,
        sink=sink,
        notices=storage.notices,
    )
    return Listening(storage, feed, work)


def servicers_of(
    settings: Settings,
    storage: Storage,
    pool: ProcessPool,
    services: Services,
    delivery: EventDelivery | None,
    api_keys: ApiKeys,
    operation: Operation,
    audit: AuditLog,
    cluster: RayCluster | None,
) -> dict[str, object]:
    """The servicers by the name of their service in the contract."""
    market_data, reallocations = services.market_data, services.reallocations
    requests = Requests(pool)
    shared_out: Executor = ClusterFirst(cluster, pool) if cluster else pool
    frontier = Frontier(market_data, pool, shared_out)
    new_batch = partial(
        Batch, pool=pool, shared_out=shared_out, new_file=storage.new_file, idle_seconds=settings.stream_idle_seconds
    )
    batch = new_batch(OPTIMIZE, lambda _, request, known: market_data.collect(request, known))
    plans = new_batch(REALLOCATE, reallocations.collect_stored)
    events = {"EventService": EventServicer(delivery.events, requests)} if delivery else {}
    return {
        "AdminService": AdminServicer(api_keys, operation, audit, requests),
        "OptimizationService": OptimizationServicer(services.optimization, frontier, batch, requests),
        "RiskService": RiskServicer(services.risk),
        "MarketDataService": MarketDataServicer(market_data, MarketMetrics(market_data, pool), requests),
        "LiquidityService": LiquidityServicer(Liquidity(market_data, pool)),
        "BacktestService": BacktestServicer(services.backtests, services.sweeps, requests),
        "PortfolioService": PortfolioServicer(Portfolios(storage.portfolios), requests),
        "ReallocationService": ReallocationServicer(reallocations, plans, Fills(storage.fills, pool), requests),
        **events,
    }


def _error_to_bytes(error: Exception) -> bytes:
    """The status of an error that is a value."""
    if isinstance(error, Refused):
        return error.status
    status = status_from_error(error) or internal_error(request_id.get())
    encoded: bytes = status.SerializeToString()
    return encoded
