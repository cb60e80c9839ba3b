"""What a schedule minimises, and how far from the least a schedule can be.

The trades of an asset lie between bounds and sum to what is to be traded. By convexity the objective lies above its
tangent at any trades, and the least value of the tangent within such bounds is found exactly by trading first where it
is cheapest: what the answer is above that is a bound of its distance from the optimum (Frank and Wolfe 1956).
"""

from typing import Any

import numpy as np

from domain.checks import Matrix, Vector
from domain.reallocation.optimal_execution.problem import ExecutionProblem
from domain.reallocation.optimal_execution.trade_bounds import TradeBounds


def objective(problem: ExecutionProblem, remaining: Matrix) -> float:
    """Cost of temporary impact + risk aversion x variance, in money; what does not depend on the order is left out."""
    trades = remaining[:-1] - remaining[1:]
    temporary = float((temporary_costs(problem) * trades**2).sum())
    return temporary + float((remaining[1:] * risk_costs(problem, remaining)).sum())


def optimality_gap(problem: ExecutionProblem, bounds: TradeBounds, remaining: Matrix) -> float:
    """How much the objective of a trajectory can exceed the least possible one, relative to it."""
    trades = remaining[:-1] - remaining[1:]
    slopes = trade_slopes(problem, remaining)
    excess = 0.0
    for i, total in enumerate(bounds.total):
        order = np.argsort(slopes[:, i], kind="stable")
        lower, slope = bounds.lower[order, i], slopes[order, i]
        room = bounds.upper[order, i] - lower
        filled = np.clip(total - lower.sum() - np.concatenate([[0.0], np.cumsum(room)[:-1]]), 0.0, room)
        # The trades of both sum to the same: a common part of the slopes only adds rounding.
        marginal = slope[int(np.argmax(filled < room))]
        excess += float((slope - marginal) @ (trades[order, i] - lower - filled))
    value = objective(problem, remaining)
    return max(excess, 0.0) / value if value > 0.0 else 0.0


def trade_slopes(problem: ExecutionProblem, remaining: Matrix) -> Matrix:
    """What a unit more in a period adds to the objective, (T, N), but for a part that is the same for all periods."""
    trades = remaining[:-1] - remaining[1:]
    # A unit that is traded in a period is not held after it: its risk is saved in all later ones.
    saved = np.cumsum(risk_costs(problem, remaining)[::-1], axis=0)[::-1]
    result: Matrix = 2.0 * (temporary_costs(problem) * trades - saved)
    return result


def temporary_costs(problem: ExecutionProblem) -> Vector:
    """Of the square of a trade, (N,): H / tau."""
    result: Vector = problem.impact / problem.period_length
    return result


def risk_costs(problem: ExecutionProblem, remaining: Matrix) -> Matrix:
    """Risk aversion x tau C x_k after each period, (T, N)."""
    return covariance_times(problem, remaining[1:]) * (problem.risk_aversion * problem.period_length)


def risk_matrix(problem: ExecutionProblem) -> Any:
    """Risk aversion x tau C, as a sparse matrix (N, N)."""
    from scipy.sparse import csc_matrix, diags

    volatilities, correlation = problem.prices.volatilities, problem.prices.correlation
    factor = problem.risk_aversion * problem.period_length
    if correlation is None:
        return diags(factor * volatilities**2).tocsc()
    return csc_matrix(factor * correlation * np.outer(volatilities, volatilities))


def covariance_times(problem: ExecutionProblem, positions: Matrix) -> Matrix:
    """C x for each row of positions (T, N)."""
    volatilities, correlation = problem.prices.volatilities, problem.prices.correlation
    scaled = positions * volatilities
    result: Matrix = (scaled if correlation is None else scaled @ correlation) * volatilities
    return result
