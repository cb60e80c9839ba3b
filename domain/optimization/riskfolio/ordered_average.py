"""Ordered weighted averages through Riskfolio-Lib."""

from typing import Any

from domain.checks import Vector
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import OrderedWeightedAverage
from domain.optimization.riskfolio.adapter import call_riskfolio, riskfolio_portfolio
from domain.optimization.riskfolio.translation import RiskfolioInput


def ordered_weights(problem: Problem, inputs: RiskfolioInput, objective: OrderedWeightedAverage) -> Vector:
    """What it answers to the least ordered weighted average of losses, (N,). Raises NotSupported and SolverFailed."""
    # It orders returns where ours are losses, and asks for no order of the weights.
    of_returns = -objective.weights.reshape(-1, 1)

    def ask(riskfolio: Any, pd: Any) -> Any:
        portfolio = riskfolio_portfolio(riskfolio, pd, problem, inputs, "WR")
        return portfolio.owa_optimization(obj="MinRisk", owa_w=of_returns, rf=0.0, l=0.0)

    return call_riskfolio(ask)
