"""Puts the server together: the only place that chooses adapters."""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import grpc
import protovalidate
from absfinance.v1.optimization_service_pb2 import GetOptimizationRequest

from server.app import App
from server.converters.status import internal_error, status_from_error
from server.execution.process_pool import ProcessPool
from server.execution.small_tasks import SmallTasks
from server.execution.template import Template
from server.identity.api_keys import ApiKeys
from server.identity.identification import Identification
from server.identity_settings import is_loopback
from server.interceptors.admission import Admission
from server.interceptors.authentication import Authentication, ClosedToStrangers
from server.interceptors.errors import Errors
from server.interceptors.handler_cache import HandlerCache
from server.interceptors.idle_limit import IdleLimit
from server.interceptors.log import CallLog
from server.interceptors.raw import RawMessages
from server.interceptors.request_context import RequestContext
from server.jobs.housekeeping import Housekeeping
from server.jobs.progress import Progress
from server.jobs.runner import Runner
from server.jobs.store_health import StoreHealth
from server.listeners.actions import Actions
from server.listeners.change_feed import ChangeFeed
from server.listeners.event_sink import EventSink
from server.listeners.health import ListenerHealth
from server.listeners.listening import Listening
from server.listeners.reading import Readings, WatchedStores
from server.listeners.recomputations import Recomputations
from server.notifications.log import log_notified
from server.notifications.webhook import Deliverer
from server.observability import configure_logging, logger, request_id
from server.ports.errors import Refused
from server.ports.events import EventDraft
from server.ports.job_queue import QueuePolicy
from server.ports.remote import RemoteServices, RemoteTargets
from server.ports.storage import Storage
from server.remote.services import GrpcServices
from server.security import check_authority, check_tls
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
from server.services.backtests import Backtests
from server.services.event_feed import EventFeed
from server.services.events import Events
from server.services.fills import Fills
from server.services.liquidity import Liquidity
from server.services.market_data import MarketData
from server.services.market_metrics import MarketMetrics
from server.services.optimization.batch import OPTIMIZE, REALLOCATE, Batch
from server.services.optimization.frontier import Frontier
from server.services.optimization.optimize import Optimization
from server.services.portfolios import Portfolios
from server.services.reallocation import ReallocationService
from server.services.risk import Risk
from server.settings import Settings, WrongSetting
from server.storage.embedded import factory as embedded
from server.tasks import backtest
from server.tasks.libraries import FIRST, LIBRARIES

JOB_NICENESS = 10


def _open_supabase(settings: Settings, policy: QueuePolicy) -> Storage:
    from server.storage.supabase import factory  # what it loads takes time and memory that others need not spend

    return factory.open_storage(settings, policy)


STORAGE_BACKENDS: Mapping[str, Callable[[Settings, QueuePolicy], Storage]] = {
    "embedded": embedded.open_storage,
    "supabase": _open_supabase,
}
"""By the value of ABSFIN_STORAGE."""

CUT_SECONDS = 1.0
"""How long calls that are cut may take to tell their callers."""


async def serve(settings: Settings, template: Template | None = None) -> None:
    """Runs a server until it is told to stop (SIGTERM or SIGINT), then drains. Raises WrongSetting.

    `template` may have been started ahead; it is closed with the server.
    """
    configure_logging(settings.log_level)
    for warning in _warnings(settings):
        logger.warning(warning)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    policy = _queue_policy(settings)
    storage = STORAGE_BACKENDS[settings.storage](settings, policy)
    template = template or Template(FIRST, LIBRARIES)
    pool = ProcessPool(settings.workers, template=template, max_seconds=settings.max_request_seconds)
    small = SmallTasks()
    jobs = _jobs(settings, storage, policy, template)
    admission = Admission(settings.max_concurrent_requests)
    api_keys = ApiKeys(storage.api_keys)
    identification = _identification(settings, api_keys)
    # Written order: cache of handlers, closed services, request context, log, errors, authentication, admission, idle
    # limit, raw messages.
    interceptors = (
        HandlerCache(), ClosedToStrangers(identification, _closed(settings)), RequestContext(), CallLog(), Errors(),
        Authentication(identification), admission, IdleLimit(settings.stream_idle_seconds), RawMessages(),
    )  # fmt: skip
    remote = GrpcServices(settings.max_remote_seconds, _remote_authority(settings))
    services = _services(settings, storage, pool, small, jobs, remote)
    telling = _telling(settings, storage)
    app = App(_servicers(settings, storage, pool, services, telling, api_keys), interceptors)
    listening = _listening(settings, storage, services, telling)
    listener_health = ListenerHealth(listening.health, app.listening) if listening else None
    housekeeping = Housekeeping(storage.cleanup)
    store_health = StoreHealth(storage.probe, app.serving) if storage.probe else None
    # The first validation compiles the contract's rules; better now than in a caller's time.
    protovalidate.collect_violations(GetOptimizationRequest())
    try:
        address = _bind(app.server, settings)
        await pool.start()
        if listener_health:
            await listener_health.start()
        await app.server.start()
        jobs.runner.start()
        housekeeping.start()
        if telling and telling.deliverer:
            telling.deliverer.start()
        if listening:
            listening.start()
        await app.serving(True)
        if store_health:
            store_health.start()
        gc.collect()
        gc.freeze()  # what was loaded stays: no collection has to visit it again
        print(f"abs-finance is ready on {address}, data in {_place(settings)}", flush=True)  # noqa: T201  # the one line
        await stop.wait()
        if store_health:
            await store_health.close()  # or it would say that a draining server serves
        if listener_health:
            await listener_health.close()
        await _drain(app, admission, jobs.progress, telling, settings.drain_seconds)
    finally:
        await remote.close()
        await housekeeping.close()
        if listening:
            await listening.close()
        if telling:
            await telling.close()
        await jobs.runner.close(1.0)
        storage.release_worker()
        await pool.close(1.0)
        await small.close(1.0)
        await identification.close()
        await template.close()
        await storage.disconnect()
        storage.close()


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


@dataclass(frozen=True, slots=True)
class Telling:
    """What tells callers and a webhook of events."""

    feed: EventFeed
    events: Events
    deliverer: Deliverer | None

    def stored(self, events: Sequence[EventDraft]) -> None:
        """This process has stored events: they are told at once."""
        for event in events:
            log_notified(event)
        self.feed.notice()
        if self.deliverer:
            self.deliverer.notice()

    async def close(self) -> None:
        """Ends the delivery and the reading of the log."""
        if self.deliverer:
            await self.deliverer.close()
        await self.feed.close()


def _telling(settings: Settings, storage: Storage) -> Telling | None:
    """None where the store keeps no events."""
    if storage.events is None:
        return None
    log, notifications = storage.events.log, storage.events.notifications
    feed = EventFeed(log)
    deliverer = None
    if settings.webhook:
        deliverer = Deliverer(notifications, storage.worker, settings.webhook, feed.notice)
    events = Events(log, notifications, feed, deliver=deliverer.notice if deliverer else None)
    return Telling(feed, events, deliverer)


def _warnings(settings: Settings) -> Iterator[str]:
    """What works and should not stay as it is. Raises WrongSetting for TLS files that cannot be used."""
    if settings.tls and (warning := check_tls(settings.tls)):
        yield warning
    if settings.remote_authority is not None:
        check_authority(settings.remote_authority, "--remote-ca (ABSFIN_REMOTE_CA)")
    host = settings.listen.rpartition(":")[0].strip("[]")
    if not settings.tls and not settings.listen.startswith("unix:") and not is_loopback(host):
        yield f"tokens and data cross the network without encryption to {settings.listen}: set --tls-cert and --tls-key"
    keys = urlsplit(settings.identity.jwks_url)
    if keys.scheme == "http" and not is_loopback(keys.hostname or ""):
        yield f"the keys of tokens come without encryption from {keys.hostname}: whoever can change them is anybody"
    hook = settings.webhook.parts if settings.webhook else None
    if hook and hook.scheme == "http" and not is_loopback(hook.hostname or ""):
        yield f"notifications cross the network without encryption to {hook.hostname}: use an address of https"


def _place(settings: Settings) -> str:
    """Where the data is."""
    return settings.supabase_url if settings.storage == "supabase" else str(settings.data_dir)


def _identification(settings: Settings, api_keys: ApiKeys) -> Identification:
    if "jwt" not in settings.identity.methods:
        return Identification(settings.identity, None, api_keys)
    from server.identity.tokens import tokens_of  # what it loads takes time and memory that others need not spend

    return Identification(settings.identity, tokens_of(settings.identity), api_keys)


def _closed(settings: Settings) -> tuple[str, ...]:
    """Beginnings of the methods beside the contract that strangers may not call."""
    if not settings.identity.methods:
        return ()
    health = () if settings.identity.open_health else ("/grpc.health.",)
    return health if settings.identity.open_reflection else (*health, "/grpc.reflection.")


def _queue_policy(settings: Settings) -> QueuePolicy:
    return QueuePolicy(
        short_seconds=settings.short_job_seconds,
        slice_seconds=settings.job_slice_seconds,
        max_queued=settings.max_queued_jobs,
        max_job_seconds=settings.max_job_seconds,
    )


def _remote_authority(settings: Settings) -> bytes | None:
    return settings.remote_authority.read_bytes() if settings.remote_authority else None


def _jobs(settings: Settings, storage: Storage, policy: QueuePolicy, template: Template) -> Jobs:
    progress = Progress(storage.jobs.archive, storage.jobs.log)
    runner = Runner(
        storage.jobs,
        progress,
        # A pool of their own, which gives way: jobs shall not keep a caller of Optimize waiting.
        ProcessPool(settings.workers, niceness=JOB_NICENESS, growth=1, template=template, retries=0),
        storage.worker,
        settings.workers,
        run=partial(
            backtest.run,
            strategy_targets=settings.strategy_targets,
            remote_authority=_remote_authority(settings),
        ),
        encode_error=_error_to_bytes,
        policy=policy,
    )
    return Jobs(progress, runner)


def _services(
    settings: Settings, storage: Storage, pool: ProcessPool, small: SmallTasks, jobs: Jobs, remote: RemoteServices
) -> Services:
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
    )


def _listening(settings: Settings, storage: Storage, services: Services, telling: Telling | None) -> Listening | None:
    """What follows changes; None where the store keeps none, or another server is to follow them."""
    if not settings.events or storage.changes is None or storage.events is None or telling is None:
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
    sink = EventSink(telling.deliverer is not None, telling.stored)
    work = Recomputations(events.recomputations, events.log, actions.do, storage.worker, settings.workers, sink=sink)
    stores = WatchedStores(storage.market_data, storage.corporate_actions, storage.portfolios, storage.optimizations)
    feed = ChangeFeed(
        storage.changes, events.listener, Readings(stores), storage.worker, on_recomputations=work.wake, sink=sink
    )
    return Listening(storage, feed, work)


def _servicers(
    settings: Settings,
    storage: Storage,
    pool: ProcessPool,
    services: Services,
    telling: Telling | None,
    api_keys: ApiKeys,
) -> dict[str, object]:
    market_data, reallocations = services.market_data, services.reallocations
    requests = Requests(pool)
    frontier = Frontier(market_data, pool)
    new_batch = partial(Batch, pool=pool, new_file=storage.new_file, idle_seconds=settings.stream_idle_seconds)
    batch = new_batch(OPTIMIZE, lambda _, request, known: market_data.collect(request, known))
    plans = new_batch(REALLOCATE, reallocations.collect_stored)
    events = {"EventService": EventServicer(telling.events, requests)} if telling else {}
    return {
        "AdminService": AdminServicer(api_keys, requests),
        "OptimizationService": OptimizationServicer(services.optimization, frontier, batch, requests),
        "RiskService": RiskServicer(services.risk),
        "MarketDataService": MarketDataServicer(market_data, MarketMetrics(market_data, pool), requests),
        "LiquidityService": LiquidityServicer(Liquidity(market_data, pool)),
        "BacktestService": BacktestServicer(services.backtests, requests),
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


def _bind(server: grpc.aio.Server, settings: Settings) -> str:
    tls = settings.tls
    _require_free(settings.listen)
    try:
        if tls is None:
            port = server.add_insecure_port(settings.listen)
        else:
            authority = tls.client_authority.read_bytes() if tls.client_authority else None
            pairs = [(tls.key.read_bytes(), tls.certificate.read_bytes())]
            credentials = grpc.ssl_server_credentials(pairs, authority, require_client_auth=authority is not None)
            port = server.add_secure_port(settings.listen, credentials)
    except RuntimeError:
        raise WrongSetting(f"--listen (ABSFIN_LISTEN) cannot be bound: is {settings.listen} in use?") from None
    return settings.listen if settings.listen.startswith("unix:") else f"{settings.listen.rpartition(':')[0]}:{port}"


def _require_free(listen: str) -> None:
    """Raises WrongSetting where an address cannot be bound; gRPC would write lines of its own about it."""
    if listen.startswith("unix:"):
        return
    host, _, port = listen.rpartition(":")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        hint = f"is {listen} in use?" if error.errno == errno.EADDRINUSE else f"{listen}: {error.strerror}"
        raise WrongSetting(f"--listen (ABSFIN_LISTEN) cannot be bound: {hint}") from None


async def _drain(app: App, admission: Admission, progress: Progress, telling: Telling | None, seconds: float) -> None:
    """Sets health to NOT_SERVING, refuses new calls, ends streams that follow, waits for calls in flight."""
    logger.info("draining", extra={"seconds": seconds})
    await app.serving(False)
    admission.drain()
    progress.drain()
    if telling:
        telling.events.drain()
    stopping = asyncio.ensure_future(app.server.stop(seconds + CUT_SECONDS))
    # Before the grace is over, so that callers hear why their call ends.
    await asyncio.wait({stopping}, timeout=seconds)
    admission.cut()
    await stopping
