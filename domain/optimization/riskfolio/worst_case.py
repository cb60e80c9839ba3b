"""Goals met in the worst case through Riskfolio-Lib, its uncertainty sets set to ours."""

from typing import Any

import numpy as np

from domain.checks import Matrix, Vector
from domain.optimization.conic.robust import upper_covariance, worst_net_return
from domain.optimization.problem.net_return import BoxDeduction, EllipsoidDeduction
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import MaxRatio, MaxReturn, MaxUtility, MinRisk, Uncertainty, WorstCase
from domain.optimization.riskfolio.adapter import call_riskfolio, riskfolio_portfolio
from domain.optimization.riskfolio.translation import RiskfolioInput

OF_MEANS = {Uncertainty.NONE: None, Uncertainty.BOX: "box", Uncertainty.ELLIPSOID: "ellip"}
GOALS = {MinRisk: "MinRisk", MaxReturn: "MaxRet", MaxUtility: "Utility", MaxRatio: "Sharpe"}


def worst_case_weights(problem: Problem, inputs: RiskfolioInput, objective: WorstCase) -> Vector:
    """What it answers to a goal in the worst case, (N,). Raises NotSupported and SolverFailed."""
    size, annual, goal = len(inputs.means), problem.periods_per_year, objective.goal
    # A highest return has no use for a covariance, and its program for a box of them.
    boxed = objective.covariance is Uncertainty.BOX and not isinstance(goal, MaxReturn)
    rate = goal.risk_free_rate_annual / annual / inputs.unit if isinstance(goal, MaxRatio) else 0.0
    aversion = 0.5 * goal.risk_aversion * inputs.unit if isinstance(goal, MaxUtility) else 0.0
    radii, root = np.zeros(size), np.zeros((size, size))
    for doubt in worst_net_return(problem, objective, 0.0).deductions:
        match doubt:
            case BoxDeduction():
                radii = doubt.radii / annual / inputs.unit
            case EllipsoidDeduction():
                root = doubt.root / annual / inputs.unit
    highest = worst_covariance(problem, objective) / inputs.unit**2 if boxed else inputs.covariance

    def ask(riskfolio: Any, pd: Any) -> Any:
        portfolio = riskfolio_portfolio(riskfolio, pd, problem, inputs, "MV")
        portfolio.d_mu = pd.DataFrame(radii.reshape(1, -1))
        portfolio.k_mu, portfolio.cov_mu = 1.0, pd.DataFrame(root.T @ root)
        portfolio.cov_u, portfolio.cov_l = pd.DataFrame(highest), pd.DataFrame(2.0 * inputs.covariance - highest)
        portfolio.k_sigma, portfolio.cov_sigma = 0.0, pd.DataFrame(np.eye(size**2))
        means = OF_MEANS[objective.expected_returns]
        return portfolio.wc_optimization(
            obj=GOALS[type(goal)], rf=rate, l=aversion, Umu=means, Ucov="box" if boxed else None
        )

    return call_riskfolio(ask)


def worst_covariance(problem: Problem, objective: WorstCase) -> Matrix:
    """The covariance that the goal is met with, (N, N)."""
    if objective.covariance is Uncertainty.NONE:
        return problem.moments.covariance
    observations = len(problem.risk_in(problem.risk_measure).distribution.values)
    return upper_covariance(problem.moments.covariance, observations, objective.confidence_level)
