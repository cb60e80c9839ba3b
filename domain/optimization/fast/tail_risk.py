"""The least CVaR by linear programming: a proven bound for whoever proposes weights, and the weights themselves.

CVaR is the highest mean loss over reweighted scenarios q with 0 <= q <= p / (1 - confidence) and sum q = 1
(Rockafellar, Uryasev & Zabarankin 2006), so any such q proves a bound: no feasible weights lose less than the least of
their q-mean. The best q comes from the dual of the linear program of Rockafellar & Uryasev 2000, which has a row for
each asset instead of one for each scenario and is solved many times faster for it; the multipliers of its rows are the
best weights.
"""

from dataclasses import dataclass

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import NotSupported, SolverFailed
from domain.market_data.panel import Scenarios
from domain.optimization.fast.linear import solve_linear
from domain.optimization.fast.mean_variance import solver_version
from domain.optimization.fast.program import Program, proven_bound
from domain.optimization.fast.quadratic import solve_quadratic
from domain.optimization.feasible import FeasibleSet, Polytope, feasible_set
from domain.optimization.infeasibility import conflict, is_feasible
from domain.optimization.problem import Problem
from domain.optimization.solution import Candidate, Engine, risk_of

RISK_FLOOR = 1e-3
"""A risk below this many typical deviations of an asset counts as this when a gap is taken relative to it."""

INSIDE = 1e-10
"""Constraints missed by less than this are left as they are."""


@dataclass(frozen=True, slots=True)
class TailDual:
    """An optimum of the dual program."""

    reweighting: Vector  # (S,), q
    weights: Vector  # (N,), the multipliers of its rows
    iterations: int


def least_cvar(problem: Problem) -> float:
    """A proven lower bound of the CVaR of feasible weights, per period; at the best q it is the least CVaR itself.

    Raises NotSupported without scenarios, InfeasibleProblem, SolverTimedOut, SolverFailed.
    """
    limits = feasible_set(problem)
    return _bound(problem, limits, _dual(problem, limits).reweighting)


def directly_minimised(problem: Problem) -> Candidate:
    """The least CVaR by HiGHS alone, whatever the probabilities and constraints. Raises as `least_cvar` does."""
    limits = feasible_set(problem)
    if not is_feasible(limits):
        raise conflict(limits)
    dual = _dual(problem, limits)
    weights = within(limits, dual.weights)
    gap = gap_to(problem, weights, _bound(problem, limits, dual.reweighting))
    return Candidate(weights, Engine.FAST, "highs", solver_version("highs"), dual.iterations, relative_gap=gap)


def gap_to(problem: Problem, weights: Vector, bound: float) -> float:
    """How far the CVaR of weights is above a bound, relative to it, or near zero to a typical asset's deviation."""
    risk = risk_of(problem, weights)
    typical = float(np.diag(problem.moments.covariance).mean()) ** 0.5
    size = max(abs(risk), RISK_FLOOR * typical)
    return max(risk - bound, 0.0) / size if size > 0.0 else 0.0


def within(limits: FeasibleSet, weights: Vector) -> Vector:
    """The nearest weights that keep all limits: a solver may leave them by its own tolerance."""
    if limits.violation(weights) <= INSIDE:
        return weights
    polytope = limits.polytope()
    hessian = np.zeros((len(polytope.lower), len(polytope.lower)))
    hessian[: limits.size, : limits.size] = np.eye(limits.size)
    linear = np.append(-weights, np.zeros(len(hessian) - limits.size))
    answer = solve_quadratic(Program(hessian, linear, polytope))
    return weights if answer is None else answer.point[: limits.size]


def _scenarios(problem: Problem) -> Scenarios:
    if problem.scenarios is None:
        raise NotSupported("CVaR needs returns, prices or scenarios; moments alone say nothing about a tail")
    return problem.scenarios


def _dual(problem: Problem, limits: FeasibleSet) -> TailDual:
    """Highest, over q, of the least q-mean loss of the feasible set.

    The inner minimum is itself written by its dual, with multipliers for each end of rows and bounds that is there.
    """
    scenarios, polytope = _scenarios(problem), limits.polytope()
    losses, _ = _scaled_losses(scenarios)
    count, size = losses.shape
    columns = len(polytope.lower)
    identity = np.eye(columns)
    sides = [
        (polytope.matrix, polytope.row_upper, 1.0),
        (polytope.matrix, polytope.row_lower, -1.0),
        (identity, polytope.upper, 1.0),
        (identity, polytope.lower, -1.0),
    ]
    there = [np.isfinite(ends) for _, ends, _ in sides]
    multipliers = [sign * rows[kept].T for (rows, _, sign), kept in zip(sides, there, strict=True)]
    costs = [sign * ends[kept] for (_, ends, sign), kept in zip(sides, there, strict=True)]
    stationary = np.hstack([np.vstack([losses.T, np.zeros((columns - size, count))]), *multipliers])
    total = np.zeros((1, stationary.shape[1]))
    total[0, :count] = 1.0
    ends = np.append(np.zeros(columns), 1.0)
    caps = scenarios.probabilities / (1.0 - problem.confidence_level)
    rest = stationary.shape[1] - count
    dual = Polytope(
        np.vstack([stationary, total]),
        ends,
        ends,
        np.zeros(stationary.shape[1]),
        np.append(caps, np.full(rest, np.inf)),
    )
    program = Program(None, np.concatenate([np.zeros(count), *costs]), dual)
    answer = solve_linear(program, problem.options.time_limit_seconds)
    if answer is None:
        raise SolverFailed("the dual of the CVaR program has no answer")
    # Rounding aside q is feasible already; what is used for a proof has to be.
    reweighting = np.clip(answer.point[:count], 0.0, caps)
    return TailDual(reweighting / reweighting.sum(), -answer.row_multipliers[:size], answer.iterations)


def _bound(problem: Problem, limits: FeasibleSet, reweighting: Vector) -> float:
    """The least q-mean loss, per period, proven by the multipliers of its own linear program."""
    losses, unit = _scaled_losses(_scenarios(problem))
    polytope = limits.polytope()
    cost = np.zeros(len(polytope.lower))
    cost[: limits.size] = reweighting @ losses
    program = Program(None, cost, polytope)
    answer = None
    if (polytope.lower <= polytope.upper).all():
        answer = solve_linear(program, problem.options.time_limit_seconds)
    if answer is None:
        raise conflict(limits)
    return unit * proven_bound(program, answer)


def _scaled_losses(scenarios: Scenarios) -> tuple[Matrix, float]:
    """Losses (S, N) whose largest is one, and what one is."""
    unit = float(np.abs(scenarios.values).max()) or 1.0
    return -scenarios.values / unit, unit
