"""What a specification says of itself before its data is known: what it needs, and whether it is quick."""

from typing import Any

import numpy as np
import pytest

from domain.costs.linear import LinearCost
from domain.estimation.factor_model import FactorMethod, FactorModel
from domain.estimation.moments import Estimation
from domain.estimation.shrinkage import IdentityShrinkage
from domain.optimization.request.constraints import (
    Cardinality,
    GroupBounds,
    Leverage,
    MinimumPosition,
    ReturnFloor,
    RiskContributionBounds,
    RiskLimit,
    Turnover,
    WeightBounds,
)
from domain.optimization.request.objectives import (
    CodependenceMeasure,
    EqualWeight,
    Hierarchical,
    HigherMoments,
    Kelly,
    KellyMethod,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    OrderedWeightedAverage,
    RiskBudget,
    WorstCase,
)
from domain.optimization.request.similarity_constraints import ClusterLimit
from domain.optimization.request.solver_options import EnginePreference, SolverOptions
from domain.optimization.request.specification import (
    CardinalityOfGroup,
    GroupReference,
    RelaxedBudgetBySymbol,
    RiskBudgetBySymbol,
    Specification,
    TrackingBySymbol,
    TrackingErrorBySymbol,
)
from domain.risk.measures import RiskMeasure

STEPWISE, LEAST_SQUARES = (
    Estimation(covariance=FactorModel(("F",), method)) for method in (FactorMethod.STEPWISE, FactorMethod.LEAST_SQUARES)
)
LINEAR = (
    WeightBounds("bounds", 0.0, 0.5),
    GroupBounds("group", ("A",), 0.1),
    GroupReference("reference", "x", 0.1),
    Leverage("leverage", 0.2),
    Turnover("turnover", 0.2),
    ReturnFloor("floor", 0.01),
)
BY_PEARSON = Hierarchical(codependence=CodependenceMeasure.PEARSON)

QUICK: dict[str, dict[str, Any]] = {
    "least risk": {},
    "highest return": {"objective": MaxReturn()},
    "utility": {"objective": MaxUtility(2.0)},
    "ratio": {"objective": MaxRatio()},
    "risk budget": {"objective": RiskBudget()},
    "risk budget by symbol": {"objective": RiskBudgetBySymbol({"A": 1.0})},
    "formula": {"objective": EqualWeight()},
    "linear limits": {"constraints": LINEAR},
    "deviation": {"risk_measure": RiskMeasure.STANDARD_DEVIATION},
    "shrinkage": {"estimation": Estimation(covariance=IdentityShrinkage())},
    "regression": {"estimation": LEAST_SQUARES},
}
SLOW: dict[str, dict[str, Any]] = {
    "growth": {"objective": Kelly(KellyMethod.QUADRATIC)},
    "hierarchy": {"objective": BY_PEARSON},
    "relaxed budget": {"objective": RelaxedBudgetBySymbol({"A": 1.0}, 0.1)},
    "tracking": {"objective": TrackingBySymbol({"A": 1.0})},
    "tracking error": {"constraints": (*LINEAR, TrackingErrorBySymbol("x", {"A": 1.0}, 0.1))},
    "risk contributions": {"constraints": (RiskContributionBounds("x", upper=0.5),)},
    "number of assets": {"constraints": (Cardinality("x", 2),)},
    "number of assets of a group": {"constraints": (CardinalityOfGroup("x", "group", 2),)},
    "least position": {"constraints": (MinimumPosition("x", 0.1),)},
    "variance limit": {"constraints": (RiskLimit("x", RiskMeasure.VARIANCE, 0.1),)},
    "costs": {"costs": LinearCost(5.0)},
    "search for factors": {"estimation": STEPWISE},
    "other library": {"options": SolverOptions(engine=EnginePreference.RISKFOLIO)},
}
OF_SCENARIOS: dict[str, dict[str, Any]] = {
    "growth of every outcome": {"objective": Kelly(KellyMethod.EXACT)},
    "worst case": {"objective": WorstCase(MinRisk())},
    "ordered losses": {"objective": OrderedWeightedAverage(np.array([0.6, 0.4]))},
    "higher moments": {"objective": HigherMoments(variance=1.0)},
    "hierarchy by ranks": {"objective": Hierarchical(codependence=CodependenceMeasure.SPEARMAN)},
    "hierarchy under an estimate": {
        "objective": BY_PEARSON,
        "estimation": Estimation(covariance=IdentityShrinkage()),
    },
    "tail": {"risk_measure": RiskMeasure.CONDITIONAL_VALUE_AT_RISK},
    "tail beside quadratic growth": {
        "objective": Kelly(KellyMethod.QUADRATIC),
        "risk_measure": RiskMeasure.CONDITIONAL_VALUE_AT_RISK,
    },
    "limit on a tail": {"constraints": (RiskLimit("x", RiskMeasure.CONDITIONAL_VALUE_AT_RISK, 0.1),)},
    "clusters": {"constraints": (ClusterLimit("x"),)},
}
WITH_MEANS: dict[str, dict[str, Any]] = {
    "highest return": {"objective": MaxReturn()},
    "utility": {"objective": MaxUtility(2.0)},
    "ratio": {"objective": MaxRatio()},
    "growth": {"objective": Kelly()},
    "worst ratio": {"objective": WorstCase(MaxRatio())},
    "higher moments": {"objective": HigherMoments(variance=1.0)},
    "return floor": {"constraints": (ReturnFloor("floor", 0.01),)},
}
WITHOUT_MEANS: dict[str, dict[str, Any]] = {
    "least risk": {},
    "risk budget": {"objective": RiskBudget()},
    "worst risk": {"objective": WorstCase(MinRisk())},
    "moments about the mean": {"objective": HigherMoments(variance=1.0, ignore_mean=True)},
}


def specification(fields: dict[str, Any]) -> Specification:
    return Specification(**{"objective": MinRisk(), **fields})


@pytest.mark.parametrize("name", QUICK)
def test_one_quadratic_program_is_quick(name: str) -> None:
    assert specification(QUICK[name]).is_quick


@pytest.mark.parametrize("fields", [*SLOW.values(), *OF_SCENARIOS.values()], ids=[*SLOW, *OF_SCENARIOS])
def test_what_takes_more_than_one_program_is_not_quick(fields: dict[str, Any]) -> None:
    assert not specification(fields).is_quick


@pytest.mark.parametrize("name", OF_SCENARIOS)
def test_moments_are_not_enough(name: str) -> None:
    assert specification(OF_SCENARIOS[name]).needs_distribution


@pytest.mark.parametrize("fields", [*QUICK.values(), *SLOW.values()], ids=[*QUICK, *SLOW])
def test_moments_are_enough(fields: dict[str, Any]) -> None:
    assert not specification(fields).needs_distribution


@pytest.mark.parametrize("name", WITH_MEANS)
def test_expected_returns_matter(name: str) -> None:
    assert specification(WITH_MEANS[name]).needs_expected_returns


@pytest.mark.parametrize("name", WITHOUT_MEANS)
def test_expected_returns_do_not_matter(name: str) -> None:
    assert not specification(WITHOUT_MEANS[name]).needs_expected_returns
