"""Weights by a formula: equal, and in proportion to 1 / volatility.

A formula has no freedom to meet constraints: it either keeps them or there is no answer.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import InfeasibleProblem, InvalidInput
from domain.optimization.feasible import feasible_set
from domain.optimization.problem import Problem
from domain.optimization.solution import VIOLATION_TOLERANCE, Candidate, Engine


def equal_weight(problem: Problem) -> Candidate:
    """1 / N of the budget in each asset."""
    return _formula(problem, np.ones(len(problem.moments.symbols)), "equal weight")


def inverse_volatility(problem: Problem) -> Candidate:
    """Weights in proportion to 1 / volatility. Raises InvalidInput for an asset that does not vary."""
    volatilities = problem.moments.volatilities
    if (volatilities <= 0.0).any():
        symbol = problem.moments.symbols[int(np.argmin(volatilities))]
        raise InvalidInput("covariance", f"inverse volatility needs every variance above 0, that of {symbol} is not")
    return _formula(problem, 1.0 / volatilities, "inverse volatility")


def _formula(problem: Problem, shares: Vector, name: str) -> Candidate:
    weights = problem.budget * shares / shares.sum()
    missed = feasible_set(problem).violated(weights, VIOLATION_TOLERANCE)
    if missed:
        raise InfeasibleProblem(missed)
    return Candidate(weights, Engine.CLOSED_FORM, name)
