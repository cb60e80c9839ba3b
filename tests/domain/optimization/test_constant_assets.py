"""Assets whose returns do not vary, alone and beside others, as returns, scenarios and prices."""

from typing import Any

import numpy as np
import pytest

from domain.errors import InvalidInput, UnboundedProblem
from domain.estimation.moments import scenario_moments
from domain.market_data.panel import PricePanel, ReturnPanel, Scenarios
from domain.optimization.problem.resolve import build_problem
from domain.optimization.request.constraints import RiskLimit
from domain.optimization.request.objectives import (
    CodependenceMeasure,
    Hierarchical,
    HierarchicalMethod,
    MaxRatio,
    MaxUtility,
    MinRisk,
    Objective,
    RiskBudget,
)
from domain.optimization.request.specification import Specification
from domain.optimization.solution import Solution
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

SYMBOLS = ("A", "B", "C")
CONVEX = [one for one in RiskMeasure if one not in (RiskMeasure.VALUE_AT_RISK, RiskMeasure.DRAWDOWN_AT_RISK)]
OF_THE_TAIL = (
    RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    RiskMeasure.TAIL_GINI,
    RiskMeasure.ENTROPIC_VALUE_AT_RISK,
    RiskMeasure.RELATIVISTIC_VALUE_AT_RISK,
    RiskMeasure.WORST_REALIZATION,
)


def as_returns(values: np.ndarray) -> ReturnPanel:
    return ReturnPanel.of(SYMBOLS, np.arange(18000, 18000 + len(values)), values)


def as_prices(values: np.ndarray) -> PricePanel:
    """Returns of constant assets have the rounding of a quotient."""
    growth = np.cumprod(1.0 + np.vstack([np.zeros(3), values]), axis=0)
    return PricePanel.of(SYMBOLS, np.arange(18000, 18001 + len(values)), 100.0 * growth)


def as_scenarios(values: np.ndarray) -> Scenarios:
    return Scenarios.of(SYMBOLS, values)


SOURCES = [as_returns, as_prices, as_scenarios]
MEASURED = [  # scenarios have no order, and so no path
    (source, measure)
    for source in SOURCES
    for measure in CONVEX
    if source is not as_scenarios or not measure.is_of_path
]


def solved(data: Any, objective: Objective, measure: RiskMeasure, *limits: RiskLimit) -> Solution:
    return solve(build_problem(Specification(objective, measure, constraints=limits, periods_per_year=52.0), data))


@pytest.mark.parametrize(("source", "measure"), MEASURED)
@pytest.mark.parametrize("level", [0.001, -0.001, 0.1])
def test_the_risk_of_one_constant_return_is_that_of_any_weights(
    source: Any, measure: RiskMeasure, level: float
) -> None:
    data = source(np.full((7, 3), level))
    expected: float | None = -level if measure in OF_THE_TAIL else 0.0
    if level < 0.0 and (measure.is_of_path or measure.name.endswith("LOWER_PARTIAL_MOMENT")):
        expected = None  # of another size for each
    for objective in (MinRisk(), MaxUtility(2.0)):
        found = solved(data, objective, measure)
        assert found.weights.sum() == pytest.approx(1.0, abs=1e-8)
        assert expected is None or found.risk == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("source", "measure"), MEASURED)
def test_a_ratio_to_no_risk_has_no_maximum(source: Any, measure: RiskMeasure) -> None:
    with pytest.raises(UnboundedProblem, match="without risk"):
        solved(source(np.full((7, 3), 0.001)), MaxRatio(), measure)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("others_vary", [False, True])
@pytest.mark.parametrize("measure", [one for one in CONVEX if not one.is_of_path and one not in OF_THE_TAIL])
def test_a_risk_budget_names_the_constant_asset(source: Any, others_vary: bool, measure: RiskMeasure) -> None:
    values = np.random.default_rng(2).normal(0.0, 0.02, (30, 3)) if others_vary else np.full((30, 3), 0.001)
    values[:, 0] = 0.001
    named = "A" if others_vary else "[ABC]"
    with pytest.raises(InvalidInput, match=f"that of {named} is not"):
        solved(source(values), RiskBudget(), measure)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("limit", [RiskMeasure.VARIANCE, RiskMeasure.TAIL_GINI, RiskMeasure.ENTROPIC_VALUE_AT_RISK])
def test_a_limit_on_no_risk_holds(source: Any, limit: RiskMeasure) -> None:
    data = source(np.full((7, 3), 0.001))
    assert solved(data, MinRisk(), RiskMeasure.MEAN_ABSOLUTE_DEVIATION, RiskLimit("r", limit, 0.001)).risk < 1e-15


def test_a_scenario_that_cannot_happen_is_no_variance() -> None:
    values = np.array([[0.3, 0.1], [0.3, -0.1], [-0.4, 0.2]])
    moments = scenario_moments(Scenarios.of(("A", "B"), values, [0.5, 0.5, 0.0]), 1.0)
    assert moments.covariance.tolist() == [[0.0, 0.0], [0.0, pytest.approx(0.01)]]
    noisy = Scenarios.of(("A", "B"), values + np.array([[1e-16, 0.0], [-1e-16, 0.0], [0.0, 0.0]]), [0.5, 0.5, 0.0])
    assert noisy.without_rounding.values[:, 0].tolist() == [0.3, 0.3, -0.4]
    assert noisy.without_rounding.values[:, 1].tolist() == [0.1, -0.1, 0.2]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "codependence", [one for one in CodependenceMeasure if one is not CodependenceMeasure.MUTUAL_INFORMATION]
)
def test_a_similarity_names_the_constant_asset(source: Any, codependence: CodependenceMeasure) -> None:
    values = np.random.default_rng(3).normal(0.0, 0.02, (30, 3))
    values[:, 1] = 0.001
    objective = Hierarchical(HierarchicalMethod.NCO, codependence=codependence)
    with pytest.raises(InvalidInput, match="a similarity needs every asset to vary, B does not"):
        solved(source(values), objective, RiskMeasure.VARIANCE)
