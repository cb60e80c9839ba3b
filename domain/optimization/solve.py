"""Entry point: selects a solver, verifies its answer, returns a Solution.

`dispatch` has the table of methods. Around the method stand the searches for what no convex program can decide: which
trades pay a fee, which assets are held, which contributions bind.
"""

import contextlib
from dataclasses import replace

from domain.cancellation import CancellationCheck, never_cancelled
from domain.checks import Vector
from domain.errors import NoPositiveExcessReturn, NotSupported, SolverFailed, UnboundedProblem
from domain.optimization.conic.risk_epigraphs import SPECTRAL_ONLY
from domain.optimization.contribution_bounds.bounded_contributions import within_contribution_bounds
from domain.optimization.dispatch import method_of
from domain.optimization.feasibility import is_proven
from domain.optimization.infeasibility import conflict
from domain.optimization.methods import Call
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.feasible_set import FeasibleSet, feasible_set
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import (
    EqualWeight,
    Hierarchical,
    InverseVolatility,
    MaxReturn,
)
from domain.optimization.request.solver_options import EnginePreference
from domain.optimization.return_ties import least_variance_of_ties
from domain.optimization.riskfolio.support import unsupported_reason
from domain.optimization.selection.cardinality import select_assets
from domain.optimization.selection.fixed_costs import select_trades
from domain.optimization.selection.perspective import perspective_bound
from domain.optimization.solution import Candidate, Solution
from domain.optimization.spectral.spectral_constraints import within_spectral_constraints
from domain.optimization.tolerances import DEFAULT_TOLERANCE, FEASIBILITY_TOLERANCE, GAP_TOLERANCE
from domain.optimization.verify import verify


def solve(problem: Problem, check_cancelled: CancellationCheck = never_cancelled) -> Solution:
    """Verified weights.

    `check_cancelled` is called between steps and raises Cancelled or SolverTimedOut when the caller wants to stop.
    Raises InfeasibleProblem, FormulaMissesConstraint, UnboundedProblem, NoPositiveExcessReturn, NotSupported,
    SolverFailed, and SolverTimedOut at the problem's own time limit.
    """
    control = SolverControl.of(problem.options, check_cancelled)
    control()
    if needs_riskfolio(problem) and (reason := unsupported_reason(problem)):
        raise NotSupported(reason)
    limits = feasible_set(problem)
    try:
        found = _close_enough(problem, limits, control)
        if found is not None:
            return replace(verify(problem, found, limits), warnings=bound_warnings(problem))
    except (SolverFailed, NoPositiveExcessReturn, UnboundedProblem) as error:
        # A solver need not notice that there is nothing to find, and a search asks for a ratio within fewer limits.
        if not isinstance(error, SolverFailed) and not _are_searched(limits):
            raise
        if not is_proven(limits, feasible=False, check_cancelled=control):
            raise
    raise conflict(limits, control)


def _are_searched(limits: FeasibleSet) -> bool:
    """Whether an answer is searched for by programs within some of the limits."""
    by_rank = any(cap.risk.measure in SPECTRAL_ONLY for cap in limits.risk_caps)
    return by_rank or bool(limits.selection_limits) or bool(limits.contribution_bounds)


def needs_riskfolio(problem: Problem) -> bool:
    """Whether Riskfolio-Lib computes the answer; it runs in worker processes only."""
    return problem.options.engine is EnginePreference.RISKFOLIO


def _close_enough(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    """The answer at the requested tolerance, or at the default one where a looser tolerance does not pass."""
    if control.tolerance <= DEFAULT_TOLERANCE:
        return _candidate(problem, limits, control)
    with contextlib.suppress(SolverFailed):
        found = _candidate(problem, limits, control)
        if found is None or found.relative_gap is None:
            return found
        kept = limits.violation(found.weights) <= FEASIBILITY_TOLERANCE
        if kept and found.is_proven_within(max(control.tolerance, GAP_TOLERANCE)):
            return found
    return _candidate(problem, limits, replace(control, tolerance=DEFAULT_TOLERANCE))


def _candidate(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    if problem.costs is not None and problem.costs.fee > 0.0:
        return select_trades(problem, limits, lambda priced, within: _candidate(priced, within, control), control)
    if isinstance(problem.objective, EqualWeight | InverseVolatility):
        found = _direct(problem, limits, control)  # a formula takes all limits as they are
    elif limits.contribution_bounds:
        found = within_contribution_bounds(problem, limits, lambda some: _capped(problem, some, control), control)
    elif limits.selection_limits and not isinstance(problem.objective, Hierarchical):

        def relaxed(looser: FeasibleSet) -> Candidate | None:
            return _capped(problem, looser, control)

        node_bound = perspective_bound(problem, limits, control)
        found = select_assets(
            limits,
            relaxed,
            lambda weights: objective_value(problem, weights),
            control,
            node_bound=node_bound,
            tolerance=problem.options.tolerance,
        )
    else:
        found = _capped(problem, limits, control)
    if isinstance(problem.objective, MaxReturn):
        found = least_variance_of_ties(problem, limits, found, control)
    if found is None or not needs_riskfolio(problem):
        return found
    from domain.optimization.riskfolio.engine import solve_by_riskfolio  # 3 s of import, in workers only

    control()
    return solve_by_riskfolio(problem, limits, found, control)


def _capped(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    return within_spectral_constraints(limits, lambda some: _direct(problem, some, control), control)


def _direct(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    """The answer of the method that the table has for the problem, None where no weights keep the limits."""

    def solve_part(part: Problem) -> Vector:
        # Part of a proven answer, so never solved by Riskfolio-Lib.
        options = replace(part.options, engine=EnginePreference.FAST)
        return solve(replace(part, options=options), control).weights

    call = Call(problem, limits, control, solve_part)
    return method_of(problem, limits).solve(call, problem.objective)
