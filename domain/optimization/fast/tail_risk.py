"""A bound on the least CVaR, independent of whoever proposes weights.

CVaR is the highest mean loss over reweighted scenarios q with 0 <= q <= p / (1 - confidence) and sum q = 1
(Rockafellar, Uryasev & Zabarankin 2006), so any such q proves a bound: no feasible weights lose less than the least of
their q-mean.
The best q comes from the dual of the linear program of Rockafellar & Uryasev 2000, which has a row for each asset
instead of one for each scenario, and is solved many times faster for it.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import SolverFailed
from domain.optimization.fast.linear import solve_linear
from domain.optimization.fast.program import Program
from domain.optimization.feasible import Polytope, feasible_set
from domain.optimization.problem import Problem


def least_cvar(problem: Problem) -> float:
    """A proven lower bound of the CVaR of feasible weights, per period; at the best q it is the least CVaR itself.

    Raises SolverFailed where the linear program has no answer, SolverTimedOut.
    """
    scenarios = problem.scenarios
    if scenarios is None:
        raise ValueError("CVaR needs scenarios")
    polytope = feasible_set(problem).polytope()
    scale = float(np.abs(scenarios.values).max()) or 1.0
    losses = -scenarios.values / scale
    caps = scenarios.probabilities / (1.0 - problem.confidence_level)
    seconds = problem.options.time_limit_seconds
    weights = _worst_reweighting(losses, caps, polytope, seconds)
    # Rounding aside q is feasible already; what is used for the proof is feasible exactly.
    weights = np.clip(weights, 0.0, caps)
    weights /= weights.sum()
    cost = np.zeros(len(polytope.lower))
    cost[: losses.shape[1]] = weights @ losses
    answer = solve_linear(Program(None, cost, polytope), seconds)
    if answer is None:
        raise SolverFailed("no weights are feasible although some were proposed")
    return scale * float(cost @ answer.point)


def _worst_reweighting(losses: Matrix, caps: Vector, polytope: Polytope, seconds: float) -> Vector:
    """The q of the dual: highest, over q, of the least q-mean loss of the polytope.

    The inner minimum is itself written by its dual, with multipliers for each end of rows and bounds that is there.
    """
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
    weighted = np.vstack([losses.T, np.zeros((columns - size, count))])
    stationary = np.hstack([weighted, *multipliers])
    total = np.zeros((1, stationary.shape[1]))
    total[0, :count] = 1.0
    ends = np.append(np.zeros(columns), 1.0)
    dual = Polytope(
        np.vstack([stationary, total]),
        ends,
        ends,
        np.zeros(stationary.shape[1]),
        np.append(caps, np.full(stationary.shape[1] - count, np.inf)),
    )
    answer = solve_linear(Program(None, np.concatenate([np.zeros(count), *costs]), dual), seconds)
    if answer is None:
        raise SolverFailed("the dual of the CVaR program has no answer")
    return answer.point[:count]
