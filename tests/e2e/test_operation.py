"""What a server says of itself and of its callers, its probes, and its end by Drain."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from absfinance.v1.admin_service_pb2 import DrainRequest, GetQuotasRequest, GetServerInfoRequest
from absfinance.v1.admin_service_pb2_grpc import AdminServiceStub
from absfinance.v1.backtest_service_pb2 import BacktestRequest, CancelBacktestRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.event_service_pb2 import WatchEventsRequest
from absfinance.v1.event_service_pb2_grpc import EventServiceStub
from google.protobuf import json_format
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from server.version import version_of
from tests.conftest import RunningServer
from tests.e2e.asked_requests import LONG

SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


MEMORY_BYTES = 3 << 30

# A connection of its own, which is another caller.
OF_ANOTHER_CALLER = [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]


@pytest.fixture(scope="module")
def running(start_server: Callable[..., RunningServer]) -> RunningServer:
    memory = ("--max-request-memory-bytes", str(MEMORY_BYTES))
    jobs = ("--max-queued-jobs", "7", "--max-running-jobs", "1")
    return start_server("--workers", "2", *jobs, "--max-concurrent-requests", "100", *memory)


@pytest.fixture(scope="module")
def opened(running: RunningServer) -> Iterator[grpc.Channel]:
    with running.channel() as channel:
        yield channel


def health(channel: grpc.Channel, service: str) -> Any:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def test_what_the_server_is(opened: grpc.Channel) -> None:
    info = AdminServiceStub(opened).GetServerInfo(GetServerInfoRequest(), timeout=10)
    assert info.version == version_of()
    assert list(info.engines) == ["ENGINE_AUTO", "ENGINE_FAST", "ENGINE_RISKFOLIO"]
    solvers = {solver.name: solver.version for solver in info.solvers}
    assert {"clarabel", "daqp", "highspy", "piqp"} <= set(solvers)
    assert all(solvers.values())
    limits = info.limits
    assert (limits.max_message_bytes, limits.max_concurrent_calls, limits.max_assets) == (4 << 20, 100, 4000)
    assert limits.max_call_duration.seconds == 3600


def quotas(channel: grpc.Channel, caller: str = "") -> dict[str, tuple[int | None, int]]:
    answer = AdminServiceStub(channel).GetQuotas(GetQuotasRequest(caller=caller), timeout=10)
    return {one.name: (one.limit if one.HasField("limit") else None, one.used) for one in answer.quotas}


def start(channel: grpc.Channel, request_id: str) -> str:
    request = json_format.ParseDict({**LONG, "requestId": request_id}, BacktestRequest())
    name: str = BacktestServiceStub(channel).Backtest(request, timeout=30).name
    return name


def wait_until_one_runs(channel: grpc.Channel) -> None:
    end = time.monotonic() + 20.0
    while (found := quotas(channel))["running_jobs"] != (1, 1):
        assert time.monotonic() < end, found
        time.sleep(0.05)


def test_what_a_caller_uses(running: RunningServer, opened: grpc.Channel) -> None:
    idle = quotas(opened)
    assert idle == {
        "calls": (75, 1),  # this one
        "followed_streams": (75, 0),
        "sent_streams": (75, 0),
        "queued_jobs": (7, 0),
        "running_jobs": (1, 0),
        "request_memory_bytes": (MEMORY_BYTES, 0),
    }
    names = [start(opened, f"q{i}") for i in range(3)]
    wait_until_one_runs(opened)
    assert quotas(opened)["queued_jobs"] == (7, 2)
    assert quotas(opened, "somebody else")["queued_jobs"] == (7, 0)
    with grpc.insecure_channel(running.address, options=OF_ANOTHER_CALLER) as other:
        names.append(start(other, "other"))
        wait_until_one_runs(other)
    assert (quotas(opened)["queued_jobs"], quotas(opened)["running_jobs"]) == ((7, 2), (1, 1)), "the place was free"
    stub = BacktestServiceStub(opened)
    for name in names:
        stub.CancelBacktest(CancelBacktestRequest(name=name), timeout=10)
    assert quotas(opened)["queued_jobs"] == (7, 0)


def test_probes_of_a_server_that_is_ready(opened: grpc.Channel) -> None:
    for service in ("", "liveness", "startup"):
        assert health(opened, service) == SERVING


def test_drain_ends_the_server_and_those_who_follow_are_told_to_come_back(
    running: RunningServer, opened: grpc.Channel
) -> None:
    """The last test of its server. A call that runs keeps it, so that the probes can be asked meanwhile."""
    stream = EventServiceStub(opened).WatchEvents(WatchEventsRequest(), timeout=60)
    next(stream)
    enough = threading.Event()
    batch = opened.stream_stream("/absfinance.v1.OptimizationService/OptimizeBatch")(silent(enough), timeout=60)
    while quotas(opened)["sent_streams"][1] == 0:
        time.sleep(0.02)
    request = DrainRequest()
    request.timeout.FromSeconds(3600)
    started = time.monotonic()
    left = AdminServiceStub(opened).Drain(request, timeout=10)
    assert left.running_calls == 2
    with pytest.raises(grpc.RpcError) as ended:
        for _ in stream:
            pass
    assert ended.value.code() is grpc.StatusCode.UNAVAILABLE
    assert details_of(ended.value) == ("DRAINING", True)
    assert health(opened, "") == NOT_SERVING
    assert health(opened, "liveness") == health(opened, "startup") == SERVING
    with pytest.raises(grpc.RpcError) as refused:
        AdminServiceStub(opened).GetServerInfo(GetServerInfoRequest(), timeout=10)
    assert details_of(refused.value) == ("DRAINING", True)
    # Who asks again only shortens what is left: the call that is still silent is cut then.
    request.timeout.FromMilliseconds(500)
    AdminServiceStub(opened).Drain(request, timeout=10)
    request.timeout.FromSeconds(3600)
    AdminServiceStub(opened).Drain(request, timeout=10)
    assert running.process.wait(20) == 0
    assert time.monotonic() - started < 30.0
    enough.set()
    with pytest.raises(grpc.RpcError) as cut:
        list(batch)
    assert details_of(cut.value) == ("DRAINING", True)


def silent(enough: threading.Event) -> Iterator[bytes]:
    """Requests of a stream that sends nothing until it is enough."""
    enough.wait(30.0)
    yield from ()


def details_of(error: Any) -> tuple[str, bool]:
    """The reason, and whether the caller is told when to come back."""
    info, retry = ErrorInfo(), RetryInfo()
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    has_delay = False
    for detail in Status.FromString(packed).details:
        detail.Unpack(info)
        has_delay = has_delay or detail.Unpack(retry)
    return info.reason, has_delay and retry.retry_delay.ToTimedelta().total_seconds() > 0.0


def test_a_connection_that_is_too_old_takes_no_new_calls(start_server: Callable[..., RunningServer]) -> None:
    running = start_server("--workers", "1", "--max-connection-age-seconds", "0.5", "--events", "off")
    with running.channel() as channel:
        connections: list[str] = []
        end = time.monotonic() + 20.0
        while len(set(connections)) < 2:
            assert time.monotonic() < end
            connections.append(AdminServiceStub(channel).GetQuotas(GetQuotasRequest(), timeout=10).caller)
            time.sleep(0.02)
