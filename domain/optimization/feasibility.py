"""Whether any weights keep all limits."""

from functools import partial

import numpy as np

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import NotSupported, SolverTimedOut
from domain.optimization.conic.conic_problem import build_conic_problem
from domain.optimization.contribution_bounds.bounded_contributions import any_within_contribution_bounds
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.programs.linear import solve_linear
from domain.optimization.programs.program import Program
from domain.optimization.programs.rounding import round_to_zero
from domain.optimization.programs.solver_control import UNLIMITED
from domain.optimization.selection.cardinality import RelaxationLimitReachedError, select_assets
from domain.optimization.solution import Candidate, Engine
from domain.optimization.spectral.spectral_constraints import explore_spectral_constraints, within_spectral_constraints
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, QUICK_SEARCH_RELAXATIONS


def is_feasible(
    limits: FeasibleSet, most_relaxations: float = np.inf, check_cancelled: CancellationCheck = never_cancelled
) -> bool:
    """Whether any weights keep all limits. Raises RelaxationLimitReachedError beyond so many relaxations."""
    check_cancelled()
    if limits.selection_limits:
        within = partial(any_weights, check_cancelled=check_cancelled)
        found = select_assets(limits, within, lambda _: 0.0, check_cancelled, most_relaxations=most_relaxations)
        return found is not None
    if limits.contribution_bounds:
        return any_within_contribution_bounds(limits, _within_convex) is not None
    return any_weights(limits, check_cancelled) is not None


def is_proven(limits: FeasibleSet, *, feasible: bool, check_cancelled: CancellationCheck = never_cancelled) -> bool:
    """Whether it is known in reasonable time that some weights keep all limits, or that none do."""
    check_cancelled()
    try:
        return is_feasible(limits, QUICK_SEARCH_RELAXATIONS) is feasible
    except (RelaxationLimitReachedError, NotSupported, SolverTimedOut):
        return False


def _within_convex(limits: FeasibleSet) -> Vector | None:
    found = any_weights(limits)
    return None if found is None else found.weights


def any_weights(limits: FeasibleSet, check_cancelled: CancellationCheck = never_cancelled) -> Candidate | None:
    """Some weights within limits that do not select assets, None where there are none."""
    if (least := explore_spectral_constraints(limits, limits.labels, check_cancelled)) is not None and limits.violation(
        least
    ) <= FEASIBILITY_TOLERANCE:
        return unproven_candidate(least)
    return within_spectral_constraints(limits, any_weights_without_spectral, check_cancelled)


def any_weights_without_spectral(limits: FeasibleSet) -> Candidate | None:
    """The same within limits without spectral risk measures."""
    if limits.risk_caps or limits.contribution_bounds:
        conic = build_conic_problem(limits, UNLIMITED)
        answer = conic.model.solve()
        return None if answer is None else unproven_candidate(conic.weights.value(answer.point))
    polytope = limits.polytope()
    if (polytope.lower > polytope.upper).any():
        return None
    vertex = solve_linear(Program(None, np.zeros(len(polytope.lower)), polytope))
    return None if vertex is None else unproven_candidate(round_to_zero(vertex.point[: limits.n_assets]))


def unproven_candidate(weights: Vector) -> Candidate:
    """Weights that keep the limits; they optimise nothing."""
    return Candidate(weights, Engine.FAST, "feasibility")
