"""Risk budgets through Riskfolio-Lib, exact and relaxed."""

from typing import Any

import numpy as np

from domain.checks import Vector
from domain.errors import NotSupported
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.request.objectives import RelaxedRiskBudget, RiskBudget
from domain.optimization.riskfolio.adapter import call_riskfolio, riskfolio_portfolio
from domain.optimization.riskfolio.mean_risk import riskfolio_measure
from domain.optimization.riskfolio.translation import RiskfolioInput

NEAR = 1e-6
"""Limits missed by less than this are those of its solver."""


def budget_weights(problem: Problem, limits: FeasibleSet, inputs: RiskfolioInput, objective: RiskBudget) -> Vector:
    """What it answers to risk budgets, (N,). Raises NotSupported and SolverFailed.

    It holds budgets within limits in another sense (the limits share in the budgets), so it is asked without them.
    """
    name = riskfolio_measure(problem.risk_measure)
    budgets = budget_column(objective.budgets, limits.n_assets)

    def ask(riskfolio: Any, pd: Any) -> Any:
        portfolio = riskfolio_portfolio(riskfolio, pd, problem, inputs, name)
        portfolio.ainequality = portfolio.binequality = None
        return portfolio.rp_optimization(model="Classic", rm=name, rf=0.0, b=budgets, hist=True)

    weights = problem.budget * call_riskfolio(ask)
    missed = limits.violated(weights, NEAR)
    if missed:
        here = ", ".join(missed)
        raise NotSupported(f"Riskfolio-Lib means something else by risk budgets within limits, here {here}; use AUTO")
    return weights


def relaxed_weights(
    problem: Problem, limits: FeasibleSet, inputs: RiskfolioInput, objective: RelaxedRiskBudget
) -> Vector:
    """What it answers to relaxed risk budgets, (N,): its version A without a penalty, C with one."""
    budgets = budget_column(objective.budgets, limits.n_assets)
    version = "C" if objective.penalty > 0.0 else "A"

    def ask(riskfolio: Any, pd: Any) -> Any:
        portfolio = riskfolio_portfolio(riskfolio, pd, problem, inputs, "MV")
        # Its weights sum to one here, whatever its budget is, so limits are divided by the budget.
        portfolio.binequality = inputs.ends.reshape(-1, 1) / inputs.budget
        return portfolio.rrp_optimization(model="Classic", version=version, l=objective.penalty, b=budgets, hist=True)

    return problem.budget * call_riskfolio(ask)


def budget_column(budgets: Vector | None, size: int) -> Vector:
    """Risk budgets as the column that it takes, (N, 1), sum 1."""
    column = np.full(size, 1.0) if budgets is None else budgets
    result: Vector = (column / column.sum()).reshape(-1, 1)
    return result
