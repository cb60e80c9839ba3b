"""The methods of the table in `dispatch`, all called in the same way: with a problem, its limits, an objective."""

from collections.abc import Callable

from domain.checks import Vector
from domain.optimization.closed_form import equal_weight, inverse_volatility
from domain.optimization.clustering.hierarchical import hierarchical
from domain.optimization.conic import conic_objectives
from domain.optimization.conic.higher_moments import higher_moments
from domain.optimization.conic.kelly import maximum_growth
from domain.optimization.conic.robust import worst_case
from domain.optimization.mean_variance import maximum_ratio, quadratic_objectives
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.net_return import NetReturn, annual_net_return
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request import objectives
from domain.optimization.risk_budgeting.factor_risk_budget import factor_risk_budget
from domain.optimization.risk_budgeting.relaxed_risk_parity import relaxed_risk_parity
from domain.optimization.risk_budgeting.risk_budget import risk_budget
from domain.optimization.risk_budgeting.scenario_risk_budget import scenario_risk_budget
from domain.optimization.solution import Candidate
from domain.optimization.spectral.cvar import minimum_cvar
from domain.optimization.spectral.spectral_risk import (
    optimise_ordered_average,
    optimise_spectral,
    spectral_risk_of,
)
from domain.optimization.tolerances import GAP_TOLERANCE
from domain.records import dataclass

SolvePart = Callable[[Problem], Vector]
"""Verified weights of a smaller problem, as hierarchies of clusters need them."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a method is given: the problem, its limits, and when to stop."""

    problem: Problem
    limits: FeasibleSet
    control: SolverControl
    solve_part: SolvePart


def minimum_variance(call: Call, objective: objectives.MinRisk) -> Candidate | None:
    """Least variance by a quadratic program."""
    quick = quadratic_objectives.minimum_risk(call.problem, call.limits, call.control)
    return _or_conic(quick, lambda: minimum_risk(call, objective))


def minimum_risk(call: Call, _: objectives.MinRisk) -> Candidate | None:
    """Least risk in any convex measure by a conic program."""
    return conic_objectives.minimum_risk(call.problem, call.limits, call.control)


def tail_program(call: Call, _: objectives.MinRisk) -> Candidate | None:
    """Least CVaR by the linear program of its tail."""
    proof = minimum_cvar(call.problem, call.limits, call.control)
    return None if proof is None else proof.candidate


def cutting_planes(
    call: Call, objective: objectives.MinRisk | objectives.MaxUtility | objectives.MaxRatio
) -> Candidate | None:
    """Least spectral risk, best utility or ratio by cutting planes."""
    return optimise_spectral(call.problem, call.limits, spectral_risk_of(call.problem.risk), objective, call.control)


def highest_return(call: Call, _: objectives.MaxReturn) -> Candidate | None:
    """Highest return by a linear program."""
    return quadratic_objectives.maximum_return(call.problem, call.limits, call.control)


def highest_net_return(call: Call, _: objectives.MaxReturn) -> Candidate | None:
    """Highest net return by a conic program."""
    return conic_objectives.maximum_net_return(call.limits, call.control, annual_net_return(call.problem))


def mean_variance_utility(call: Call, objective: objectives.MaxUtility) -> Candidate | None:
    """Mean-variance utility by a quadratic program."""
    quick = quadratic_objectives.maximum_utility(call.problem, call.limits, objective, call.control)
    return _or_conic(quick, lambda: utility(call, objective))


def utility(call: Call, objective: objectives.MaxUtility) -> Candidate | None:
    """Utility in any convex measure, costs included, by a conic program."""
    problem = call.problem
    factor = 0.5 * objective.risk_aversion * problem.periods_per_year
    penalty = conic_objectives.RiskPenalty(problem.utility_risk, factor)
    return conic_objectives.maximum_net_return(call.limits, call.control, annual_net_return(problem), penalty)


def sharpe_ratio(call: Call, objective: objectives.MaxRatio) -> Candidate | None:
    """Sharpe ratio by a quadratic program."""
    return maximum_ratio.maximum_ratio(call.problem, call.limits, objective.risk_free_rate_annual, call.control)


def ratio(call: Call, objective: objectives.MaxRatio) -> Candidate | None:
    """Return per unit of any convex measure by a conic program."""
    net_return = annual_net_return(call.problem, objective.risk_free_rate_annual)
    return conic_objectives.maximum_ratio(call.limits, call.control, net_return, call.problem.ratio_risk)


def linear_diversification(call: Call, _: objectives.MaxDiversification) -> Candidate | None:
    """Diversification ratio by a quadratic program."""
    return maximum_ratio.maximum_diversification(call.problem, call.limits, call.control)


def diversification(call: Call, _: objectives.MaxDiversification) -> Candidate | None:
    """Diversification ratio under any convex limits by a conic program."""
    problem = call.problem
    numerator = NetReturn(problem.periods_per_year**0.5 * problem.moments.volatilities, is_spread=True)
    return conic_objectives.maximum_ratio(call.limits, call.control, numerator, problem.deviation)


def tracking_error(call: Call, objective: objectives.Tracking) -> Candidate | None:
    """Least tracking error by a conic program."""
    return conic_objectives.minimum_tracking_error(call.problem, call.limits, objective.benchmark, call.control)


def growth(call: Call, objective: objectives.Kelly) -> Candidate | None:
    """Highest expected logarithmic growth."""
    return maximum_growth(call.problem, call.limits, objective.method, call.control)


def robust(call: Call, objective: objectives.WorstCase) -> Candidate | None:
    """An objective in the worst case of uncertain estimates."""
    return worst_case(call.problem, call.limits, objective, call.control)


def volatility_budget(call: Call, objective: objectives.RiskBudget) -> Candidate | None:
    """Risk budgets of the volatility."""
    return risk_budget(call.problem, call.limits, objective, call.control)


def measure_budget(call: Call, objective: objectives.RiskBudget) -> Candidate | None:
    """Risk budgets of any convex measure."""
    return scenario_risk_budget(call.problem, call.limits, objective, call.control)


def factor_budget(call: Call, objective: objectives.FactorBudget) -> Candidate | None:
    """Risk budgets of factors."""
    return factor_risk_budget(call.problem, call.limits, objective, call.control)


def relaxed_budget(call: Call, objective: objectives.RelaxedRiskBudget) -> Candidate | None:
    """Relaxed risk parity."""
    return relaxed_risk_parity(call.problem, call.limits, objective, call.control)


def moments(call: Call, objective: objectives.HigherMoments) -> Candidate | None:
    """Trade-off of mean, variance, skewness and kurtosis."""
    return higher_moments(call.problem, call.limits, objective, call.control)


def ordered_average(call: Call, objective: objectives.OrderedWeightedAverage) -> Candidate | None:
    """Objectives with an ordered weighted average as the risk."""
    return optimise_ordered_average(call.problem, call.limits, objective, call.control)


def hierarchy(call: Call, objective: objectives.Hierarchical) -> Candidate | None:
    """HRP, HERC and NCO."""
    return hierarchical(call.problem, call.limits, objective, call.solve_part, call.control)


def equal_weights(call: Call, _: objectives.EqualWeight) -> Candidate | None:
    """Equal weights."""
    return equal_weight(call.problem, call.limits)


def inverse_volatilities(call: Call, _: objectives.InverseVolatility) -> Candidate | None:
    """Weights in proportion to 1 / volatility."""
    return inverse_volatility(call.problem, call.limits)


def _or_conic(quick: Candidate | None, conic: Callable[[], Candidate | None]) -> Candidate | None:
    """A singular program can leave the quadratic solvers short of a proof that a conic program has."""
    if quick is None or quick.relative_gap is None or quick.is_proven_within(GAP_TOLERANCE):
        return quick
    other = conic()
    better = other is not None and other.relative_gap is not None and other.relative_gap < quick.relative_gap
    return other if better else quick
