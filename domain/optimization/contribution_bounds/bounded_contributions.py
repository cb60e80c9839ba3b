"""Bounds on risk contributions, each answer proven against every other portfolio.

A lower bound on the contribution of a long position is a cone, and any convex program takes it. An upper bound is not
convex. Where the best portfolio without it keeps it, that is the answer. Where not, for objectives of mean and variance
of long portfolios: a local solution is set against the bound that a relaxation proves, and what is left between them is
closed by branch and bound. Fractions of the risk sum to one and belong to one long portfolio each (Maillard, Roncalli &
Teiletche 2010): upper bounds of all others are a lower bound of each, and bounds that leave one vector of fractions
leave one portfolio.
"""

from collections.abc import Callable

import numpy as np

from domain.cancellation import never_cancelled
from domain.checks import Vector
from domain.errors import NotSupported, SolverFailed
from domain.optimization.contribution_bounds.contribution_search import (
    ContributionIntervals,
    ContributionSearch,
    QuadraticObjective,
    budget_of,
)
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import ContributionBounds
from domain.optimization.problem.problem import Problem
from domain.optimization.problem.size_limits import MOST_ENTRIES
from domain.optimization.programs.log_barrier import LogBarrier, can_be_riskless, unconstrained_minimiser
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.request.objectives import (
    Hierarchical,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
)
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, VALUE_FLOOR

FULL = 1e-9
"""Lower bounds whose sum is within this of 1 leave one portfolio."""

FEASIBILITY_SECONDS = 10.0

Relaxation = Callable[[FeasibleSet], Candidate | None]


def within_contribution_bounds(
    problem: Problem, limits: FeasibleSet, relaxation: Relaxation, control: SolverControl
) -> Candidate | None:
    """The best weights within bounds on contributions; None where there are none.

    `relaxation` gives the best within limits that are convex. Raises NotSupported where bounds bind that cannot be
    proven, and SolverTimedOut where the time does not suffice for a proof.
    """
    if limits.selection_limits:
        selection, bounds = limits.selection_limits[0].label, limits.contribution_bounds[0].label
        raise NotSupported(
            f"{selection} decides which assets are held; {bounds}, on risk contributions, cannot be combined with it"
        )
    intervals = ContributionIntervals.of(limits)
    if intervals.is_empty:
        return None
    found = relaxation(limits.without_contribution_bounds)
    if found is None or limits.violation(found.weights) <= FEASIBILITY_TOLERANCE:
        return found
    if isinstance(problem.objective, Hierarchical):
        missed = ", ".join(limits.violated(found.weights, FEASIBILITY_TOLERANCE))
        raise NotSupported(f"a hierarchy has the weights it has, and they miss {missed}")
    _refuse_shorts(limits, intervals)
    if _is_determined(limits, intervals):
        only = _with_contributions(limits, intervals.tightened.lower, control)
        return None if only is None else Candidate(only, Engine.FAST, "newton", relative_gap=0.0)
    convex = with_convex_bounds(limits, intervals)
    if convex.contribution_bounds:
        found = relaxation(convex)
        if found is None or limits.violation(found.weights) <= FEASIBILITY_TOLERANCE:
            return found
    goal = _required_objective(problem, limits)
    _refuse_too_large(limits)
    search = ContributionSearch(limits, goal, found.weights, control)
    weights = search.run()
    if weights is None:
        return None
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver="branch and bound over clarabel",
        solver_version=solver_version("clarabel"),
        iterations=search.solved,
        relative_gap=search.gap,
    )


def any_within_contribution_bounds(
    limits: FeasibleSet, anything: Callable[[FeasibleSet], Vector | None]
) -> Vector | None:
    """Some weights that keep limits with bounds on contributions, None where there are none.

    `anything` gives some weights within convex limits. Raises NotSupported where there may be such weights and the
    bounds are not convex, and SolverTimedOut.
    """
    intervals = ContributionIntervals.of(limits)
    if intervals.is_empty:
        return None
    nothing = np.zeros(limits.n_assets)
    if limits.violation(nothing) <= FEASIBILITY_TOLERANCE:
        return nothing
    found = anything(limits.without_contribution_bounds)
    if found is None or limits.violation(found) <= FEASIBILITY_TOLERANCE:
        return found
    _refuse_shorts(limits, intervals)
    if _is_determined(limits, intervals):
        return _with_contributions(limits, intervals.tightened.lower, never_cancelled)
    convex = with_convex_bounds(limits, intervals)
    if convex.contribution_bounds:
        found = anything(convex)
        if found is None or limits.violation(found) <= FEASIBILITY_TOLERANCE:
            return found
    budget = next((row.upper for row in limits.rows if row.is_budget), 0.0)
    if budget <= 0.0 or (limits.lower < 0.0).any():
        labels = ", ".join(one.label for one in limits.contribution_bounds)
        raise NotSupported(
            f"{labels}: upper bounds on risk contributions are kept by long portfolios with a budget only"
        )
    _refuse_too_large(limits)
    covariance = limits.contribution_bounds[0].covariance
    goal = QuadraticObjective(covariance, np.full(limits.n_assets, 1.0 / budget), 0.0)
    return ContributionSearch(
        limits, goal, found, SolverControl.for_seconds(FEASIBILITY_SECONDS), any_feasible=True
    ).run()


def _refuse_too_large(limits: FeasibleSet) -> None:
    """Raises NotSupported where matrices of all products of limits would not fit into memory."""
    size = limits.n_assets
    linear = 2 * size + 2 * len(limits.rows)
    if (linear * size + linear**2 // 2) * size**2 > MOST_ENTRIES:
        labels = ", ".join(one.label for one in limits.contribution_bounds)
        raise NotSupported(
            f"{labels}: upper bounds on risk contributions that bind are proven for about 50 assets at most, and there "
            f"are {size} with {len(limits.rows)} further limits; use lower bounds, which are cones"
        )


def _is_determined(limits: FeasibleSet, intervals: ContributionIntervals) -> bool:
    """Whether the bounds leave one vector of fractions, all above 0, for long portfolios of a budget."""
    lower = intervals.tightened.lower
    has_budget = any(row.is_budget and row.upper > 0.0 for row in limits.rows)
    return bool(has_budget and (limits.lower >= 0.0).all() and lower.min() > 0.0 and lower.sum() >= 1.0 - FULL)


def _with_contributions(
    limits: FeasibleSet, contributions: Vector, check_cancelled: Callable[[], None]
) -> Vector | None:
    """The one long portfolio with these fractions, None where a limit excludes it."""
    covariance, size = limits.contribution_bounds[0].covariance, limits.n_assets
    volatilities = np.sqrt(np.diag(covariance))
    if volatilities.min() <= 0.0:
        return None
    correlation = covariance / np.outer(volatilities, volatilities)
    barrier = LogBarrier(correlation, contributions / contributions.sum(), np.zeros(size), np.full(size, np.inf))
    try:
        point, _ = unconstrained_minimiser(barrier, check_cancelled)
    except SolverFailed as error:
        if can_be_riskless(correlation):
            raise NotSupported(
                f"{limits.contribution_bounds[0].label} leaves one contribution to each asset, but a long portfolio of "
                "these assets has no risk, and so no contributions; loosen the bounds"
            ) from None
        raise SolverFailed("the portfolio of the contributions that the bounds leave did not converge") from error
    weights = point / volatilities
    weights *= budget_of(limits) / float(weights.sum())
    return weights if limits.violation(weights) <= FEASIBILITY_TOLERANCE else None


def with_convex_bounds(limits: FeasibleSet, intervals: ContributionIntervals) -> FeasibleSet:
    """The limits with what of the bounds is convex; upper bounds of all others are a lower bound of each."""
    plain = limits.without_contribution_bounds
    lower = np.where(plain.lower >= 0.0, intervals.tightened.lower, -np.inf)
    if not (lower > 0.0).any():
        return plain
    given = limits.contribution_bounds[0]
    cone = ContributionBounds(given.label, given.covariance, np.maximum(lower, 0.0), np.full(limits.n_assets, np.inf))
    return FeasibleSet(limits.symbols, (*plain.limits, cone))


def _refuse_shorts(limits: FeasibleSet, intervals: ContributionIntervals) -> None:
    bounded = np.isfinite(intervals.lower) | np.isfinite(intervals.upper)
    short = np.flatnonzero(bounded & (limits.lower < 0.0))
    if len(short):
        labels = ", ".join(one.label for one in limits.contribution_bounds)
        raise NotSupported(
            f"{labels}: bounds on the risk contribution of {limits.symbols[int(short[0])]}, which may be short, cannot "
            "be proven; bound its weight by 0 from below"
        )


def _quadratic_objective(problem: Problem) -> QuadraticObjective | None:
    """The objective as a quadratic form, None where it is none."""
    covariance, budget, annual = problem.moments.covariance, problem.budget, problem.periods_per_year
    mean = annual * problem.moments.expected_returns
    if budget <= 0.0 or problem.costs is not None:
        return None
    whole = np.full(len(mean), 1.0 / budget)
    return_form = 0.5 * (np.outer(mean, whole) + np.outer(whole, mean))
    typical = VALUE_FLOOR * problem.variance_scale
    match problem.objective:
        case MinRisk() if problem.risk_measure.is_quadratic:
            return QuadraticObjective(covariance, whole, typical)
        case MaxUtility(aversion) if problem.risk_measure.is_quadratic:
            curvature = 0.5 * aversion * annual
            return QuadraticObjective(curvature * covariance - return_form, whole, curvature * typical)
        case MaxRatio(risk_free) if problem.risk_measure.is_quadratic:
            excess = mean - risk_free * whole
            return QuadraticObjective(covariance, excess / float(np.abs(excess).max()), 0.0)
        case MaxReturn():
            return QuadraticObjective(-return_form, whole, VALUE_FLOOR * float(np.abs(mean).max()))
    return None


def _required_objective(problem: Problem, limits: FeasibleSet) -> QuadraticObjective:
    """The objective; what has no proof here is refused by name."""
    goal = _quadratic_objective(problem)
    labels = ", ".join(one.label for one in limits.contribution_bounds)
    if goal is None:
        raise NotSupported(
            f"{labels} binds, and upper bounds on risk contributions are proven for minRisk, maxUtility and maxRatio "
            "in variance or standard deviation and for maxReturn, without costs, not for "
            f"{type(problem.objective).__name__} in {problem.risk_measure}; lower bounds above 0 are for all"
        )
    if (limits.lower < 0.0).any():
        symbol = limits.symbols[int(np.argmin(limits.lower))]
        raise NotSupported(
            f"{labels} binds, and upper bounds on risk contributions are proven for long portfolios; {symbol} may be "
            "short"
        )
    return goal
