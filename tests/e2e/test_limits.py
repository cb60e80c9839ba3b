"""What one caller may use: each limit is told by name with what to do, and costs nobody else anything."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import jwt
import pytest
from absfinance.v1.admin_service_pb2 import GetQuotasRequest, GetServerInfoRequest
from absfinance.v1.admin_service_pb2_grpc import AdminServiceStub
from absfinance.v1.backtest_service_pb2 import BacktestRequest
from absfinance.v1.backtest_service_pb2_grpc import BacktestServiceStub
from absfinance.v1.event_service_pb2 import WatchEventsRequest
from absfinance.v1.event_service_pb2_grpc import EventServiceStub
from google.protobuf import json_format
from google.rpc.error_details_pb2 import ErrorInfo, QuotaFailure, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.conftest import RunningServer
from tests.e2e.asked_requests import LONG

SECRET = "a secret of the tests, long enough"  # noqa: S105  # of the server that they start
BURST = 8


@pytest.fixture(scope="module")
def running(start_server: Callable[..., RunningServer]) -> RunningServer:
    """Where a caller has a new call only after a minute and a half, once their burst is used."""
    return start_server(
        *("--auth", "jwt", "--workers", "1", "--events", "on", "--max-queued-jobs", "1"),
        *("--max-calls-per-second", "0.01", "--max-call-burst", str(BURST), "--max-streams-of-caller", "1"),
        *("--log-level", "debug"),
        environment={"ABSFIN_JWT_SECRET": SECRET},
    )


@dataclass(frozen=True)
class Asking:
    """A caller with a connection."""

    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...]

    def info(self) -> Any:
        return AdminServiceStub(self.channel).GetServerInfo(GetServerInfoRequest(), timeout=20, metadata=self.metadata)

    def quotas(self) -> Mapping[str, tuple[int, int]]:
        request = GetQuotasRequest()
        answer = AdminServiceStub(self.channel).GetQuotas(request, timeout=20, metadata=self.metadata)
        return {one.name: (one.limit, one.used) for one in answer.quotas}

    def watch(self) -> Any:
        return EventServiceStub(self.channel).WatchEvents(WatchEventsRequest(), timeout=60, metadata=self.metadata)

    def backtest(self) -> Any:
        request = json_format.ParseDict(LONG, BacktestRequest())
        return BacktestServiceStub(self.channel).Backtest(request, timeout=30, metadata=self.metadata)


@contextmanager
def asking(running: RunningServer, name: str) -> Iterator[Asking]:
    claims = {
        "sub": name,
        "aud": "authenticated",
        "exp": int(time.time()) + 3600,
        "app_metadata": {"absfin_role": "admin"},
    }
    token = jwt.encode(claims, SECRET, algorithm="HS256")
    with running.channel() as channel:
        yield Asking(channel, (("authorization", f"Bearer {token}"),))


def refused(call: Callable[[], Any]) -> tuple[str, dict[type[Any], Any], dict[str, str]]:
    """The code of a call that must fail, its details, and its trailing metadata."""
    with pytest.raises(grpc.RpcError) as raised:
        call()
    return parsed(raised.value)


def parsed(error: Any) -> tuple[str, dict[type[Any], Any], dict[str, str]]:
    """The code of an error, its details, and its trailing metadata."""
    trailing = {key: value for key, value in error.trailing_metadata() if key != "grpc-status-details-bin"}
    packed = dict(error.trailing_metadata())["grpc-status-details-bin"]
    found: dict[type[Any], Any] = {}
    for detail in Status.FromString(packed).details:
        for kind in (ErrorInfo, RetryInfo, QuotaFailure):
            if detail.Is(kind.DESCRIPTOR):
                found[kind] = kind()
                detail.Unpack(found[kind])
    return error.code().name, found, trailing


def test_who_calls_too_often_is_told_when_to_come_back_and_others_are_answered(running: RunningServer) -> None:
    with asking(running, "often") as often, asking(running, "often") as again, asking(running, "seldom") as seldom:
        for _ in range(BURST - 1):
            often.info()
        assert often.quotas()["call_burst"] == (BURST, BURST)
        for one in (often, again):  # another connection is the same caller
            code, found, trailing = refused(one.info)
            assert code == "RESOURCE_EXHAUSTED"
            assert found[ErrorInfo].reason == "OVERLOADED"
            assert found[ErrorInfo].metadata["limit"] == "calls_per_second"
            wait = found[RetryInfo].retry_delay.ToMilliseconds()
            assert 60_000 < wait <= 100_000
            assert trailing["grpc-retry-pushback-ms"] == "-1", "a client that repeats by itself would wait for a minute"
        assert seldom.info().version
        assert seldom.quotas()["call_burst"] == (BURST, 2)
        stub: Any = health_pb2_grpc.HealthStub(often.channel)
        for service in ("", "liveness"):
            for _ in range(2 * BURST):
                status = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=20).status
                assert status == health_pb2.HealthCheckResponse.SERVING


def test_streams_of_a_caller_are_limited_by_themselves(running: RunningServer) -> None:
    with asking(running, "watcher") as watcher, asking(running, "other") as other:
        stream = watcher.watch()
        next(stream)
        code, found, _ = refused(lambda: next(watcher.watch()))
        assert (code, found[ErrorInfo].reason) == ("RESOURCE_EXHAUSTED", "OVERLOADED")
        assert dict(found[ErrorInfo].metadata) == {"limit": "followed_streams", "value": "1"}
        assert found[RetryInfo].retry_delay.ToMilliseconds() == 1000
        assert watcher.quotas()["followed_streams"] == (1, 1)
        assert watcher.info().version, "calls are another class"
        theirs = other.watch()
        next(theirs)
        theirs.cancel()
        stream.cancel()


def test_jobs_that_wait_are_a_quota(running: RunningServer) -> None:
    with asking(running, "busy") as busy, asking(running, "idle") as idle:
        begun = [busy.backtest()]
        end = time.monotonic() + 20.0
        code = ""
        found: dict[type[Any], Any] = {}
        while len(begun) < BURST - 2:
            assert time.monotonic() < end
            try:
                begun.append(busy.backtest())
            except grpc.RpcError as error:
                code, found, _ = parsed(error)
                break
        assert (code, found[ErrorInfo].reason) == ("RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED")
        [violation] = found[QuotaFailure].violations
        assert (violation.subject, violation.quota_id, violation.quota_value) == ("caller", "queued_jobs", 1)
        assert idle.backtest().name


def test_tokens_and_secrets_are_in_no_line_of_the_log(running: RunningServer) -> None:
    """Whether a call is answered, or refused for a token that is not accepted; the log says all that it can."""
    with asking(running, "logged") as known, running.channel() as channel:
        assert known.info().version
        token = known.metadata[0][1].removeprefix("Bearer ")
        forged = token[:-6] + "AAAAAA"
        code, found, _ = refused(Asking(channel, (("authorization", f"Bearer {forged}"),)).info)
        assert (code, found[ErrorInfo].reason) == ("UNAUTHENTICATED", "TOKEN_INVALID")
        assert forged not in str(found)
    log = (running.data_dir / "server.log").read_text()
    assert "users/logged" in log
    for secret in (SECRET, *token.split("."), forged.rsplit(".", 1)[1]):
        assert secret not in log
