"""A request or a job with more memory than it may have ends alone, and is told why."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import psutil
import pytest
from absfin import Client, Moments, errors, min_risk
from absfin.errors import error_from_call

from tests.conftest import RunningServer, Wire
from tests.e2e.asked_requests import BACKTEST, PRICES

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="only Linux says how much memory another process uses")

LIMIT_MIB = 256
SMALL = Moments(["A", "B"], [0.01, 0.02], [[0.04, 0.01], [0.01, 0.09]], 12)
SIMULATED = {"prices": PRICES, "periodsPerYear": 252, "simulation": {"paths": 100_000, "periods": 100, "seed": 1}}
"""160 MB of returns, and as much for what they are made from."""


@pytest.fixture(scope="module")
def tight(start_server: Callable[..., RunningServer]) -> RunningServer:
    flags = ("--workers", "2", "--max-request-memory-bytes", str(LIMIT_MIB << 20))
    return start_server(*flags, program=("tests.e2e.hungry_server",))


@pytest.fixture(scope="module")
def wire(tight: RunningServer) -> Iterator[Wire]:
    with tight.channel() as channel:
        yield Wire(channel)


def endings(running: RunningServer) -> int:
    """How many workers were ended for their memory."""
    return (running.data_dir / "server.log").read_text().count("a worker has too much memory")


def test_the_caller_is_told_that_it_was_memory_and_others_are_answered(tight: RunningServer, wire: Wire) -> None:
    before = endings(tight)
    with Client(tight.address) as client, ThreadPoolExecutor(1) as pool:
        call: Any = pool.submit(lambda: list(wire.stream("RiskService/EstimateRiskModel", SIMULATED)))
        others = 0
        while not call.done() or not others:
            assert client.optimize(SMALL, min_risk()).weights
            others += 1
        with pytest.raises(grpc.RpcError) as raised:
            call.result(60)
    error = error_from_call(raised.value)
    assert isinstance(error, errors.MemoryLimitExceeded)
    assert f"more memory than the {LIMIT_MIB} MiB that one request may have" in error.message
    assert not error.RETRYABLE
    assert error.metadata == {"limit": "request_memory_bytes", "value": str(LIMIT_MIB << 20)}
    assert error.retry_after_seconds is None
    assert endings(tight) == before + 1, "the same request is not tried again"


def test_a_backtest_fails_with_that_reason_at_once(tight: RunningServer, wire: Wire) -> None:
    before = endings(tight)
    done = wire.call("BacktestService/Backtest", {**BACKTEST, "wait": "60s"}, timeout=90)
    assert done["state"] == "BACKTEST_STATE_FAILED"
    error = done["error"]
    assert error["code"] == 8, "RESOURCE_EXHAUSTED"
    assert error["details"][0]["reason"] == "MEMORY_LIMIT_EXCEEDED"
    assert "fewer assets, dates or scenarios" in error["message"]
    events = list(wire.stream("BacktestService/BacktestProgress", {"backtest": done["name"]}))
    assert sum("finished" in event for event in events) == 1
    assert endings(tight) == before + 1
