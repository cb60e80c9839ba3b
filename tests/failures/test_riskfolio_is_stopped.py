"""Riskfolio-Lib asks nobody whether it may go on: at the time limit of its request its process is ended."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import psutil
import pytest

from tests.conftest import COMPLETE, RunningServer, Wire
from tests.processes import waiting_for_processor

OPTIMIZE = "OptimizationService/Optimize"
SYMBOLS = [f"S{i}" for i in range(6)]


def request_of(count: int, measure: str, seconds: float) -> dict[str, Any]:
    returns = np.random.default_rng(1).standard_t(5, (count, 6)) * 0.01 + 0.0005
    return {
        "returns": {"symbols": SYMBOLS, "dates": list(range(count)), "values": returns.ravel().tolist()},
        "periodsPerYear": 252,
        "objective": {"minRisk": {}},
        "riskMeasure": measure,
        "solver": {"engine": "ENGINE_RISKFOLIO", "timeLimit": f"{seconds}s"},
    }


def used(server: RunningServer) -> float:
    """Processor seconds of the server and all its workers that still run; their template may be loading libraries."""
    total = 0.0
    for process in (psutil.Process(server.process.pid), *server.workers()):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


@pytest.mark.alone
@pytest.mark.timeout(300)  # loading takes two minutes where the machine is busy
@pytest.mark.exhaustive  # loading Riskfolio-Lib takes long; what ends a worker is tested with other solvers too
def test_a_time_limit_of_a_second_ends_ordered_weights_of_a_thousand_outcomes(
    start_server: Callable[..., RunningServer],
) -> None:
    """A million rows keep it busy for minutes in code that nothing can interrupt."""
    server = start_server("--workers", "1", program=COMPLETE)
    with server.channel() as channel:
        wire = Wire(channel)
        small = request_of(60, "RISK_MEASURE_GINI_MEAN_DIFFERENCE", 60)
        assert wire.call(OPTIMIZE, small, 120)["certificate"]["engine"] == "ENGINE_RISKFOLIO"
        long = request_of(1000, "RISK_MEASURE_GINI_MEAN_DIFFERENCE", 1)
        with waiting_for_processor(lambda: [server.process.pid, *(one.pid for one in server.workers())]) as wait:
            began = time.monotonic()
            refusal = wire.refused(OPTIMIZE, long, 60)
            took = time.monotonic() - began
        assert took - wait.seconds < 2.0
        assert (refusal.code, refusal.reason) == ("DEADLINE_EXCEEDED", "SOLVER_TIMED_OUT")
        # The worker is asked to stop and killed 0.3 s later.
        time.sleep(0.5)
        before = used(server)
        time.sleep(1.0)
        assert used(server) - before < 0.2
        small["solver"] = {"engine": "ENGINE_FAST"}
        assert wire.call(OPTIMIZE, small, 120)["weights"]


def test_a_refused_combination_is_said_over_the_wire(wire: Wire) -> None:
    """Before Riskfolio-Lib is loaded, and with what came of it when it was tried."""
    refusal = wire.refused(OPTIMIZE, request_of(60, "RISK_MEASURE_SEMI_KURTOSIS", 60))
    assert (refusal.code, refusal.reason) == ("UNIMPLEMENTED", "NOT_SUPPORTED")
    assert "MIN_RISK with SEMI_KURTOSIS: Riskfolio-Lib is wrong by" in refusal.message
    assert refusal.message.endswith("use AUTO or FAST")
