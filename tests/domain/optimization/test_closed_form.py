"""Formulas keep their constraints or say what they miss."""

import numpy as np
import pytest

from domain.errors import FormulaMissesConstraint, InfeasibleProblem
from domain.market_data.moments import Moments
from domain.optimization.problem.problem import Problem
from domain.optimization.request.constraints import (
    Cardinality,
    Constraint,
    GroupBounds,
    Linear,
    RiskContributionBounds,
    RiskLimit,
    WeightBounds,
)
from domain.optimization.request.objectives import EqualWeight, InverseVolatility, Objective
from domain.optimization.solve import solve
from domain.risk.measures import RiskMeasure

COVARIANCE = np.array([[0.04, 0.012, 0.006], [0.012, 0.0625, 0.02], [0.006, 0.02, 0.09]])
MOMENTS = Moments.of(("A", "B", "C"), [0.01, 0.02, 0.03], COVARIANCE, 1.0)
VARIANCE = float(COVARIANCE.sum()) / 9.0  # of equal weights


@pytest.mark.parametrize(
    ("constraint", "missed_by"),
    [
        (WeightBounds("it", upper=0.3, symbols=("A",)), 1 / 3 - 0.3),
        (WeightBounds("it", lower=0.4, symbols=("B",)), 0.4 - 1 / 3),
        (GroupBounds("it", ("A", "B"), upper=0.5), 2 / 3 - 0.5),
        (Linear("it", {"A": 1.0, "C": -1.0}, lower=0.1), 0.1),
        (RiskLimit("it", RiskMeasure.VARIANCE, 0.99 * VARIANCE), 0.01 * VARIANCE),
        (Cardinality("it", 2), 1.0),  # three assets, one too many
        (RiskContributionBounds("it", upper=0.4), float(COVARIANCE[2].sum() / COVARIANCE.sum()) - 0.4),
    ],
    ids=lambda one: type(one).__name__ if not isinstance(one, float) else "",
)
def test_what_equal_weights_miss_is_named_with_its_amount(constraint: Constraint, missed_by: float) -> None:
    with pytest.raises(FormulaMissesConstraint, match="it by") as raised:
        solve(Problem(MOMENTS, EqualWeight(), constraints=(constraint,)))
    assert raised.value.excess == pytest.approx({"it": missed_by}, abs=1e-12)
    assert "no weights satisfy" not in raised.value.message


def test_inverse_volatility_too() -> None:
    weight = (1 / 0.2) / (1 / 0.2 + 1 / 0.25 + 1 / 0.3)
    with pytest.raises(FormulaMissesConstraint) as raised:
        solve(Problem(MOMENTS, InverseVolatility(), constraints=(WeightBounds("cap", upper=0.4),)))
    assert raised.value.excess == pytest.approx({"cap": weight - 0.4})


@pytest.mark.parametrize("objective", [EqualWeight(), InverseVolatility()])
def test_what_no_weights_keep_is_infeasible(objective: Objective) -> None:
    with pytest.raises(InfeasibleProblem) as raised:
        solve(Problem(MOMENTS, objective, constraints=(WeightBounds("cap", upper=0.3),)))
    assert "cap" in raised.value.labels


def test_a_constraint_that_is_kept_changes_nothing() -> None:
    kept = (WeightBounds("cap", upper=0.34), RiskContributionBounds("shares", upper=0.6), Cardinality("three", 3))
    assert solve(Problem(MOMENTS, EqualWeight(), constraints=kept)).weights == pytest.approx(np.full(3, 1 / 3))
