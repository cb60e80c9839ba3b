"""Robust optimisation: objectives in the worst case of uncertain estimates (Goldfarb & Iyengar 2003; Tutuncu & Koenig
2004).

From T observations the mean has the standard errors sigma / sqrt(T) and the covariance Sigma / T; a covariance's entry
has sqrt((s_ii s_jj + s_ij^2) / T) (Gaussian, Anderson 2003). A box takes each number within z standard errors, z the
two-sided normal quantile of the confidence; an ellipsoid takes all means with (mu - m)'(Sigma / T)^-1 (mu - m) up to
the chi-squared quantile with N degrees of freedom. The worst covariance of a box, for long weights, is its upper end;
that of an ellipsoid is known for all weights (see `ellipsoid_factor`).
"""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np

from domain.checks import Matrix
from domain.errors import NotSupported
from domain.market_data.moments import Moments
from domain.optimization.conic.conic_objectives import RiskPenalty, maximum_net_return, maximum_ratio, minimum_risk
from domain.optimization.conic.conic_problem import covariance_root
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.net_return import (
    BoxDeduction,
    Deduction,
    EllipsoidDeduction,
    NetReturn,
    annual_net_return,
)
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import MaxRatio, MaxReturn, MaxUtility, MinRisk, Uncertainty, WorstCase
from domain.optimization.solution import Candidate
from domain.risk.measures import RiskMeasure


def worst_case(problem: Problem, limits: FeasibleSet, objective: WorstCase, control: SolverControl) -> Candidate | None:
    """The best weights in the worst case, or None where none keep the limits.

    Raises NotSupported for moments, which do not say how sure they are, for measures other than variance, and for
    a box of covariances where weights may be negative.
    """
    if not problem.risk_measure.is_quadratic:
        raise NotSupported(f"the worst case is known for variance, not for {problem.risk_measure}")
    robust = replace(problem, moments=_worst_moments(problem, limits, objective))
    free_rate = objective.goal.risk_free_rate_annual if isinstance(objective.goal, MaxRatio) else 0.0
    net_return = worst_net_return(problem, objective, free_rate)
    match objective.goal:
        case MinRisk():
            return minimum_risk(robust, limits, control)
        case MaxReturn():
            return maximum_net_return(limits, control, net_return)
        case MaxUtility(aversion):
            penalty = RiskPenalty(robust.risk_in(RiskMeasure.VARIANCE), 0.5 * aversion * problem.periods_per_year)
            return maximum_net_return(limits, control, net_return, penalty)
        case MaxRatio():
            return maximum_ratio(limits, control, net_return, robust.deviation)


def worst_net_return(problem: Problem, objective: WorstCase, constant: float) -> NetReturn:
    """The annual net return with the means at their worst."""
    usual = annual_net_return(problem, constant)
    doubt: tuple[Deduction, ...] = ()
    moments, annual = problem.moments, problem.periods_per_year
    match objective.expected_returns:
        case Uncertainty.BOX:
            reach = _two_sided_normal_quantile(objective.confidence_level) / _observations(problem) ** 0.5
            doubt = (BoxDeduction(annual * reach * moments.volatilities),)
        case Uncertainty.ELLIPSOID:
            squared = _chi_squared_quantile(len(moments.symbols), objective.confidence_level)
            reach = (squared / _observations(problem)) ** 0.5
            doubt = (EllipsoidDeduction(annual * reach * covariance_root(moments.covariance)),)
    return replace(usual, deductions=(*usual.deductions, *doubt))


def upper_covariance(covariance: Matrix, observations: int, confidence_level: float) -> Matrix:
    """Every entry at the upper end of its interval, repaired to be semidefinite, which only makes it larger."""
    variances = np.diag(covariance)
    errors = np.sqrt((np.outer(variances, variances) + covariance**2) / observations)
    values, vectors = np.linalg.eigh(covariance + _two_sided_normal_quantile(confidence_level) * errors)
    result: Matrix = (vectors * values.clip(min=0.0)) @ vectors.T
    return 0.5 * (result + result.T)


def ellipsoid_factor(assets: int, observations: int, confidence_level: float) -> float:
    """By how much any portfolio's variance is larger at the worst covariance of the ellipsoid of its entries.

    Entries estimated from T Gaussian returns have cov(s_ij, s_kl) = (s_ik s_jl + s_il s_jk) / T = Omega, so a linear
    function <A, S> of the covariance, A symmetric, has the variance 2 tr(A Sigma A Sigma) / T. Over the ellipsoid of
    all S with (vec S - vec Sigma)' Omega^+ (vec S - vec Sigma) <= k^2 it is at most <A, Sigma> plus k of its standard
    errors. A portfolio's variance is such a function with A = ww', its own variance being 2 (w'Sigma w)^2 / T: the
    worst is w'Sigma w (1 + k sqrt(2 / T)). It is reached at Sigma + k sqrt(2 / T) Sigma w w'Sigma / w'Sigma w, which is
    semidefinite: members of the ellipsoid that are no covariances do not matter. k^2 is the chi-squared quantile with
    the N (N + 1) / 2 degrees of freedom of the entries.
    """
    squared = _chi_squared_quantile(assets * (assets + 1) // 2, confidence_level)
    return 1.0 + math.sqrt(2.0 * squared / observations)


def _chi_squared_quantile(freedom: int, confidence_level: float) -> float:
    """The chi-squared quantile."""
    from scipy.special import gammaincinv  # only where it is used: a server that never asks does not load it

    return 2.0 * float(gammaincinv(0.5 * freedom, confidence_level))


def _worst_moments(problem: Problem, limits: FeasibleSet, objective: WorstCase) -> Moments:
    match objective.covariance:
        case Uncertainty.NONE:
            return problem.moments
        case Uncertainty.ELLIPSOID:
            factor = ellipsoid_factor(limits.n_assets, _observations(problem), objective.confidence_level)
            return replace(problem.moments, covariance=factor * problem.moments.covariance)
    if (limits.lower < 0.0).any():
        raise NotSupported(
            "the worst covariance of a box is known for long-only portfolios; with shorts use UNCERTAINTY_ELLIPSOID"
        )
    worst = upper_covariance(problem.moments.covariance, _observations(problem), objective.confidence_level)
    return replace(problem.moments, covariance=worst)


def _observations(problem: Problem) -> int:
    scenarios = problem.scenarios
    if scenarios is None or not scenarios.are_observations:
        raise NotSupported("a worst case needs returns or prices: without observations nothing says how sure they are")
    return len(scenarios.values)


def _two_sided_normal_quantile(confidence_level: float) -> float:
    return NormalDist().inv_cdf(0.5 * (1.0 + confidence_level))
