"""The highest ratio of a linear numerator to volatility: Sharpe ratio and diversification ratio.

The ratio does not change when weights and budget grow together, so the problem is solved for y = kappa w with the
numerator fixed at one (Charnes & Cooper 1962; Cornuejols & Tutuncu 2007, section 8.2): the least variance of y, every
limit multiplied by kappa.
"""

import numpy as np

from domain.optimization.mean_variance.quadratic_objectives import without_slack_sums
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.net_return import NetReturn
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.charnes_cooper import (
    HomogenisedLimits,
    RisklessPortfolio,
    refuse_without_excess_return,
)
from domain.optimization.programs.duality import bound_multipliers, proven_bound, ratio_gap
from domain.optimization.programs.program import Program, padded
from domain.optimization.programs.quadratic import solve_quadratic
from domain.optimization.programs.rounding import round_to_zero
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.programs.tied_optima import largest_kappa_on_face
from domain.optimization.solution import Candidate, Engine

RISKLESS = 1e-14
"""A scaled variance below this is that of a riskless portfolio, or below this times the sum of squared weights where
that is above 1: long and short positions that cancel leave a rounding of their size."""


def maximum_ratio(
    problem: Problem, limits: FeasibleSet, risk_free_rate_annual: float, control: SolverControl
) -> Candidate | None:
    """The highest (annual return - risk-free rate) / annual volatility.

    Raises NoPositiveExcessReturn where every feasible portfolio has an excess return of zero or less.
    """
    return _maximise(
        problem,
        limits,
        NetReturn(problem.periods_per_year * problem.moments.expected_returns, risk_free_rate_annual),
        control,
    )


def maximum_diversification(problem: Problem, limits: FeasibleSet, control: SolverControl) -> Candidate | None:
    """The highest ratio of average to portfolio volatility (Choueifaty & Coignard 2008)."""
    spread = NetReturn(problem.periods_per_year**0.5 * problem.moments.volatilities, is_spread=True)
    return _maximise(problem, limits, spread, control)


def _maximise(problem: Problem, limits: FeasibleSet, net_return: NetReturn, control: SolverControl) -> Candidate | None:
    return without_slack_sums(limits, lambda some: _maximise_within(problem, some, net_return, control))


def _maximise_within(
    problem: Problem, limits: FeasibleSet, net_return: NetReturn, control: SolverControl
) -> Candidate | None:
    cone = HomogenisedLimits.of(limits)
    scale = problem.variance_scale
    size = max(float(np.abs(net_return.by_asset).max()), abs(net_return.constant))
    if size == 0.0:
        refuse_without_excess_return(limits, net_return, control)
        return None
    hessian = padded(2.0 / scale * problem.moments.covariance, cone.columns)
    program = Program(hessian, np.zeros(cone.columns), cone.polytope(net_return, size))
    answer = solve_quadratic(program, control)
    if answer is None:
        refuse_without_excess_return(limits, net_return, control)
        return None
    answer = largest_kappa_on_face(program, answer, cone.kappa, control)
    value = program.value(answer.point)
    kappa = cone.kappa_of(answer.point, answer.solver)
    weights = round_to_zero(answer.point[: limits.n_assets] / kappa)
    held = answer.point[: limits.n_assets]
    if value < RISKLESS * max(1.0, float(held @ held)):
        raise RisklessPortfolio(net_return, weights)
    ratio = size / (value * scale * problem.periods_per_year) ** 0.5
    unit = ratio * kappa / (2.0 * value)
    box_multipliers = bound_multipliers(program, answer)[: limits.n_assets]
    return Candidate(
        weights=weights,
        engine=Engine.FAST,
        solver=answer.solver,
        solver_version=solver_version(answer.solver),
        iterations=answer.iterations,
        relative_gap=ratio_gap(value, proven_bound(program, answer), degree=2),
        binding=cone.binding(answer.row_multipliers, box_multipliers, weights, unit),
    )
