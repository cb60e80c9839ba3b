"""From weights that a solver left near its limits, by its own tolerance, to weights that keep them."""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.programs.program import Program
from domain.optimization.programs.quadratic import solve_quadratic

INSIDE = 1e-9
"""Constraints missed by less than this are left as they are."""

ROOM = 1e-6
"""A weight this far from its bounds can take its part of what the budget misses."""

DUST = 1e-7
"""Weights closer than this to zero or to a bound are what an interior-point solver leaves of it."""

WORSE = 1e-8
"""By how much, relative to one, an objective may suffer from the loss of dust."""


def repair(limits: FeasibleSet, weights: Vector, objective: Callable[[Vector], float]) -> Vector:
    """Weights within all limits; without dust if that costs nothing, for a position of 1e-9 is nobody's."""
    kept = nearest_feasible(limits, weights)
    clean = nearest_feasible(limits, snap_to_bounds(limits, weights))
    if limits.violation(clean) > max(INSIDE, limits.violation(kept)):
        return kept
    value = objective(kept)
    return clean if objective(clean) <= value + WORSE * max(1.0, abs(value)) else kept


def snap_to_bounds(limits: FeasibleSet, weights: Vector) -> Vector:
    """Weights with those near a bound or zero put there."""
    result = weights
    for level in (limits.lower, limits.upper, np.zeros(limits.n_assets)):
        result = np.where(np.abs(weights - level) < DUST, level, result)
    return result


def nearest_feasible(limits: FeasibleSet, weights: Vector) -> Vector:
    """Weights that keep all linear limits, close to the given ones."""
    moved = _rescale_to_budget(limits, np.clip(weights, limits.lower, limits.upper))
    return moved if limits.violation(moved) <= INSIDE else _project(limits, weights)


def _rescale_to_budget(limits: FeasibleSet, weights: Vector) -> Vector:
    """What the sum misses, spread over the weights that have room: those at a bound stay there."""
    free = (weights > limits.lower + ROOM) & (weights < limits.upper - ROOM)
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
