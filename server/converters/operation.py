"""Operation of a server on the wire."""

from collections.abc import Sequence

from absfinance.v1.admin_service_pb2 import (
    DrainRequest,
    DrainResponse,
    GetQuotasResponse,
    GetServerInfoResponse,
)
from absfinance.v1.optimization_pb2 import Engine

from server.ports.operation import Quota, ServerInfo, StillRunning

ENGINES = tuple(Engine.Name(one) for one in (Engine.ENGINE_AUTO, Engine.ENGINE_FAST, Engine.ENGINE_RISKFOLIO))
"""Those that can be asked for."""


def info_to_proto(info: ServerInfo) -> GetServerInfoResponse:
    """What a server is."""
    limits = GetServerInfoResponse.Limits(
        max_message_bytes=info.limits.max_message_bytes,
        max_concurrent_calls=info.limits.max_concurrent_calls,
        max_assets=info.limits.max_assets,
    )
    limits.max_call_duration.FromMilliseconds(round(1e3 * info.limits.max_call_seconds))
    solvers = [GetServerInfoResponse.Solver(name=name, version=version) for name, version in info.solvers.items()]
    return GetServerInfoResponse(version=info.version, engines=ENGINES, solvers=solvers, limits=limits)


def quotas_to_proto(caller: str, quotas: Sequence[Quota]) -> GetQuotasResponse:
    """What a caller uses."""
    shown = [GetQuotasResponse.Quota(name=one.name, limit=one.limit, used=one.used) for one in quotas]
    return GetQuotasResponse(caller=caller, quotas=shown)


def drain_seconds_from_proto(request: DrainRequest) -> float | None:
    """How long calls may take to end; None where the settings say it."""
    return request.timeout.ToMilliseconds() / 1e3 if request.HasField("timeout") else None


def still_running_to_proto(found: StillRunning) -> DrainResponse:
    """What still runs."""
    return DrainResponse(running_calls=found.calls, running_jobs=found.jobs)
