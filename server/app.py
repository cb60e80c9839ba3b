"""The gRPC server itself: every service of the contract, interceptors in their written order, health and reflection."""

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from absfinance.v1 import (
    admin_service_pb2_grpc,
    backtest_service_pb2_grpc,
    event_service_pb2_grpc,
    liquidity_service_pb2_grpc,
    market_data_service_pb2_grpc,
    optimization_service_pb2_grpc,
    portfolio_service_pb2_grpc,
    reallocation_service_pb2_grpc,
    risk_service_pb2_grpc,
    strategy_service_pb2_grpc,
)
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from server.listeners.health import ListenerReport
from server.reflection import Reflection

MAX_MESSAGE_BYTES = 4 * 1024 * 1024

OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # An answer is never refused by the one who gives it: the client's own limit decides.
    ("grpc.max_send_message_length", -1),
    # Two servers on one port would share its calls at random; the second shall fail to start instead.
    ("grpc.so_reuseport", 0),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),
    # Of a call's headers: tokens and what proxies add may be longer together than the default of 8 KiB.
    ("grpc.max_metadata_size", 32 * 1024),
)

# Each service of the contract: its generated module. Where no servicer is given, the generated base stands in and the
# error interceptor says that the method is not built yet.
_MODULES: Mapping[str, Any] = {
    "OptimizationService": optimization_service_pb2_grpc,
    "RiskService": risk_service_pb2_grpc,
    "MarketDataService": market_data_service_pb2_grpc,
    "BacktestService": backtest_service_pb2_grpc,
    "ReallocationService": reallocation_service_pb2_grpc,
    "PortfolioService": portfolio_service_pb2_grpc,
    "EventService": event_service_pb2_grpc,
    "LiquidityService": liquidity_service_pb2_grpc,
    "StrategyService": strategy_service_pb2_grpc,
    "AdminService": admin_service_pb2_grpc,
}

SERVICE_NAMES = tuple(f"absfinance.v1.{name}" for name in _MODULES)

LISTENER = "absfinance.listener"
"""What the health service is asked for to know whether the listener of changes has caught up; no service of calls."""

LIVENESS, STARTUP = "liveness", "startup"
"""What the health service is asked for by those who start servers: whether it answers, which it does while it drains
too and while the store is away, and whether it was ever ready. No services of calls either."""

OFF: Mapping[str, object] = {"listener": "off"}
"""What is told of the listener where this server has none."""


class _ByName:
    """A server to which the generated code adds methods that are found by their name alone.

    For each registered method, grpc.aio keeps a task that waits for its next call, and goes through all of them at
    every call of any method: with sixty methods that is a quarter of a millisecond.
    """

    def __init__(self, server: grpc.aio.Server) -> None:
        self.add_generic_rpc_handlers = server.add_generic_rpc_handlers

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Any]) -> None:
        """Leaves them out: their generic handlers serve them."""


class _Health(health.aio.HealthServicer):
    """Says in the trailing metadata of Check how the listener of changes is doing."""

    def __init__(self) -> None:
        super().__init__()
        self.figures: Mapping[str, object] = OFF

    async def Check(  # noqa: N802  # of the library
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> health_pb2.HealthCheckResponse:
        """The answer of the library; NOT_FOUND for the listener where this server has none."""
        if request.service == LISTENER:
            names = {key.replace("_", "-"): str(value) for key, value in self.figures.items()}
            context.set_trailing_metadata(tuple((f"absfin-{key}", value) for key, value in names.items()))
            if self.figures == OFF:
                await context.abort(grpc.StatusCode.NOT_FOUND, "this server does not listen to changes: ABSFIN_EVENTS")
        return await super().Check(request, context)


class App:
    """A server that is ready to be started, with its health."""

    def __init__(
        self,
        servicers: Mapping[str, Any],
        interceptors: Sequence[grpc.aio.ServerInterceptor],
        max_connection_age_seconds: float = 0.0,
    ) -> None:
        # Calls of a connection that is too old end by themselves; only new ones need a new connection.
        age = (("grpc.max_connection_age_ms", round(1e3 * max_connection_age_seconds)),)
        options = (*OPTIONS, *age) if max_connection_age_seconds else OPTIONS
        self.server = grpc.aio.server(interceptors=interceptors, options=options)
        self._health = _Health()
        for name, module in _MODULES.items():
            servicer = servicers.get(name) or getattr(module, f"{name}Servicer")()
            getattr(module, f"add_{name}Servicer_to_server")(servicer, _ByName(self.server))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        names = (*SERVICE_NAMES, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
        Reflection(names).add_to(self.server)

    async def serving(self, yes: bool) -> None:
        """Sets the health of the server and of each service; it lives and has started from the first time on."""
        if yes:
            for name in (LIVENESS, STARTUP):
                await self._health.set(name, _status(True))
        for name in ("", *SERVICE_NAMES):
            await self._health.set(name, _status(yes))

    async def listening(self, report: ListenerReport) -> None:
        """Sets the health of the listener of changes, which no call waits for."""
        self._health.figures = report.figures
        await self._health.set(LISTENER, _status(report.is_ready))


def _status(yes: bool) -> Any:
    return health_pb2.HealthCheckResponse.SERVING if yes else health_pb2.HealthCheckResponse.NOT_SERVING
