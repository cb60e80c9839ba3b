"""Frontiers whose points are programs of their own, solved by several workers at once."""

from typing import Any

import grpc
import numpy as np
import pytest

from tests.conftest import Wire, refusal_of

FRONTIER, OPTIMIZE = "OptimizationService/TraceFrontier", "OptimizationService/Optimize"
SYMBOLS = list("ABCDEF")
RNG = np.random.default_rng(8)
RETURNS = RNG.standard_t(5, (150, 1)) * 0.006 + RNG.standard_t(5, (150, 6)) * 0.01 + np.linspace(0.0, 0.002, 6)
INPUT: dict[str, Any] = {
    "returns": {"symbols": SYMBOLS, "dates": list(range(150)), "values": RETURNS.ravel().tolist()},
    "periodsPerYear": 252,
}
TRACKED = {
    "label": "near",
    "trackingError": {"benchmark": [{"symbol": s, "weight": 1 / 6} for s in SYMBOLS], "maxAnnual": 0.15},
}


@pytest.mark.parametrize(
    "asked",
    [
        {"riskMeasure": "RISK_MEASURE_CVAR"},
        {"riskMeasure": "RISK_MEASURE_ULCER_INDEX", "constraints": [{"weightBounds": {"upper": 0.5}}]},
        {"constraints": [TRACKED]},
    ],
    ids=["cvar", "ulcer", "tracked"],
)
def test_points_come_in_order_and_each_is_the_least_risk_at_its_return(wire: Wire, asked: dict[str, Any]) -> None:
    points = 23
    found = list(wire.stream(FRONTIER, {**INPUT, **asked, "points": points}))
    assert [point.get("index", 0) for point in found] == list(range(points))
    returns = np.array([point["expectedReturnAnnual"] for point in found])
    assert np.diff(returns)[1:-1] == pytest.approx(np.full(points - 3, returns[2] - returns[1]), rel=1e-4)
    assert (np.diff([point["risk"] for point in found]) <= 1e-9).all()
    for place in (0, 1, 11, 21, 22):
        floor = {"label": "floor", "returnFloor": {"minReturnAnnual": returns[place] - 1e-9}}
        alone = wire.call(
            OPTIMIZE,
            {**INPUT, **asked, "objective": {"minRisk": {}}, "constraints": [*asked.get("constraints", []), floor]},
        )
        assert found[place]["risk"] == pytest.approx(alone["risk"], rel=1e-6)
        assert found[place]["certificate"]["dualityGap"] <= 1e-7


def test_a_frontier_of_many_points_without_any_weights(wire: Wire) -> None:
    impossible = {"label": "tiny", "weightBounds": {"upper": 0.1}}
    with pytest.raises(grpc.RpcError) as raised:
        list(
            wire.stream(
                FRONTIER, {**INPUT, "riskMeasure": "RISK_MEASURE_CVAR", "points": 20, "constraints": [impossible]}
            )
        )
    refusal = refusal_of(raised.value)
    assert refusal.reason == "PROBLEM_INFEASIBLE"
    assert "tiny" in refusal.conflicts
