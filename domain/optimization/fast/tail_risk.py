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
from domain.errors import SolverFailed
from domain.market_data.panel import Scenarios
from domain.optimization.fast.linear import solve_linear
from domain.optimization.fast.mean_variance import box_bindings, row_bindings, solver_version
from domain.optimization.fast.program import Answer, Program, bound_multipliers, proven_bound
from domain.optimization.fast.settle import within
from domain.optimization.feasible import FeasibleSet, Polytope
from domain.optimization.infeasibility import is_feasible
from domain.optimization.problem import Problem
from domain.optimization.solution import Binding, Candidate, Engine, risk_of

RISK_FLOOR = 1e-3
"""A risk below this many typical deviations of an asset counts as this when a gap is taken relative to it."""


@dataclass(frozen=True, slots=True)
class TailProof:
    """What the dual program proves about the least CVaR of a problem."""

    problem: Problem
    limits: FeasibleSet
    weights: Vector  # (N,), the best ones as multipliers of its rows
    iterations: int
    least_loss: Program  # the least q-mean loss at its q, in scaled losses
    answer: Answer
    unit: float  # one scaled loss, per period

    @property
    def bound(self) -> float:
        """No feasible weights have a smaller CVaR per period."""
        return self.unit * proven_bound(self.least_loss, self.answer)

    def gap(self, weights: Vector) -> float:
        """How far their CVaR is above the bound, relative to it, or near zero to a typical asset's deviation."""
        risk = risk_of(self.problem, weights)
        typical = float(np.diag(self.problem.moments.covariance).mean()) ** 0.5
        size = max(abs(risk), RISK_FLOOR * typical)
        return max(risk - self.bound, 0.0) / size if size > 0.0 else 0.0

    def binding(self, weights: Vector) -> tuple[Binding, ...]:
        """Which limits hold the least CVaR up, and what relaxing each by one unit is worth in CVaR per period."""
        pushes = bound_multipliers(self.least_loss, self.answer)[: self.limits.size]
        rows = row_bindings(self.answer.row_multipliers, self.limits, self.unit)
        return (*rows, *box_bindings(weights, pushes, self.limits, self.unit))


def tail_proof(problem: Problem, limits: FeasibleSet) -> TailProof | None:
    """The proof for a problem under linear limits, None where no weights keep them.

    Raises NotSupported without scenarios, SolverTimedOut, SolverFailed.
    """
    if not is_feasible(limits):
        return None
    losses, unit = _scaled_losses(problem)
    reweighting, weights, iterations = _dual(problem, limits.polytope(), losses)
    polytope = limits.polytope()
    cost = np.zeros(len(polytope.lower))
    cost[: limits.size] = reweighting @ losses
    program = Program(None, cost, polytope)
    answer = solve_linear(program, problem.options.time_limit_seconds)
    if answer is None:
        raise SolverFailed("HiGHS takes a feasible set for empty")
    return TailProof(problem, limits, weights, iterations, program, answer, unit)


def directly_minimised(proof: TailProof) -> Candidate:
    """The least CVaR by HiGHS alone, whatever the probabilities and constraints."""
    weights = within(proof.limits, proof.weights)
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver="highs",
        solver_version=solver_version("highs"),
        iterations=proof.iterations,
        relative_gap=proof.gap(weights),
        binding=proof.binding(weights),
    )


def _dual(problem: Problem, polytope: Polytope, losses: Matrix) -> tuple[Vector, Vector, int]:
    """The q with the highest least q-mean loss over a polytope, the weights with the least CVaR, and the iterations.

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
    stationary = np.hstack([np.vstack([losses.T, np.zeros((columns - size, count))]), *multipliers])
    total = np.zeros(stationary.shape[1])
    total[:count] = 1.0
    ends = np.append(np.zeros(columns), 1.0)
    caps = np.full(stationary.shape[1], np.inf)
    caps[:count] = _scenarios(problem).probabilities / (1.0 - problem.confidence_level)
    dual = Polytope(np.vstack([stationary, total]), ends, ends, np.zeros(len(caps)), caps)
    program = Program(None, np.concatenate([np.zeros(count), *costs]), dual)
    answer = solve_linear(program, problem.options.time_limit_seconds)
    if answer is None:
        raise SolverFailed("the dual of the CVaR program has no answer")
    # Rounding aside q is feasible already; what is used for a proof has to be.
    reweighting = np.clip(answer.point[:count], 0.0, caps[:count])
    return reweighting / reweighting.sum(), -answer.row_multipliers[:size], answer.iterations


def _scaled_losses(problem: Problem) -> tuple[Matrix, float]:
    """Losses (S, N) whose largest is one, and what one is."""
    values = _scenarios(problem).values
    unit = float(np.abs(values).max()) or 1.0
    return -values / unit, unit


def _scenarios(problem: Problem) -> Scenarios:
    return problem.risk.distribution
