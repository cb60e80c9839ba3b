"""Puts the server together: the only place that chooses adapters."""

import asyncio
import gc
import signal
from collections.abc import Callable, Mapping
from tempfile import TemporaryDirectory

import protovalidate
from absfinance.v1.optimization_service_pb2 import GetOptimizationRequest

from server.app import App
from server.assembly import jobs_of, listening_of, queue_policy, remote_authority, servicers_of, services_of
from server.binding import bind, web_socket
from server.execution.process_pool import ProcessPool
from server.execution.ray_cluster import ClusterUnusable, RayCluster
from server.execution.small_tasks import SmallTasks
from server.execution.template import Template
from server.identity.api_keys import ApiKeys
from server.identity.identification import Identification
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
from server.jobs.store_health import StoreHealth
from server.listeners.health import ListenerHealth
from server.observability import configure_logging, logger
from server.ports.job_queue import QueuePolicy
from server.ports.storage import Storage
from server.remote.services import GrpcServices
from server.security import security_warnings
from server.services.event_delivery import EventDelivery, event_delivery
from server.settings import Settings, WrongSetting
from server.storage.embedded import factory as embedded
from server.tasks.libraries import FIRST, LIBRARIES
from server.web.pages import WrongPages, read_pages
from server.web.process import WebListener, WebProcess


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
    for warning in security_warnings(settings):
        logger.warning(warning)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    policy = queue_policy(settings)
    cluster = await _cluster(settings)
    storage = STORAGE_BACKENDS[settings.storage](settings, policy)
    template = template or Template(FIRST, LIBRARIES)
    pool = ProcessPool(settings.workers, template=template, max_seconds=settings.max_request_seconds)
    small = SmallTasks()
    jobs = jobs_of(settings, storage, policy, template, cluster)
    admission = Admission(settings.max_concurrent_requests)
    api_keys = ApiKeys(storage.api_keys)
    identification = _identification(settings, api_keys)
    # Written order: cache of handlers, closed services, request context, log, errors, authentication, admission, idle
    # limit, raw messages.
    interceptors = (
        HandlerCache(), ClosedToStrangers(identification, _closed(settings)), RequestContext(), CallLog(), Errors(),
        Authentication(identification), admission, IdleLimit(settings.stream_idle_seconds), RawMessages(),
    )  # fmt: skip
    remote = GrpcServices(settings.max_remote_seconds, remote_authority(settings))
    services = services_of(settings, storage, pool, small, jobs, remote)
    delivery = event_delivery(settings, storage)
    app = App(servicers_of(settings, storage, pool, services, delivery, api_keys, cluster), interceptors)
    listening = listening_of(settings, storage, services, delivery)
    listener_health = ListenerHealth(listening.health, app.listening) if listening else None
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
        await stop.wait()
        if store_health:
            await store_health.close()  # or it would say that a draining server serves
        if listener_health:
            await listener_health.close()
        await _drain(app, admission, jobs.progress, delivery, settings.drain_seconds)
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
        await identification.close()
        await template.close()
        await storage.disconnect()
        storage.close()


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
    app: App, admission: Admission, progress: Progress, delivery: EventDelivery | None, seconds: float
) -> None:
    """Sets health to NOT_SERVING, refuses new calls, ends streams that follow, waits for calls in flight."""
    logger.info("draining", extra={"seconds": seconds})
    await app.serving(False)
    admission.drain()
    progress.drain()
    if delivery:
        delivery.events.drain()
    stopping = asyncio.ensure_future(app.server.stop(seconds + CUT_SECONDS))
    # Before the grace is over, so that callers hear why their call ends.
    await asyncio.wait({stopping}, timeout=seconds)
    admission.cut()
    await stopping
