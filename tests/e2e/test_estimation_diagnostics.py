"""How good the moments are that an answer rests on, where a request asks."""

from typing import Any

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf

from tests.conftest import Wire

OPTIMIZE = "OptimizationService/Optimize"
SYMBOLS = list("ABCD")
RETURNS = np.random.default_rng(3).normal(0.0005, 0.01, (90, 4))
INPUT: dict[str, Any] = {
    "returns": {"symbols": SYMBOLS, "dates": list(range(90)), "values": RETURNS.ravel().tolist()},
    "periodsPerYear": 252,
    "objective": {"minRisk": {}},
}


def diagnostics(wire: Wire, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = wire.call(OPTIMIZE, {**INPUT, "diagnoseEstimation": True, **more})["estimationDiagnostics"]
    return found


def test_they_come_only_where_they_are_asked_for(wire: Wire) -> None:
    assert "estimationDiagnostics" not in wire.call(OPTIMIZE, INPUT)


def test_of_a_sample(wire: Wire) -> None:
    found = diagnostics(wire)
    assert (found["observations"], found["effectiveObservations"]) == (90, 90.0)
    assert found["conditionNumber"] == pytest.approx(np.linalg.cond(np.cov(RETURNS.T)), rel=1e-9)
    assert "shrinkageIntensity" not in found


def test_of_exponential_weights(wire: Wire) -> None:
    found = diagnostics(wire, estimation={"covariance": {"ewma": {"lambda": 0.94}}})
    weights = 0.94 ** np.arange(90)
    assert found["effectiveObservations"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-9)


def test_of_shrinkage(wire: Wire) -> None:
    found = diagnostics(wire, estimation={"covariance": {"ledoitWolf": {}}})
    assert found["shrinkageIntensity"] == pytest.approx(ledoit_wolf(RETURNS)[1], rel=1e-9)


def test_of_pooled_views_and_of_moments(wire: Wire) -> None:
    view = {"terms": [{"symbol": "A", "weight": 1.0}], "expectedReturnAnnual": 0.5}
    pooled = diagnostics(wire, estimation={"views": {"method": "METHOD_ENTROPY_POOLING", "views": [view]}})
    assert pooled["observations"] == 90
    assert 10.0 < pooled["effectiveObservations"] < 90.0
    moments = {"symbols": ["A", "B"], "covariance": [0.04, 0.0, 0.0, 0.01], "periodsPerYear": 12}
    asked = {"moments": moments, "objective": {"minRisk": {}}, "diagnoseEstimation": True}
    assert wire.call(OPTIMIZE, asked)["estimationDiagnostics"] == {"conditionNumber": pytest.approx(4.0)}


def test_of_fewer_returns_than_assets(wire: Wire) -> None:
    few = {"symbols": SYMBOLS, "dates": [0, 1, 2], "values": RETURNS[:3].ravel().tolist()}
    found = diagnostics(wire, returns=few)
    assert found["observations"] == 3
    assert "conditionNumber" not in found
