"""Risk budgets: each asset contributes a given fraction of the volatility.

Without binding bounds, the long-only portfolio whose risk contributions are in the proportions b is y / sum(y) where y
minimises y'Sigma y / 2 - sum b ln y (Maillard, Roncalli & Teiletche 2010; Spinu 2013), a strictly convex problem that
Newton's method solves in a few steps. Within bounds it is the minimum of volatility - lambda sum b ln w with lambda
such that the budget holds (Richard & Roncalli 2019); that has the optimality conditions of
w'Sigma w / 2 - theta sum b ln w with theta = lambda volatility.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import InvalidInput, SolverFailed, UnboundedProblem
from domain.optimization.feasibility import is_feasible
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.log_barrier import (
    SMALLEST,
    STEPS,
    LogBarrier,
    box_minimiser,
    can_be_riskless,
    unconstrained_minimiser,
)
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import RiskBudget
from domain.optimization.risk_budgeting.constrained_risk_budget import (
    BudgetedExposures,
    constrained_risk_budget,
    refuse_without_exposure,
)
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, GAP_TOLERANCE

BUDGET_TOLERANCE = 1e-12


def risk_budget(
    problem: Problem, limits: FeasibleSet, objective: RiskBudget, control: SolverControl
) -> Candidate | None:
    """The portfolio with the budgets, bounded where a limit binds.

    Raises InvalidInput for an asset that does not vary, InfeasibleProblem, and NotSupported where limits leave bounded
    budgets undefined.
    """
    volatilities = problem.moments.volatilities
    if (volatilities <= 0.0).any():
        symbol = problem.moments.symbols[int(np.argmin(volatilities))]
        raise InvalidInput("covariance", f"a risk budget needs every variance above 0, that of {symbol} is not")
    budget = problem.budget
    if budget <= 0.0:
        raise InvalidInput(
            problem.budget_field, "must be above 0: risk budgets are fractions of a long portfolio's risk"
        )
    n_assets = len(volatilities)
    fractions = (
        np.full(n_assets, 1.0 / n_assets) if objective.budgets is None else objective.budgets / objective.budgets.sum()
    )
    correlation = problem.moments.covariance / np.outer(volatilities, volatilities)
    free = LogBarrier(correlation, fractions, np.zeros(n_assets), np.full(n_assets, np.inf))
    try:
        point, steps = unconstrained_minimiser(free, control)
        proven = free.relative_gap(point, 1.0) <= GAP_TOLERANCE
    except SolverFailed as error:
        if not can_be_riskless(correlation):
            raise SolverFailed("risk budgets did not converge") from error
        proven = False
    if not proven and can_be_riskless(correlation):
        raise UnboundedProblem("budgets of a volatility that long portfolios can bring to zero do not exist")
    weights = point / volatilities
    weights *= budget / weights.sum()
    if limits.violation(weights) <= FEASIBILITY_TOLERANCE:
        return _candidate(weights, steps, free.relative_gap(point, 1.0))
    if not is_feasible(limits):
        return None
    refuse_without_exposure(limits, None, control)
    return _bounded(problem, limits, LogBarrier(correlation, fractions, *_box(limits, volatilities, budget)), control)


def _box(limits: FeasibleSet, volatilities: Vector, budget: float) -> tuple[Vector, Vector]:
    lower = np.maximum(limits.lower, SMALLEST * budget)
    return lower * volatilities, limits.upper * volatilities


def _bounded(problem: Problem, limits: FeasibleSet, barrier: LogBarrier, control: SolverControl) -> Candidate:
    """theta such that the budget holds: the weights of the box problem grow with it."""
    volatilities, budget = problem.moments.volatilities, problem.budget
    point = np.clip(barrier.budgets, barrier.lower, barrier.upper)
    low, high, steps = 0.0, 1.0, 0

    def missing(theta: float) -> float:
        nonlocal point, steps
        point, taken = box_minimiser(barrier, theta, point, control)
        steps += taken
        return float((point / volatilities).sum()) / budget - 1.0

    # Start near the variance of the portfolio, which theta is where no bound binds.
    high = max(float(point @ barrier.correlation @ point), SMALLEST)
    while missing(high) < -BUDGET_TOLERANCE and high < 1e30:
        low, high = high, 4.0 * high
    theta = high
    for _ in range(STEPS):
        theta = 0.5 * (low + high)
        gap = missing(theta)
        if abs(gap) <= BUDGET_TOLERANCE or high - low <= 1e-16 * high:
            break
        low, high = (theta, high) if gap < 0.0 else (low, theta)
    weights = point / volatilities
    if limits.violation(weights) > FEASIBILITY_TOLERANCE:
        # Limits on several weights at once, which Newton's method does not support.
        return constrained_risk_budget(problem, limits, BudgetedExposures(None, barrier.budgets), weights, control)
    return _candidate(weights, steps, barrier.relative_gap(point, theta))


def _candidate(weights: Vector, steps: int, gap: float) -> Candidate:
    return Candidate(weights, Engine.FAST, "newton", iterations=steps, relative_gap=gap)
