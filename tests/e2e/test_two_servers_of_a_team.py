"""Two servers on two machines and one project: portfolios, plans and fills, as callers of either see them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import RunningServer, Wire
from tests.e2e.test_fills import created, fill, held, lot, record
from tests.e2e.test_reallocation_history import plan, states
from tests.supabase_stack import running_stack, why_not

SMALL = {
    "moments": {"symbols": ["A", "B"], "covariance": [0.04, 0.01, 0.01, 0.09], "periodsPerYear": 12},
    "objective": {"minRisk": {}},
}


@pytest.fixture(scope="module")
def wires(start_server: Callable[..., RunningServer]) -> Iterator[tuple[Wire, Wire]]:
    """A caller of each server; each server has a data folder of its own."""
    if cause := why_not("wheel"):
        pytest.skip(cause)
    with running_stack("wheel") as stack:
        servers = [start_server("--workers", "1", environment=stack.stack.environment) for _ in range(2)]
        with servers[0].channel() as one, servers[1].channel() as two:
            yield Wire(one), Wire(two)
        for server in servers:
            server.process.terminate()
            assert server.process.wait(timeout=30) == 0


def test_fills_that_both_record_at_once_are_all_there(wires: tuple[Wire, Wire]) -> None:
    name = created(wires[0], lot("a", 100, 50, "2022-01-03"))
    turns = [(fill(f"f{i}", 10, 40, "2023-02-10"), wires[i % 2]) for i in range(12)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda turn: record(turn[1], name, turn[0]), turns))
    found = [wire.call("PortfolioService/GetPortfolio", {"name": name}) for wire in wires]
    assert found[0] == found[1]
    assert held(found[0])["quantity"] == 220.0
    assert found[0]["cash"] == -4800.0
    again = record(wires[1], name, *(one for one, _ in turns))
    assert again["portfolio"] == found[0], "each was recorded once"


def test_a_plan_of_one_is_superseded_by_what_the_other_does(wires: tuple[Wire, Wire]) -> None:
    name = created(wires[0], cash=1000.0)
    first = plan(wires[0], name)
    second = plan(wires[1], name)
    expected = [(second["name"], "CURRENT", ""), (first["name"], "SUPERSEDED", second["name"])]
    assert states(wires[0], name) == states(wires[1], name) == expected
    record(wires[0], second["name"], fill("f1", 60, 10.0, "2024-01-03"))
    assert states(wires[1], name)[0] == (second["name"], "PARTLY_FILLED", "")


@pytest.mark.parametrize("method", ["OptimizationService/Optimize", "ReallocationService/Reallocate"])
def test_of_one_request_that_both_get_one_answer_is_kept(wires: tuple[Wire, Wire], method: str) -> None:
    snapshot = {"assets": [{"symbol": "A", "price": 10}]}
    target = {"weights": [{"symbol": "A", "weight": 1}]}
    asked: dict[str, Any] = SMALL if "Optimize" in method else {
        "portfolio": {"cash": 100}, "snapshot": snapshot, "targetWeights": target,
    }  # fmt: skip
    request = {**asked, "requestId": f"once {method}"}
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda i: wires[i % 2].call(method, request), range(6)))
    assert len({answer["name"] for answer in answers}) == 1
    assert all(answer == answers[0] for answer in answers)
