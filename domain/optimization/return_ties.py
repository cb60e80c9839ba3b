"""Of several portfolios with the highest return the one with the least variance, beyond linear programs.

A linear program has its ties resolved on its face, see `programs.tied_optima`. A program over cones, or a search for
what to hold, is solved a second time: the least variance with all but a rounding of the return that the first answer
has.
"""

from dataclasses import replace

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported, SolverFailed, SolverTimedOut
from domain.optimization.conic.conic_objectives import solve_with_objective
from domain.optimization.conic.conic_problem import build_conic_problem, risk_epigraph
from domain.optimization.conic.net_return import net_return_expression
from domain.optimization.mean_variance.quadratic_objectives import minimum_risk
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.limits import Row
from domain.optimization.problem.net_return import NetReturn, annual_net_return
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import MinRisk
from domain.optimization.selection.cardinality import RelaxationLimitReachedError, select_assets
from domain.optimization.solution import Candidate
from domain.optimization.tolerances import (
    CONIC_VALUE_FLOOR,
    FEASIBILITY_TOLERANCE,
    GAP_TOLERANCE,
    QUICK_SEARCH_RELAXATIONS,
)
from domain.risk.measures import RiskMeasure

RETURN_GIVEN_UP = 1e-9
"""By how much a second program may lower the highest return, relative to what its gap is measured against: a hundredth
of the gap that an answer may have."""

WORTHWHILE = 1e-6
"""A variance that is not smaller by this part is the same."""

TIED = 1e-11
"""Expected returns that differ by less, relative to the largest, are equal."""


def least_variance_of_ties(
    problem: Problem, limits: FeasibleSet, highest: Candidate | None, control: SolverControl
) -> Candidate | None:
    """A candidate for the highest return, or another one with the same return and less variance."""
    charged = problem.costs is not None and problem.costs.fee > 0.0
    if highest is None or charged or limits.contribution_bounds:
        return highest
    control()
    net_return = annual_net_return(problem)
    if limits.selection_limits:
        weights = _by_search(problem, limits, net_return, highest, control)
    elif limits.is_linear and problem.costs is None:
        return highest
    else:
        weights = _by_cones(problem, limits, net_return, highest, control)
    return highest if weights is None else _if_better(problem, limits, net_return, highest, weights)


def _by_cones(
    problem: Problem, limits: FeasibleSet, net_return: NetReturn, highest: Candidate, control: SolverControl
) -> Vector | None:
    risk, scale = problem.deviation, net_return.scale or 1.0
    least = (net_return.of(highest.weights) - RETURN_GIVEN_UP * _size(net_return, highest)) / scale
    try:
        conic = build_conic_problem(limits, control)
        conic.model.nonnegative(net_return_expression(conic, net_return, scale) - least)
        conic.model.minimise(risk_epigraph(conic, risk, conic.weights))
        found = solve_with_objective(conic, limits, lambda weights: risk.of(weights) / risk.scale, lambda _: risk.scale)
    except (NotSupported, SolverFailed, SolverTimedOut):
        return None
    return None if found is None else found.weights


def _by_search(
    problem: Problem, limits: FeasibleSet, net_return: NetReturn, highest: Candidate, control: SolverControl
) -> Vector | None:
    means = np.sort(net_return.by_asset)
    if problem.costs is not None or limits.risk_caps or (np.diff(means) > TIED * net_return.scale).all():
        return None
    floor = Row(
        "", net_return.by_asset, net_return.of(highest.weights) - RETURN_GIVEN_UP * _size(net_return, highest), np.inf
    )
    least_variance = replace(problem, objective=MinRisk(), risk_measure=RiskMeasure.VARIANCE)
    within = FeasibleSet(limits.symbols, (*limits.limits, floor))
    try:
        found = select_assets(
            within,
            lambda some: minimum_risk(least_variance, some, control),
            least_variance.risk.of,
            control,
            most_relaxations=QUICK_SEARCH_RELAXATIONS,
        )
    except (RelaxationLimitReachedError, SolverFailed, SolverTimedOut):
        return None
    return None if found is None else found.weights


def _size(net_return: NetReturn, highest: Candidate) -> float:
    """What a gap is measured against: the return, or a part of its largest figure where costs bring it near 0."""
    return max(abs(net_return.of(highest.weights)), CONIC_VALUE_FLOOR * net_return.scale)


def _if_better(
    problem: Problem, limits: FeasibleSet, net_return: NetReturn, highest: Candidate, weights: Vector
) -> Candidate:
    """The weights with the first answer's proof, if their variance is smaller and they keep all limits."""
    deviation = problem.deviation
    smaller = deviation.of(weights) < (1.0 - WORTHWHILE) * deviation.of(highest.weights)
    if not smaller or limits.violation(weights) > 0.5 * FEASIBILITY_TOLERANCE:
        return highest
    size = _size(net_return, highest)
    lost = max(net_return.of(highest.weights) - net_return.of(weights), 0.0) / size if size > 0.0 else 0.0
    gap = (highest.relative_gap or 0.0) + lost
    # A smaller variance is not worth an answer that fails verification for its gap.
    allowed = max(GAP_TOLERANCE, problem.options.tolerance)
    return highest if gap > allowed else replace(highest, weights=weights, relative_gap=gap)
