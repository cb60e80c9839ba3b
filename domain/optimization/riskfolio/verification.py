"""Compares Riskfolio-Lib's weights with the proven ones, by our own definition of every objective."""

import math

import numpy as np

from domain.checks import Vector
from domain.errors import SolverFailed
from domain.estimation.clustering import Places, cluster_count
from domain.optimization.clustering.hierarchical import cluster_assets
from domain.optimization.conic.robust import worst_net_return
from domain.optimization.problem.objective_value import objective_value
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.duality import gap_to_bound
from domain.optimization.request.objectives import (
    Hierarchical,
    HierarchicalMethod,
    MaxRatio,
    MaxReturn,
    MaxUtility,
    MinRisk,
    RelaxedRiskBudget,
    RiskBudget,
    WorstCase,
)
from domain.optimization.riskfolio.risk_parity import budget_column
from domain.optimization.riskfolio.worst_case import worst_covariance
from domain.risk.measures import to_first_degree

RISK_FLOOR = 1e-3
"""An objective below this many typical deviations counts as this when a gap is taken relative to it."""

HELD = 1e-6
"""A cluster with less than this of the portfolio is as good as empty."""

SAME_WEIGHTS = 1e-8
"""Weights of a hierarchy that differ by no more than this, in units of the budget, are the same."""


def gap_of(problem: Problem, weights: Vector, proven: Vector) -> float | None:
    """By how much they are worse than the proven ones, relatively; None for HRP and HERC, which have no objective.

    Raises SolverFailed for a hierarchy's weights that are others than ours: nothing says which of two is wrong.
    """
    if isinstance(problem.objective, Hierarchical):
        if problem.objective.method is HierarchicalMethod.NCO:
            return _nested_gap(problem, problem.objective, weights, proven)
        apart = float(np.abs(weights - proven).max()) / problem.budget
        if not apart <= SAME_WEIGHTS:
            said = f"Riskfolio-Lib's hierarchy has other weights than ours, by up to {apart:.2g}"
            raise SolverFailed(said, excess=f"{apart:.1e}")
        return None
    best, value = value_of_weights(problem, proven), value_of_weights(problem, weights)
    if isinstance(problem.objective, RiskBudget):
        return max(value - best, 0.0)  # a logarithm of risk, so relative already
    return gap_to_bound(value, best, max(abs(best), RISK_FLOOR * problem.deviation.scale))


def value_of_weights(problem: Problem, weights: Vector) -> float:
    """The value of the objective at given weights, to be minimised."""
    match problem.objective:
        case RiskBudget(budgets):
            return _budget_value(problem, weights, budget_column(budgets, len(weights))[:, 0])
        case RelaxedRiskBudget(budgets, penalty):
            return _relaxed_value(problem, weights, budget_column(budgets, len(weights))[:, 0], penalty)
        case WorstCase() as objective:
            return _worst_value(problem, weights, objective)
    return objective_value(problem, weights)


def _nested_gap(problem: Problem, objective: Hierarchical, weights: Vector, proven: Vector) -> float:
    """NCO has the least risk within each cluster, then between them: how far each of these is missed, relatively."""
    clusters = [np.arange(len(weights))]
    if len(weights) > 1:
        tree, similarity = cluster_assets(problem, objective)
        clusters += tree.cut(cluster_count(tree, similarity.distance, objective.max_clusters))

    def risk_within(held: Vector, members: Places) -> float:
        inside = np.zeros(len(held))
        total = float(held[members].sum())
        inside[members] = held[members] / total if total > HELD else 1.0 / len(members)
        return problem.risk.of(inside)

    floor = RISK_FLOOR * problem.risk.scale**problem.risk_measure.degree
    gaps = []
    for members in clusters:
        if len(members) > 1:
            theirs, ours = risk_within(weights, members), risk_within(proven, members)
            gaps.append(abs(theirs - ours) / max(abs(ours), floor))
    return max(gaps, default=0.0)


def _budget_value(problem: Problem, weights: Vector, budgets: Vector) -> float:
    """ln risk(w) - sum b ln w: risk(y) - sum b ln y at the y in proportion to w where it is least."""
    if not (weights > 0.0).all():
        return math.inf
    risk = problem.risk
    size = to_first_degree(risk.of(weights), risk.measure.degree)
    return math.log(size) - float(budgets @ np.log(weights)) if size > 0.0 else -math.inf


def _relaxed_value(problem: Problem, weights: Vector, budgets: Vector, penalty: float) -> float:
    """psi - gamma of Gambeta & Kwon 2020."""
    covariance = problem.moments.covariance
    carried = np.maximum(weights, 0.0) * np.maximum(covariance @ weights, 0.0) / budgets
    risk = float(weights @ covariance @ weights) + penalty * float(np.diag(covariance) @ weights**2)
    return math.sqrt(max(risk, 0.0)) - math.sqrt(float(carried.min()))


def _worst_value(problem: Problem, weights: Vector, objective: WorstCase) -> float:
    """The goal, annual, at the worst of the uncertain estimates."""
    goal, annual = objective.goal, problem.periods_per_year
    variance = max(0.0, float(weights @ worst_covariance(problem, objective) @ weights))
    rate = goal.risk_free_rate_annual if isinstance(goal, MaxRatio) else 0.0
    net_return = worst_net_return(problem, objective, rate).of(weights)
    match goal:
        case MinRisk():
            return variance
        case MaxReturn():
            return -net_return
        case MaxUtility(aversion):
            return 0.5 * aversion * annual * variance - net_return
    return -net_return / math.sqrt(annual * variance) if variance > 0.0 else math.inf
