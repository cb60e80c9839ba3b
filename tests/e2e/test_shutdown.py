"""SIGTERM while calls of every shape run: those that are cut are told to come back, and the server ends in time."""

import asyncio
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import numpy as np
import pytest
from absfinance.v1.admin_service_pb2 import GetQuotasResponse
from absfinance.v1.market_data_service_pb2 import ImportPricesRequest
from absfinance.v1.optimization_service_pb2 import OptimizeBatchRequest, OptimizeRequest, TraceFrontierRequest
from google.protobuf import json_format
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from tests.conftest import RunningServer

DRAIN_SECONDS = 0.5

MAX_SECONDS = 20.0
"""From the signal to the end of the process, on a busy machine; what is cut would go on for half a minute."""

RNG = np.random.default_rng(71)
ASSETS, DAYS = 40, 600
RETURNS = {
    "symbols": [f"S{i}" for i in range(ASSETS)],
    "dates": list(range(DAYS)),
    "values": RNG.normal(0.0005, 0.01, DAYS * ASSETS).tolist(),
}
DATA = {"returns": RETURNS, "periodsPerYear": 252}
MOMENTS = {"symbols": ["A"], "covariance": [0.04], "periodsPerYear": 12}


def begun(channel: grpc.aio.Channel, shape: str) -> Any:
    """A call that takes longer than the server waits for it."""
    match shape:
        case "unary":
            # A search that goes on until the solver's own limit of half a minute.
            shares = {"riskContributionBounds": {"upper": 1.05 / ASSETS}}
            problem = {"objective": {"maxUtility": {"riskAversion": 4}}, "constraints": [shares]}
            request = json_format.ParseDict({**DATA, **problem}, OptimizeRequest())
            method = channel.unary_unary("/absfinance.v1.OptimizationService/Optimize")
            return method(request.SerializeToString(), timeout=60)
        case "server streaming":
            request = json_format.ParseDict(
                {**DATA, "riskMeasure": "RISK_MEASURE_RLVAR", "points": 100}, TraceFrontierRequest()
            )
            method = channel.unary_stream("/absfinance.v1.OptimizationService/TraceFrontier")
            return method(request.SerializeToString(), timeout=60)
        case "client streaming":
            return channel.stream_unary("/absfinance.v1.MarketDataService/ImportPrices")(timeout=60)
    return channel.stream_stream("/absfinance.v1.OptimizationService/OptimizeBatch")(timeout=60)


FIRST: dict[str, bytes] = {
    "client streaming": ImportPricesRequest(header={"import_id": "cut"}).SerializeToString(),
    "bidirectional": json_format.ParseDict(
        {"universe": {"moments": MOMENTS, "spec": {"objective": {"minRisk": {}}}}}, OptimizeBatchRequest()
    ).SerializeToString(),
}


SHAPES = ("unary", "server streaming", "client streaming", "bidirectional")


@dataclass(frozen=True)
class Shutdown:
    """How calls of every shape ended, and how the server did."""

    errors: dict[str, Any]
    seconds: float  # from the signal to the end of the process
    exit_code: int


@pytest.fixture(scope="module")
def shutdown(start_server: Callable[..., RunningServer]) -> Shutdown:
    return asyncio.run(_shut_down(start_server("--drain-seconds", f"{DRAIN_SECONDS:g}")))


async def _shut_down(server: RunningServer) -> Shutdown:
    options = [("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        calls = {shape: begun(channel, shape) for shape in SHAPES}
        for shape, message in FIRST.items():
            await calls[shape].write(message)
        async with asyncio.timeout(60.0):
            # With the one that asks.
            while await _calls_that_run(channel) < len(SHAPES) + 1:  # noqa: ASYNC110  # no event tells of it
                await asyncio.sleep(0.05)
        stopped = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        ends = await asyncio.gather(*(_end(call, shape) for shape, call in calls.items()), return_exceptions=True)
    exit_code = await asyncio.to_thread(server.process.wait, MAX_SECONDS)
    return Shutdown(dict(zip(calls, ends, strict=True)), time.monotonic() - stopped, exit_code)


async def _calls_that_run(channel: grpc.aio.Channel) -> int:
    ask = channel.unary_unary("/absfinance.v1.AdminService/GetQuotas")
    quotas = GetQuotasResponse.FromString(await ask(b"", timeout=30)).quotas
    return sum(one.used for one in quotas if one.name in ("calls", "followed_streams", "sent_streams"))


@pytest.mark.parametrize("shape", SHAPES)
def test_calls_that_are_cut_are_told_to_come_back(shutdown: Shutdown, shape: str) -> None:
    error = shutdown.errors[shape]
    assert isinstance(error, grpc.aio.AioRpcError), error
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    info, retry = details_of(error)
    assert info.reason == "DRAINING"
    assert retry.retry_delay.ToTimedelta().total_seconds() > 0.0


def test_the_server_ends_in_time(shutdown: Shutdown) -> None:
    assert shutdown.exit_code == 0
    assert shutdown.seconds < MAX_SECONDS


async def _end(call: Any, shape: str) -> None:
    if shape in {"unary", "client streaming"}:
        await call
        return
    async for _ in call:
        pass


def details_of(error: grpc.aio.AioRpcError) -> tuple[ErrorInfo, RetryInfo]:
    packed = dict(error.trailing_metadata() or ())["grpc-status-details-bin"]
    info, retry = ErrorInfo(), RetryInfo()
    for detail in Status.FromString(packed).details:
        for kind in (info, retry):
            if detail.Is(kind.DESCRIPTOR):
                detail.Unpack(kind)
    return info, retry
