"""Volatilities near 0, whose squares are rounding: fewer returns than assets, and a benchmark that can be held."""

import numpy as np
import pytest

from domain.market_data.moments import Moments
from domain.optimization.conic.conic_problem import first_degree_risk
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import Constraint, Leverage, TrackingError, WeightBounds
from domain.optimization.request.objectives import MinRisk, Tracking
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure


def market(seed: int) -> tuple[np.ndarray, Moments]:
    random = np.random.default_rng(seed)
    size = int(random.integers(4, 25))
    returns = random.normal(0.0005, 1.0, (int(random.integers(2, size)), size)) * random.uniform(0.005, 0.05, size)
    covariance = np.cov(returns.T)
    return returns, Moments.of([f"S{i}" for i in range(size)], returns.mean(axis=0), covariance, 252.0)


def volatility(returns: np.ndarray, weights: np.ndarray) -> float:
    return float((returns @ weights).std(ddof=1))


@pytest.mark.parametrize("kind", ["plain", "capped", "shorts", "tracking error"])
def test_a_benchmark_that_can_be_held_is_tracked(kind: str) -> None:
    for seed in range(40):
        returns, moments = market(seed)
        size = len(moments.symbols)
        benchmark = np.random.default_rng(seed + 1).dirichlet(np.ones(size))
        limits: dict[str, tuple[Constraint, ...]] = {
            "plain": (),
            "capped": (WeightBounds("cap", upper=float(benchmark.max())),),
            "shorts": (Leverage("l", max_short=0.5),),
            "tracking error": (TrackingError("te", benchmark, 0.05),),
        }
        found = solve(Problem(moments, Tracking(benchmark), constraints=limits[kind]))
        assert volatility(returns, found.weights - benchmark) <= 1e-9
        assert found.certificate.duality_gap is not None
        assert found.certificate.duality_gap <= 1e-8


def test_least_risk_under_cones_of_assets_that_cancel() -> None:
    for seed in range(40):
        returns, moments = market(seed)
        size = len(moments.symbols)
        near = TrackingError("te", np.full(size, 1.0 / size), 10.0)
        problem = Problem(moments, MinRisk(), RiskMeasure.STANDARD_DEVIATION, constraints=(near, Leverage("l", 2.0)))
        found = solve(problem)
        assert volatility(returns, found.weights) <= volatility(returns, np.full(size, 1.0 / size))
        assert found.certificate.duality_gap is not None
        assert found.certificate.duality_gap <= 1e-8


def test_a_small_volatility_keeps_its_digits() -> None:
    returns, moments = market(3)
    _, _, rows = np.linalg.svd(returns - returns.mean(axis=0))
    cancelling = rows[-1]  # no return of it varies
    risk = Problem(moments, MinRisk()).deviation
    assert np.sqrt(abs(float(cancelling @ moments.covariance @ cancelling))) / risk.scale > 1e-10  # what was taken
    assert first_degree_risk(risk)(cancelling) < 1e-14
    asset = np.eye(len(rows))[0]
    nearly = cancelling + 1e-7 * asset
    expected = 1e-7 * volatility(returns, asset) / risk.scale
    assert first_degree_risk(risk)(nearly) == pytest.approx(expected, rel=1e-6)
    assert first_degree_risk(risk)(asset) == risk.of(asset) / risk.scale
