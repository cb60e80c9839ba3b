"""Weights by a formula: equal, and in proportion to 1 / volatility.

A formula cannot adapt to constraints: where its weights break one, the error names it.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import FormulaMissesConstraint, InvalidInput
from domain.optimization.feasibility import is_proven
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import excess
from domain.optimization.problem.problem import Problem
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE


def equal_weight(problem: Problem, limits: FeasibleSet) -> Candidate | None:
    """1 / N of the budget in each asset, None where no weights keep the limits. Raises FormulaMissesConstraint."""
    proportions = np.ones(len(problem.moments.symbols))
    return _check_formula(
        problem, limits, proportions, "equal weight", "tracking with equal weights as benchmark stays near it"
    )


def inverse_volatility(problem: Problem, limits: FeasibleSet) -> Candidate | None:
    """Weights in proportion to 1 / volatility, None where no weights keep the limits.

    Raises FormulaMissesConstraint, and InvalidInput for an asset that does not vary.
    """
    volatilities = problem.moments.volatilities
    if (volatilities <= 0.0).any():
        symbol = problem.moments.symbols[int(np.argmin(volatilities))]
        raise InvalidInput("covariance", f"inverse volatility needs every variance above 0, that of {symbol} is not")
    proportions = float(volatilities.min()) / volatilities
    return _check_formula(
        problem, limits, proportions, "inverse volatility", "risk_budget shares out risk and keeps constraints"
    )


def _check_formula(
    problem: Problem, limits: FeasibleSet, proportions: Vector, name: str, instead: str
) -> Candidate | None:
    weights = problem.budget * proportions / proportions.sum()
    missed = dict.fromkeys(limits.violated(weights, FEASIBILITY_TOLERANCE), 0.0)
    if not missed:
        return Candidate(weights, Engine.CLOSED_FORM, name)
    if is_proven(limits, feasible=False):
        return None
    for limit in limits.limits:
        if limit.label in missed:
            missed[limit.label] = max(missed[limit.label], excess(limit, weights))
    raise FormulaMissesConstraint(name, missed, f"use another objective: {instead}")
