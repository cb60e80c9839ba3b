"""A solver that hangs in the thread for small requests, which cannot be killed: nobody waits for it."""

import signal
import time
from collections.abc import Callable

import grpc
import pytest
from absfin import Client, Moments, errors, min_risk
from absfin.queries import OptimizeQuery
from absfinance.v1.optimization_service_pb2_grpc import OptimizationServiceStub

from tests.conftest import RunningServer
from tests.e2e.hanging_server import HANGS
from tests.e2e.test_lifecycle import heavy

SMALL = Moments(["A", "B"], [0.01, 0.02], [[0.04, 0.0], [0.0, 0.01]], 12)

MAX_SECONDS = 30.0
"""From the signal to the end of the process, on a busy machine."""


@pytest.mark.parametrize("how", ["asleep", "busy"])
def test_requests_are_answered_and_the_server_ends(start_server: Callable[..., RunningServer], how: str) -> None:
    running = start_server("--drain-seconds", "0.5", program=("tests.e2e.hanging_server", how, "0.5"))
    with Client(running.address) as client:
        first = client.optimize(SMALL, min_risk(), request_id="first", timeout=60)
        assert first.weights == pytest.approx({"A": 0.2, "B": 0.8})
        for _ in range(3):  # goes to a process at once
            client.optimize(SMALL, min_risk(), timeout=60)
        assert client.get_optimization(first.name).weights == first.weights
        assert len(client.list_optimizations().summaries) == 4  # what hangs has stored nothing
        with pytest.raises(errors.DeadlineExceeded):
            client.optimize(heavy(60), min_risk(), risk_measure="rlvar", timeout=0.2)
    stopped = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(MAX_SECONDS) == 0
    assert time.monotonic() - stopped < MAX_SECONDS
    log = (running.data_dir / "server.log").read_text()
    assert log.count("a small task does not stop") == log.count("a small task does not end") == 1
    assert "Traceback" not in log
    assert "Fatal" not in log


@pytest.mark.parametrize("how", ["asleep", "busy"])
def test_a_call_that_hangs_is_cut_with_the_others(start_server: Callable[..., RunningServer], how: str) -> None:
    """The signal comes before its request goes to a process, which it would not do for an hour."""
    running = start_server("--drain-seconds", "0", program=("tests.e2e.hanging_server", how, "3600"))
    with running.channel() as channel:
        grpc.channel_ready_future(channel).result(MAX_SECONDS)
        call = OptimizationServiceStub(channel).Optimize.future(OptimizeQuery(SMALL, min_risk()).request(), timeout=60)
        until = time.monotonic() + MAX_SECONDS
        while HANGS not in (running.data_dir / "server.log").read_text():
            assert time.monotonic() < until
            time.sleep(0.05)
        stopped = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        assert call.code() is grpc.StatusCode.UNAVAILABLE
    assert running.process.wait(MAX_SECONDS) == 0
    assert time.monotonic() - stopped < MAX_SECONDS
