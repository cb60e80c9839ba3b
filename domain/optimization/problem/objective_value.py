"""The value of the objective at given weights, to be minimised. Every engine's answer is compared by it."""

import math

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import (
    HigherMoments,
    Kelly,
    KellyMethod,
    MaxDiversification,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    OrderedWeightedAverage,
    Tracking,
)
from domain.risk.measures import RiskMeasure, to_first_degree
from domain.risk.measures.spectral import given_weights, spectral_risk
from domain.risk.outcomes import Outcomes


def objective_value(problem: Problem, weights: Vector) -> float:
    """Risk, or minus what is to be highest, in the objective's own unit; infinite where it is not defined.

    Raises NotSupported for objectives that are not a function of the weights alone.
    """
    annual = problem.periods_per_year
    cost = 0.0 if problem.costs is None else problem.costs.first_year(weights)
    net_return = annual * float(problem.moments.expected_returns @ weights) - cost
    match problem.objective:
        case MinRisk():
            return problem.risk.of(weights)
        case MaxReturn():
            return -net_return
        case MaxUtility(aversion):
            return 0.5 * aversion * annual * problem.utility_risk.of(weights) - net_return
        case MaxRatio(risk_free):
            return _ratio(net_return - risk_free, annual_ratio_risk(problem, weights))
        case MaxDiversification():
            spread = float(problem.moments.volatilities @ weights)
            return _ratio(spread, problem.deviation.of(weights))
        case Tracking(benchmark):
            return math.sqrt(annual) * problem.deviation.of(weights - benchmark)
        case Kelly(method):
            return -expected_log_growth(problem, weights, method)
        case HigherMoments():
            return higher_moment_value(problem, weights, problem.objective)
        case OrderedWeightedAverage(ordered, goal):
            outcomes = Outcomes(problem.risk_in(RiskMeasure.WORST_REALIZATION).distribution.values @ weights)
            average = spectral_risk(
                outcomes.returns, given_weights("objective.owa.weights", ordered, len(ordered)), outcomes.probabilities
            )
            return _by_average(goal, net_return, average, annual)
    name = type(problem.objective).__name__
    raise NotSupported(f"{name} has no value to compare portfolios by, as limits on which assets are held need it")


def _by_average(goal: MinRisk | MaxUtility | MaxRatio, net_return: float, average: float, annual: float) -> float:
    match goal:
        case MaxUtility(aversion):
            return 0.5 * aversion * annual * average - net_return
        case MaxRatio(risk_free):
            return _ratio(net_return - risk_free, average)
        case MinRisk():
            return average


def annual_ratio_risk(problem: Problem, weights: Vector) -> float:
    """The denominator of a ratio, to the first degree: the annual volatility, or the measure per period."""
    risk = problem.ratio_risk
    value = to_first_degree(risk.of(weights), risk.measure.degree)
    return value * problem.periods_per_year**0.5 if risk.measure.is_quadratic else value


def expected_log_growth(problem: Problem, weights: Vector, method: KellyMethod) -> float:
    """Expected logarithmic growth per period, minus infinity where an outcome takes everything."""
    mean = float(problem.moments.expected_returns @ weights)
    if method is KellyMethod.QUADRATIC:
        return mean - 0.5 * problem.risk_in(RiskMeasure.VARIANCE).of(weights)
    scenarios = problem.risk.distribution
    outcomes = scenarios.values @ weights
    if method is KellyMethod.SECOND_MOMENT:
        return float(scenarios.probabilities @ (outcomes - 0.5 * outcomes**2))
    possible = outcomes[scenarios.probabilities > 0.0]
    if possible.min() <= -1.0:
        return -np.inf
    return float(scenarios.probabilities[scenarios.probabilities > 0.0] @ np.log1p(possible))


def higher_moment_value(problem: Problem, weights: Vector, objective: HigherMoments) -> float:
    """a E z^2 - b E z^3 + c E z^4 per period, less the mean where that counts; z is the outcome about its own mean."""
    scenarios = problem.risk_in(RiskMeasure.KURTOSIS).distribution
    probabilities, outcomes = scenarios.probabilities, scenarios.values @ weights
    deviations = outcomes - float(probabilities @ outcomes)
    second, third, fourth = (float(probabilities @ deviations**k) for k in (2, 3, 4))
    bad = objective.variance * second - objective.skewness * third + objective.kurtosis * fourth
    return bad if objective.ignore_mean else bad - float(problem.moments.expected_returns @ weights)


def _ratio(net_return: float, risk: float) -> float:
    """Minus the ratio."""
    if risk > 0.0:
        return -net_return / risk
    return np.inf if net_return <= 0.0 else -np.inf
