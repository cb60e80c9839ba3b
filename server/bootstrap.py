"""Puts the server together: the only place that chooses adapters."""

import asyncio
import gc
import math
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import protovalidate
from absfinance.v1.optimization_service_pb2 import GetOptimizationRequest

from domain.checks import MOST_ASSETS
from server import tracing
from server.app import MAX_MESSAGE_BYTES, App
from server.assembly import Jobs, jobs_of, listening_of, queue_policy, remote_authority, servicers_of, services_of
from server.binding import bind, web_socket
from server.execution.process_pool import ProcessPool
from server.execution.ray_cluster import ClusterUnusable, RayCluster
from server.execution.small_tasks import SmallTasks
from server.execution.template import Template
from server.identity.api_keys import ApiKeys
from server.identity.identification import Identification
from server.interceptors.admission import Admission
from server.interceptors.audit import Audit
from server.interceptors.authentication import Authentication, ClosedToStrangers
from server.interceptors.call_interceptor import CallInterceptor
from server.interceptors.errors import Errors
from server.interceptors.handler_cache import HandlerCache
from server.interceptors.idle_limit import IdleLimit
from server.interceptors.log import CallLog
from server.interceptors.metrics import CallMetrics
from server.interceptors.raw import RawMessages
from server.interceptors.request_context import RequestContext
from server.interceptors.traces import CallTraces
from server.jobs.housekeeping import Housekeeping
from server.jobs.runner import Runner
from server.jobs.store_health import StoreHealth
from server.listeners.health import ListenerHealth, ListenerReport
from server.observability import configure_logging, logger
from server.ports.job_queue import QueuePolicy
from server.ports.operation import ServerLimits
from server.ports.storage import Storage
from server.remote.services import GrpcServices
from server.security import security_warnings
from server.services.audit import AuditLog
from server.services.event_delivery import EventDelivery, event_delivery
from server.services.operation import Calls, Operation
from server.settings import Settings, WrongSetting
from server.storage.embedded import factory as embedded
from server.tasks.libraries import FIRST, LIBRARIES
from server.telemetry_settings import INSTALL, NOT_INSTALLED
from server.version import version_of
from server.web.pages import WrongPages, read_pages
from server.web.process import WebListener, WebProcess

if TYPE_CHECKING:
    from server.telemetry.telemetry import Telemetry


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


class Stop:
    """Whether the server was asked to end, and how long calls may then take."""

    def __init__(self, seconds: float) -> None:
        self.asked = asyncio.Event()
        self._seconds = seconds
        self._until = math.inf
        self._sooner = asyncio.Event()

    def ask(self, seconds: float | None = None) -> None:
        """Says how long; without `seconds`, the settings do. Who asks later may only shorten it."""
        until = time.monotonic() + (self._seconds if seconds is None else seconds)
        if until < self._until:
            self._until = until
            self._sooner.set()
        self.asked.set()

    @property
    def seconds_left(self) -> float:
        """That calls may still take; 0 once they are over."""
        return max(0.0, self._until - time.monotonic())

    async def over(self) -> None:
        """Waits until calls have had their time."""
        while left := self.seconds_left:
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._sooner.wait()


async def serve(settings: Settings, template: Template | None = None) -> None:
    """Runs a server until it is told to stop (SIGTERM or SIGINT), then drains. Raises WrongSetting.

    `template` may have been started ahead; it is closed with the server.
    """
    configure_logging(settings.log_level)
    for warning in security_warnings(settings):
        logger.warning(warning)
    stop = Stop(settings.drain_seconds)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.ask)
    policy = queue_policy(settings)
    telemetry = _telemetry(settings)
    tracing.install(telemetry.tracer if telemetry else None)
    cluster = await _cluster(settings)
    storage = STORAGE_BACKENDS[settings.storage](settings, policy)
    template = template or Template(FIRST, LIBRARIES)
    pool = ProcessPool(
        settings.workers,
        template=template,
        max_seconds=settings.max_request_seconds,
        max_memory_bytes=settings.limits.request_memory_bytes,
    )
    small = SmallTasks()
    jobs = jobs_of(settings, storage, policy, template, cluster)
    admission = Admission(settings.max_concurrent_requests, settings.limits)
    api_keys = ApiKeys(storage.api_keys)
    identification = _identification(settings, api_keys)
    audit = AuditLog(storage.audit)
    # Written order: cache of handlers, closed services, request context, log, metrics, errors, audit log,
    # authentication, admission, idle limit, raw messages.
    interceptors = (
        HandlerCache(), ClosedToStrangers(identification, _closed(settings)), RequestContext(), CallLog(),
        *_metrics(telemetry), Errors(), Audit(audit, asks_who_calls=bool(settings.identity.methods)),
        Authentication(identification), admission, IdleLimit(settings.stream_idle_seconds), RawMessages(),
    )  # fmt: skip
    remote = GrpcServices(settings.max_remote_seconds, remote_authority(settings))
    services = services_of(settings, storage, pool, small, jobs, remote)
    delivery = event_delivery(settings, storage)
    operation = _operation(settings, storage, jobs.runner, admission, stop)
    age = settings.max_connection_age_seconds
    app = App(
        servicers_of(settings, storage, pool, services, delivery, api_keys, operation, audit, cluster),
        interceptors,
        age,
    )
    listening = listening_of(settings, storage, services, delivery)
    told = _measured(telemetry, pool, jobs.runner, storage, app.listening)
    listener_health = ListenerHealth(listening.health, told) if listening else None
    housekeeping = Housekeeping(storage.cleanup)
    store_health = StoreHealth(storage.probe, app.serving) if storage.probe else None
    # The first validation compiles the contract's rules; better now than in a caller's time.
    protovalidate.collect_violations(GetOptimizationRequest())
    web = None
    try:
        address = bind(app.server, settings)
        if web := _web(settings):
            app.server.add_insecure_port(web.target)
        await pool.start()
        if listener_health:
            await listener_health.start()
        await app.server.start()
        jobs.runner.start()
        housekeeping.start()
        if delivery and delivery.deliverer:
            delivery.deliverer.start()
        if listening:
            listening.start()
        if web:
            web.start()
        await app.serving(True)
        if store_health:
            store_health.start()
        gc.collect()
        gc.freeze()  # what was loaded stays: no collection has to visit it again
        browsers = f", browsers on {web.url}" if web else ""
        print(  # noqa: T201  # the one line
            f"abs-finance is ready on {address}, data in {_place(settings)}{browsers}", flush=True
        )
        await stop.asked.wait()
        if store_health:
            await store_health.close()  # or it would say that a draining server serves
        if listener_health:
            await listener_health.close()
        await _drain(app, admission, jobs, delivery, audit, stop)
    finally:
        if web:
            await web.close()
        await remote.close()
        await housekeeping.close()
        if listening:
            await listening.close()
        if delivery:
            await delivery.close()
        await jobs.runner.close(1.0)
        storage.release_worker()
        await pool.close(1.0)
        await small.close(1.0)
        await audit.close()
        await identification.close()
        await template.close()
        await storage.disconnect()
        storage.close()
        if telemetry:
            await asyncio.to_thread(telemetry.close)


def _operation(settings: Settings, storage: Storage, runner: Runner, admission: Admission, stop: Stop) -> Operation:
    """What admins ask of the server."""
    limits = ServerLimits(
        MAX_MESSAGE_BYTES, settings.max_concurrent_requests, MOST_ASSETS, settings.max_request_seconds
    )
    return Operation(
        limits,
        Calls(lambda: admission.running, admission.quotas),
        storage.jobs,
        runner,
        worker=storage.worker,
        max_queued=settings.max_queued_jobs,
        max_running=settings.max_running_jobs,
        max_memory_bytes=settings.limits.request_memory_bytes,
        stop=stop.ask,
    )


def _telemetry(settings: Settings) -> "Telemetry | None":
    """What measures; it listens already. Raises WrongSetting."""
    if settings.telemetry is None:
        return None
    if not settings.telemetry.is_installed:
        logger.warning(f"{NOT_INSTALLED}: {INSTALL}")
        return None
    from server.telemetry.telemetry import Telemetry  # what it loads takes time and memory that others need not spend

    telemetry = Telemetry(settings.telemetry, version_of())
    if telemetry.url:
        logger.info("figures are shown", extra={"url": telemetry.url})
    return telemetry


def _metrics(telemetry: "Telemetry | None") -> tuple[CallInterceptor, ...]:
    if telemetry is None:
        return ()
    if telemetry.tracer is None:
        return (CallMetrics(telemetry.figures),)
    return CallTraces(telemetry.tracer), CallMetrics(telemetry.figures)


def _measured(
    telemetry: "Telemetry | None",
    pool: ProcessPool,
    runner: Runner,
    storage: Storage,
    tell: Callable[[ListenerReport], Awaitable[None]],
) -> Callable[[ListenerReport], Awaitable[None]]:
    """Has figures measured where they are asked for; what is to be told of the listener goes there too."""
    if telemetry is None:
        return tell
    from server.measurements import measure  # likewise

    listener = measure(telemetry.figures, pool, runner, storage)

    async def tell_both(report: ListenerReport) -> None:
        listener.keep(report)
        await tell(report)

    return tell_both


async def _cluster(settings: Settings) -> RayCluster | None:
    """The cluster that runs long work, connected. Raises WrongSetting."""
    if not settings.ray_address:
        return None
    cluster = RayCluster(settings.ray_address)
    try:
        await cluster.start()
    except ClusterUnusable as error:
        raise WrongSetting(
            f"--ray-address (ABSFIN_RAY_ADDRESS) {settings.ray_address} cannot be used: {error}; this machine "
            f"must be a node of a cluster that runs: ray start --address={settings.ray_address}"
        ) from None
    return cluster


def _web(settings: Settings) -> WebListener | None:
    """The listener for browsers, which is a process of its own. Raises WrongSetting."""
    if settings.web is None:
        return None
    if settings.web.pages is not None:
        try:
            read_pages(settings.web.pages)
        except WrongPages as error:
            raise WrongSetting(f"--web-pages (ABSFIN_WEB_PAGES) {error}") from None
    listening = web_socket(settings.web.listen)
    folder = TemporaryDirectory(prefix="abs-finance-")  # of this user alone
    return WebListener(WebProcess(settings.web, listening, folder, settings.tls, settings.log_level))


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


async def _drain(
    app: App, admission: Admission, jobs: Jobs, delivery: EventDelivery | None, audit: AuditLog, stop: Stop
) -> None:
    """Sets health to NOT_SERVING, refuses new calls, ends streams that follow, waits for calls in flight."""
    logger.info("draining", extra={"seconds": round(stop.seconds_left, 3)})
    await app.serving(False)
    admission.drain()
    jobs.runner.drain()
    jobs.progress.drain()
    if delivery:
        delivery.events.drain()
    # It listens meanwhile: whoever restarts servers that do not answer still hears that this one lives.
    waiting = [asyncio.create_task(stop.over()), asyncio.create_task(_calls_over(admission, audit))]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
    admission.cut()
    await app.server.stop(CUT_SECONDS)


async def _calls_over(admission: Admission, audit: AuditLog) -> None:
    """Waits for the calls that are inside, and for the events that must be stored before an answer leaves."""
    await admission.ended()
    await audit.settled()
