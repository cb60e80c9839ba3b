"""Verification: every figure of a solution is recomputed from the weights, whichever engine proposed them."""

import numpy as np

from domain.checks import Vector, freeze
from domain.errors import SolverFailed
from domain.optimization.problem.feasible_set import FeasibleSet, feasible_set
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import MaxRatio, goal_of
from domain.optimization.solution import Candidate, Certificate, Engine, Solution
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, GAP_TOLERANCE, RISKFOLIO_GAP_TOLERANCE
from domain.risk.contribution import volatility_contributions


def verify(problem: Problem, candidate: Candidate, limits: FeasibleSet | None = None) -> Solution:
    """The solution of a candidate, every figure recomputed from its weights. Raises SolverFailed where it does not
    pass.

    `limits` are the problem's, where they are known already.
    """
    weights = candidate.weights
    if not np.isfinite(weights).all():
        raise SolverFailed.unverified(candidate.solver, "they are not finite")
    violation = (feasible_set(problem) if limits is None else limits).violation(weights)
    if violation > FEASIBILITY_TOLERANCE:
        raise SolverFailed.unverified(candidate.solver, f"they miss a constraint by {violation:.2g}")
    allowed = RISKFOLIO_GAP_TOLERANCE if candidate.engine is Engine.RISKFOLIO else GAP_TOLERANCE
    allowed = max(allowed, problem.options.tolerance)  # the caller asked for no more
    if not candidate.is_proven_within(allowed):
        raise SolverFailed.unverified(
            candidate.solver, f"they are {candidate.relative_gap:.2g} away from a proven bound"
        )
    moments, periods = problem.moments, problem.periods_per_year
    expected = periods * float(moments.expected_returns @ weights)
    contributions = volatility_contributions(moments, weights)
    volatility = contributions.total
    goal = goal_of(problem.objective)
    risk_free = goal.risk_free_rate_annual if isinstance(goal, MaxRatio) else 0.0
    spread = float(moments.volatilities @ weights) * periods**0.5
    return Solution(
        symbols=moments.symbols,
        weights=freeze(weights),
        expected_return_annual=expected,
        volatility_annual=volatility,
        risk=problem.risk.of(weights),
        ratio=(expected - risk_free) / volatility if volatility > 0.0 else None,
        diversification=spread / volatility if volatility > 0.0 else None,
        effective_number_of_assets=_effective_number(weights),
        contributions=contributions,
        turnover_one_way=_turnover(problem, weights),
        binding=candidate.binding,
        certificate=_certificate(candidate, violation),
    )


def _effective_number(weights: Vector) -> float:
    squared = float(weights @ weights)
    return 1.0 / squared if squared > 0.0 else 0.0


def _turnover(problem: Problem, weights: Vector) -> float | None:
    if problem.current_weights is None:
        return None
    return 0.5 * float(np.abs(weights - problem.current_weights).sum())


def _certificate(candidate: Candidate, violation: float) -> Certificate:
    return Certificate(
        engine=candidate.engine,
        solver=candidate.solver,
        solver_version=candidate.solver_version,
        iterations=candidate.iterations,
        dual_residual=candidate.dual_residual,
        duality_gap=candidate.relative_gap,
        max_constraint_violation=violation,
    )
