"""The one door to the engine: it picks who answers, and lets nothing out that is not verified."""

import contextlib
from collections.abc import Callable
from dataclasses import replace

from domain.checks import Vector
from domain.errors import NotSupported, SolverFailed
from domain.optimization.closed_form import equal_weight, inverse_volatility
from domain.optimization.clustering.hierarchical import hierarchical
from domain.optimization.conic import conic_objectives
from domain.optimization.conic.higher_moments import higher_moments
from domain.optimization.conic.kelly import maximum_growth
from domain.optimization.conic.robust import worst_case
from domain.optimization.contribution_bounds.bounded_contributions import within_contribution_bounds
from domain.optimization.feasibility import is_proven
from domain.optimization.infeasibility import conflict
from domain.optimization.mean_variance import maximum_ratio, quadratic_objectives
from domain.optimization.problem.bound_warnings import bound_warnings
from domain.optimization.problem.feasible_set import FeasibleSet, feasible_set
from domain.optimization.problem.net_return import NetReturn, annual_net_return
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import (
    EqualWeight,
    FactorBudget,
    Hierarchical,
    HigherMoments,
    InverseVolatility,
    Kelly,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    OrderedWeightedAverage,
    RelaxedRiskBudget,
    RiskBudget,
    Tracking,
    WorstCase,
)
from domain.optimization.request.solver_options import DEFAULT_TOLERANCE, EnginePreference
from domain.optimization.return_ties import least_variance_of_ties
from domain.optimization.risk_budgeting.factor_risk_budget import factor_risk_budget
from domain.optimization.risk_budgeting.relaxed_risk_parity import relaxed_risk_parity
from domain.optimization.risk_budgeting.risk_budget import risk_budget
from domain.optimization.risk_budgeting.scenario_risk_budget import scenario_risk_budget
from domain.optimization.riskfolio.support import unsupported_reason
from domain.optimization.selection.cardinality import select_assets
from domain.optimization.selection.fixed_costs import select_trades
from domain.optimization.selection.perspective import perspective_bound
from domain.optimization.solution import Candidate, Solution
from domain.optimization.spectral.cvar import minimum_cvar
from domain.optimization.spectral.spectral_constraints import within_spectral_constraints
from domain.optimization.spectral.spectral_risk import (
    is_spectral,
    optimise_ordered_average,
    optimise_spectral,
    spectral_risk_of,
)
from domain.optimization.tolerances import GAP_TOLERANCE, VIOLATION_TOLERANCE
from domain.optimization.verify import verify
from domain.progress import OnProgress, no_progress
from domain.risk.measures import RiskMeasure


def solve(problem: Problem, on_progress: OnProgress = no_progress) -> Solution:
    """Verified weights.

    `on_progress` is called between steps and raises Cancelled or SolverTimedOut when the caller wants to stop. Raises
    InfeasibleProblem, FormulaMissesConstraint, UnboundedProblem, NoPositiveExcessReturn, NotSupported, SolverFailed,
    and SolverTimedOut at the problem's own time limit.
    """
    control = SolverControl.of(problem.options, on_progress)
    control()
    if needs_riskfolio(problem) and (reason := unsupported_reason(problem)):
        raise NotSupported(reason)
    limits = feasible_set(problem)
    try:
        found = _close_enough(problem, limits, control)
        if found is not None:
            return replace(verify(problem, found, limits), warnings=bound_warnings(problem))
    except SolverFailed:
        # A solver need not notice that there is nothing to find.
        if not is_proven(limits, feasible=False, on_progress=control):
            raise
    raise conflict(limits, control)


def needs_riskfolio(problem: Problem) -> bool:
    """Whether the answer comes through Riskfolio-Lib, which is at home in worker processes only."""
    return problem.options.engine is EnginePreference.RISKFOLIO


def _close_enough(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    """The answer at the tolerance that was asked for, or at the usual one where a looser one does not pass."""
    if control.tolerance <= DEFAULT_TOLERANCE:
        return _candidate(problem, limits, control)
    with contextlib.suppress(SolverFailed):
        found = _candidate(problem, limits, control)
        if found is None or found.relative_gap is None:
            return found
        kept = limits.violation(found.weights) <= VIOLATION_TOLERANCE
        if kept and found.relative_gap <= max(control.tolerance, GAP_TOLERANCE):
            return found
    return _candidate(problem, limits, replace(control, tolerance=DEFAULT_TOLERANCE))


def _candidate(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    if problem.costs is not None and problem.costs.fee > 0.0:
        return select_trades(problem, limits, lambda posed, within: _candidate(posed, within, control), control)
    if isinstance(problem.objective, EqualWeight | InverseVolatility):
        found = _direct(problem, limits, control)  # a formula takes all limits as they are
    elif limits.contribution_bounds:
        found = within_contribution_bounds(problem, limits, lambda some: _capped(problem, some, control), control)
    elif limits.selection_limits and not isinstance(problem.objective, Hierarchical):

        def relaxed(looser: FeasibleSet) -> Candidate | None:
            return _capped(problem, looser, control)

        tightening = perspective_bound(problem, limits, control)
        found = select_assets(
            limits,
            relaxed,
            lambda weights: objective_value(problem, weights),
            control,
            tightening=tightening,
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
    """The answer of our own engines, None where no weights keep the limits."""
    objective = problem.objective
    # What is quadratic or linear as it stands has solvers that are exact and faster than a cone program.
    simple = limits.is_linear and problem.costs is None
    plain, by_rank = simple and problem.risk_measure.is_quadratic, simple and is_spectral(problem.risk_measure)
    match objective:
        case MinRisk() if limits.is_linear and problem.risk_measure.is_quadratic:
            quick = quadratic_objectives.minimum_risk(problem, limits, control)
            return _or_by_cones(quick, lambda: conic_objectives.minimum_risk(problem, limits, control))
        case MinRisk() if limits.is_linear and problem.risk_measure is RiskMeasure.CONDITIONAL_VALUE_AT_RISK:
            tail = minimum_cvar(problem, limits, control)
            return None if tail is None else tail.candidate
        case MinRisk() if limits.is_linear and is_spectral(problem.risk_measure):
            return optimise_spectral(problem, limits, spectral_risk_of(problem.risk), objective, control)
        case MaxUtility() | MaxRatio() if by_rank:
            return optimise_spectral(problem, limits, spectral_risk_of(problem.risk), objective, control)
        case MinRisk():
            return conic_objectives.minimum_risk(problem, limits, control)
        case MaxReturn() if limits.is_linear and problem.costs is None:
            return quadratic_objectives.maximum_return(problem, limits, control)
        case MaxReturn():
            return conic_objectives.maximum_net_return(limits, control, annual_net_return(problem))
        case MaxUtility() if plain:
            quick = quadratic_objectives.maximum_utility(problem, limits, objective, control)
            return _or_by_cones(quick, lambda: _by_utility(problem, limits, objective, control))
        case MaxUtility():
            return _by_utility(problem, limits, objective, control)
        case MaxRatio(risk_free) if plain:
            return maximum_ratio.maximum_ratio(problem, limits, risk_free, control)
        case MaxRatio(risk_free):
            return conic_objectives.maximum_ratio(
                limits, control, annual_net_return(problem, risk_free), problem.ratio_risk
            )
        case MaxDiversification() if limits.is_linear:
            return maximum_ratio.maximum_diversification(problem, limits, control)
        case MaxDiversification():
            net_return = NetReturn(problem.periods_per_year**0.5 * problem.moments.volatilities)
            return conic_objectives.maximum_ratio(limits, control, net_return, problem.deviation)
        case Tracking(benchmark):
            return conic_objectives.minimum_tracking_error(problem, limits, benchmark, control)
        case Kelly(method):
            return maximum_growth(problem, limits, method, control)
        case WorstCase():
            return worst_case(problem, limits, objective, control)
        case RiskBudget() if problem.risk_measure.is_quadratic:
            return risk_budget(problem, limits, objective, control)
        case RiskBudget():
            return scenario_risk_budget(problem, limits, objective, control)
        case FactorBudget():
            return factor_risk_budget(problem, limits, objective, control)
        case RelaxedRiskBudget():
            return relaxed_risk_parity(problem, limits, objective, control)
        case HigherMoments():
            return higher_moments(problem, limits, objective, control)
        case OrderedWeightedAverage():
            return optimise_ordered_average(problem, limits, objective, control)
        case Hierarchical():

            def least(part: Problem) -> Vector:
                return solve(_by_us(part), control).weights

            return hierarchical(problem, limits, objective, least, control)
        case EqualWeight():
            return equal_weight(problem, limits)
        case InverseVolatility():
            return inverse_volatility(problem, limits)
    raise NotSupported(f"objective {type(objective).__name__} is not supported yet")


def _by_us(part: Problem) -> Problem:
    """A part of a proven answer, which Riskfolio-Lib must have no hand in."""
    return replace(part, options=replace(part.options, engine=EnginePreference.FAST))


def _by_utility(
    problem: Problem, limits: FeasibleSet, objective: MaxUtility, control: SolverControl
) -> Candidate | None:
    penalty = conic_objectives.RiskPenalty(
        problem.utility_risk, 0.5 * objective.risk_aversion * problem.periods_per_year
    )
    return conic_objectives.maximum_net_return(limits, control, annual_net_return(problem), penalty)


def _or_by_cones(quick: Candidate | None, again: Callable[[], Candidate | None]) -> Candidate | None:
    """A singular program can leave the quadratic solvers short of a proof that a cone program has."""
    if quick is None or quick.relative_gap is None or quick.relative_gap <= GAP_TOLERANCE:
        return quick
    other = again()
    better = other is not None and other.relative_gap is not None and other.relative_gap < quick.relative_gap
    return other if better else quick
