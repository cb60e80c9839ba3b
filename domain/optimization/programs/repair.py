"""Repair to feasibility: weights that miss limits by a solver's tolerance are moved to weights that keep them."""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.programs.program import Program
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.tolerances import NEAR_BOUND, REPAIRED_VIOLATION, ROUNDING_LOSS

FREE_WEIGHT = 1e-6
"""A weight this far from its bounds can take its part of what the budget misses."""


def repair(limits: FeasibleSet, weights: Vector, objective: Callable[[Vector], float]) -> Vector:
    """Weights within all limits, rounded to bounds and to zero where that does not worsen the objective."""
    kept = nearest_feasible(limits, weights)
    clean = nearest_feasible(limits, snap_to_bounds(limits, weights))
    if limits.violation(clean) > max(REPAIRED_VIOLATION, limits.violation(kept)):
        return kept
    value = objective(kept)
    return clean if objective(clean) <= value + ROUNDING_LOSS * max(1.0, abs(value)) else kept


def snap_to_bounds(limits: FeasibleSet, weights: Vector) -> Vector:
    """Weights with those near a bound or zero put there."""
    result = weights
    for level in (limits.lower, limits.upper, np.zeros(limits.n_assets)):
        result = np.where(np.abs(weights - level) < NEAR_BOUND, level, result)
    return result


def nearest_feasible(limits: FeasibleSet, weights: Vector) -> Vector:
    """Weights that keep all linear limits, close to the given ones."""
    moved = _rescale_to_budget(limits, np.clip(weights, limits.lower, limits.upper))
    return moved if limits.violation(moved) <= REPAIRED_VIOLATION else _project(limits, weights)


def _rescale_to_budget(limits: FeasibleSet, weights: Vector) -> Vector:
    """Spreads what the sum misses over the weights that are not at a bound."""
    free = (weights > limits.lower + FREE_WEIGHT) & (weights < limits.upper - FREE_WEIGHT)
    budget = next((row.upper for row in limits.rows if row.is_budget), None)
    if budget is None or not free.any():
        return weights
    result: Vector = weights + free * ((budget - float(weights.sum())) / int(free.sum()))
    return result


def _project(limits: FeasibleSet, weights: Vector) -> Vector:
    """By the least sum of squared differences."""
    polytope = limits.polytope()
    hessian = np.zeros((len(polytope.lower), len(polytope.lower)))
    hessian[: limits.n_assets, : limits.n_assets] = np.eye(limits.n_assets)
    linear = np.append(-weights, np.zeros(len(hessian) - limits.n_assets))
    answer = solve_quadratic(Program(hessian, linear, polytope))
    return weights if answer is None else answer.point[: limits.n_assets]
