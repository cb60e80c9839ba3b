"""cvxpy with parameters: each problem is compiled once, outside the clock, and only its numbers change afterwards.

That is its disciplined parametrized programming (DPP); the solver is Clarabel. The factor of the covariance is made
outside the clock too.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import version

import numpy as np
from constrained import BAND, TRADES, Limits
from market import Array, Market, Run

PEER = f"cvxpy {version('cvxpy')} compiled"
PLAIN = f"cvxpy {version('cvxpy')}"
SCALE = 1e2
"""Of returns: on raw daily ones the solver stops early."""

Solve = Callable[[Array, Array], Array]
"""The factor of a scaled covariance, and another parameter; returns weights."""


def compiled_jobs(market: Market, points: int) -> Mapping[str, Run]:
    """Minimum variance, best ratio, and a frontier of floors on the return."""
    factor = _factor(market)
    scaled = market.means / np.abs(market.means).max()
    count = len(market.names)
    none = np.zeros(count)

    def max_ratio() -> Array:
        position = _max_ratio(count)(factor, scaled)
        return position / position.sum()

    def frontier() -> Array:
        solve = _floored(count)
        least = solve(factor, np.append(scaled, -10.0))
        floors = np.linspace(float(scaled @ least), float(scaled.max()), points)[1:-1]
        between = [solve(factor, np.append(scaled, floor)) for floor in floors]
        return np.array([least, *between, np.eye(count)[int(scaled.argmax())]])

    jobs: dict[str, Run] = {"min_variance": lambda: _min_variance(count)(factor, none)}
    if (market.means > 0.0).any():
        jobs["max_ratio"] = max_ratio
    return jobs | {"frontier": frontier}


def compiled_constrained(market: Market, limits: Limits) -> Mapping[str, Run]:
    """Minimum variance within limits, compiled once, and as a program without parameters that is compiled each time."""
    factor = _factor(market)
    compiled = _constrained(limits, len(market.names))
    return {PEER: lambda: compiled(factor, limits.held), PLAIN: lambda: _plain(market, limits)}


def _factor(market: Market) -> Array:
    """F with F'F the scaled covariance."""
    return np.linalg.cholesky(SCALE**2 * market.covariance).T


@cache
def _min_variance(count: int) -> Solve:
    import cvxpy as cp

    weights, factor = cp.Variable(count), cp.Parameter((count, count))
    problem = cp.Problem(cp.Minimize(cp.sum_squares(factor @ weights)), [cp.sum(weights) == 1, weights >= 0])

    def solve(numbers: Array, _: Array) -> Array:
        factor.value = numbers
        problem.solve(solver="CLARABEL")
        return np.asarray(weights.value)

    return solve


@cache
def _max_ratio(count: int) -> Solve:
    import cvxpy as cp

    position, factor, means = cp.Variable(count), cp.Parameter((count, count)), cp.Parameter(count)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(factor @ position)), [means @ position == 1, position >= 0])

    def solve(numbers: Array, expected: Array) -> Array:
        factor.value, means.value = numbers, expected
        problem.solve(solver="CLARABEL")
        return np.asarray(position.value)

    return solve


@cache
def _floored(count: int) -> Solve:
    import cvxpy as cp

    weights, factor = cp.Variable(count), cp.Parameter((count, count))
    means, floor = cp.Parameter(count), cp.Parameter()
    rules = [cp.sum(weights) == 1, weights >= 0, means @ weights >= floor]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(factor @ weights)), rules)

    def solve(numbers: Array, more: Array) -> Array:
        if factor.value is not numbers:
            factor.value = numbers
        means.value, floor.value = more[:-1], float(more[-1])
        problem.solve(solver="CLARABEL")
        return np.asarray(weights.value)

    return solve


def _constrained(limits: Limits, count: int) -> Solve:
    import cvxpy as cp

    weights, factor, held = cp.Variable(count), cp.Parameter((count, count)), cp.Parameter(count)
    rules = [cp.sum(weights) == 1, weights >= 0, weights <= limits.cap]
    rules += [limits.sectors @ weights >= BAND[0], limits.sectors @ weights <= BAND[1]]
    if limits.turnover:
        rules.append(cp.norm1(weights - held) <= 2.0 * TRADES)
    problem = cp.Problem(cp.Minimize(cp.sum_squares(factor @ weights)), rules)

    def solve(numbers: Array, current: Array) -> Array:
        factor.value, held.value = numbers, current
        problem.solve(solver="CLARABEL")
        return np.asarray(weights.value)

    return solve


def _plain(market: Market, limits: Limits) -> Array:
    """As its documentation has it: a quadratic form, rows, and an absolute sum."""
    import cvxpy as cp

    weights = cp.Variable(len(market.names))
    rules = [cp.sum(weights) == 1, weights >= 0, weights <= limits.cap]
    rules += [limits.sectors @ weights >= BAND[0], limits.sectors @ weights <= BAND[1]]
    if limits.turnover:
        rules.append(cp.norm1(weights - limits.held) <= 2.0 * TRADES)
    risk = cp.quad_form(weights, cp.psd_wrap(SCALE**2 * market.covariance))
    cp.Problem(cp.Minimize(risk), rules).solve(solver="CLARABEL")
    return np.asarray(weights.value)
