"""Puts the server together: the only place that chooses adapters."""

import asyncio
import signal

import grpc
import protovalidate
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from server.app import App
from server.converters.optimization import answer_to_bytes
from server.execution.lanes import Lanes
from server.interceptors.admission import Admission
from server.interceptors.errors import Errors
from server.interceptors.log import CallLog
from server.interceptors.request_context import RequestContext
from server.interceptors.validation import Validation
from server.observability import configure_logging, logger
from server.servicers.market_data import MarketDataServicer
from server.servicers.optimization import OptimizationServicer
from server.servicers.risk import RiskServicer
from server.services.market_data import MarketData
from server.services.optimization import Optimization
from server.services.risk import Risk
from server.settings import Settings, WrongSetting
from server.storage.embedded.database import Database
from server.storage.embedded.market_data import EmbeddedMarketData
from server.storage.embedded.optimizations import EmbeddedOptimizations
from server.storage.embedded.panels import PanelFiles


async def serve(settings: Settings) -> None:
    """Runs a server until it is told to stop (SIGTERM or SIGINT), then drains. Raises WrongSetting."""
    configure_logging(settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database(settings.data_dir / "absfinance.sqlite3")
    lanes = Lanes(settings.workers)
    admission = Admission(settings.max_concurrent_requests)
    # Written order: request context, log, errors, admission, validation.
    app = App(_servicers(settings, database, lanes), (RequestContext(), CallLog(), Errors(), admission, Validation()))
    address = _bind(app.server, settings)
    # The first validation compiles the contract's rules; better now than in a caller's time.
    protovalidate.collect_violations(OptimizeRequest())
    try:
        await app.server.start()
        await app.serving(True)
        print(f"abs-finance is ready on {address}, data in {settings.data_dir}", flush=True)  # noqa: T201  # the one line
        await stop.wait()
        await _drain(app, admission, settings.drain_seconds)
    finally:
        await lanes.close(1.0)
        database.close()


def _servicers(settings: Settings, database: Database, lanes: Lanes) -> dict[str, object]:
    market_data = MarketData(EmbeddedMarketData(database, PanelFiles(settings.data_dir / "panels")))
    optimization = Optimization(market_data, EmbeddedOptimizations(database), lanes, answer_to_bytes)
    return {
        "OptimizationService": OptimizationServicer(optimization),
        "RiskService": RiskServicer(Risk(market_data, lanes)),
        "MarketDataService": MarketDataServicer(market_data),
    }


def _bind(server: grpc.aio.Server, settings: Settings) -> str:
    tls = settings.tls
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


async def _drain(app: App, admission: Admission, seconds: float) -> None:
    """Health first, so that balancers look elsewhere; then no new calls; then those in flight get their time."""
    logger.info("draining", extra={"seconds": seconds})
    await app.serving(False)
    admission.drain()
    await app.server.stop(seconds)
