"""Ordered weighted averages through Riskfolio-Lib."""

from typing import Any

from domain.checks import Vector
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import OrderedWeightedAverage
from domain.optimization.riskfolio.adapter import answered, portfolio_of
from domain.optimization.riskfolio.translation import Terms


def ordered_weights(problem: Problem, terms: Terms, objective: OrderedWeightedAverage) -> Vector:
    """What it answers to the least ordered weighted average of losses, (N,). Raises NotSupported and SolverFailed."""
    # It orders returns where ours are losses, and asks for no order of the weights.
    of_returns = -objective.weights.reshape(-1, 1)

    def ask(riskfolio: Any, pd: Any) -> Any:
        made = portfolio_of(riskfolio, pd, problem, terms, "WR")
        return made.owa_optimization(obj="MinRisk", owa_w=of_returns, rf=0.0, l=0.0)

    return answered(ask)
