"""Risk budgets of factors: each contributes a given fraction of the volatility; the unexplained part contributes none.

With loadings A (N, K) the exposures are y = A'w. The portfolio that minimises w'Sigma w / 2 - sum b ln(A'w) has Sigma w
in the span of A and y_k (A+ Sigma w)_k = b_k w'Sigma w (Roncalli & Weisang 2016, "Risk parity portfolios with risk
factors", section 3). In the exposures alone it is y'My / 2 - sum b ln y, M = (A' Sigma^-1 A)^-1, w = Sigma^-1 A M y.
"""

import numpy as np

from domain.checks import Matrix, Vector
from domain.errors import InvalidInput, NotSupported
from domain.optimization.feasibility import is_feasible
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.log_barrier import LogBarrier, unconstrained_minimiser
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.request.objectives import FactorBudget
from domain.optimization.risk_budgeting.constrained_risk_budget import BudgetedExposures, constrained_risk_budget
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE

FIELD = "objective.risk_budget.factor_budgets"

SINGULAR = 1e-11
"""Smallest eigenvalue of a correlation, relative to the largest, below which its inverse is rounding."""

COLLINEAR = 1e-9
"""Part of a factor's loadings that others do not explain, below which it is a combination of them."""


def factor_risk_budget(
    problem: Problem, limits: FeasibleSet, objective: FactorBudget, control: SolverControl
) -> Candidate | None:
    """The portfolio with the factors' budgets, bounded where a limit binds; None where no weights keep the limits.

    Raises InvalidInput for loadings or a covariance that leave it undefined, and NotSupported where the portfolio has
    no positive sum or no lambda meets the budget.
    """
    if not problem.risk_measure.is_quadratic:
        raise NotSupported("factor budgets are fractions of the volatility; use RISK_MEASURE_VARIANCE")
    budget = problem.budget
    if budget <= 0.0:
        raise InvalidInput(
            problem.budget_field, "must be above 0: factor budgets are fractions of a held portfolio's risk"
        )
    volatilities, correlation = _regular_correlation(problem)
    loadings = _independent_loadings(objective, volatilities)
    fractions = objective.budgets / objective.budgets.sum()
    hedged_loadings = np.linalg.solve(correlation, loadings)
    inverse = np.linalg.inv(loadings.T @ hedged_loadings)
    spread = np.sqrt(np.diag(inverse))
    barrier = LogBarrier(
        inverse / np.outer(spread, spread), fractions, np.zeros(len(fractions)), np.full(len(fractions), np.inf)
    )
    point, steps = unconstrained_minimiser(barrier, control)
    weights = hedged_loadings @ (inverse @ (point / spread)) / volatilities
    total = float(weights.sum())
    is_long = total > 0.0
    if is_long:
        weights *= budget / total
        if limits.violation(weights) <= FEASIBILITY_TOLERANCE:
            gap = barrier.relative_gap(point, 1.0)
            return Candidate(weights, Engine.FAST, "newton", iterations=steps, relative_gap=gap)
    if not is_feasible(limits):
        return None
    if not is_long and (limits.lower < 0.0).any():
        raise NotSupported(
            f"the portfolio of these factor budgets has weights that sum to {total:.3g} times its size, so that no "
            "multiple of it meets the budget; bound the weights by 0, or turn a factor's loadings round"
        )
    start = weights if is_long else np.full(limits.n_assets, budget / limits.n_assets)
    # Logarithms of exposures in units of their own; their scale is a constant of the objective.
    exposures = loadings * volatilities[:, None]
    return constrained_risk_budget(
        problem, limits, BudgetedExposures(exposures / np.abs(exposures).max(axis=0), fractions), start, control
    )


def _regular_correlation(problem: Problem) -> tuple[Vector, Matrix]:
    """Volatilities and correlation of assets none of which the others hedge without a rest."""
    volatilities = problem.moments.volatilities
    if (volatilities <= 0.0).any():
        symbol = problem.moments.symbols[int(np.argmin(volatilities))]
        raise InvalidInput("covariance", f"a factor budget needs every variance above 0, that of {symbol} is not")
    correlation = problem.moments.covariance / np.outer(volatilities, volatilities)
    values = np.linalg.eigvalsh(correlation)
    if values[0] <= SINGULAR * values[-1]:
        raise InvalidInput(
            "covariance",
            f"must be regular for factor budgets, but an eigenvalue of its correlation is {values[0]:.2g}: some "
            "portfolio has no risk; use more periods than assets, or an estimator that shrinks",
        )
    return volatilities, correlation


def _independent_loadings(objective: FactorBudget, volatilities: Vector) -> Matrix:
    """Loadings per unit of volatility, columns of length one. Raises InvalidInput for what the others explain."""
    scaled = objective.loadings / volatilities[:, None]
    lengths = np.linalg.norm(scaled, axis=0)
    for k, name in enumerate(objective.factors):
        if lengths[k] == 0.0:
            raise InvalidInput(f"{FIELD}[{k}].loadings", f"of {name} are 0 for every asset")
    scaled = scaled / lengths
    for k, name in enumerate(objective.factors):
        before = scaled[:, :k]
        rest = scaled[:, k] - before @ np.linalg.lstsq(before, scaled[:, k])[0] if k else scaled[:, k]
        if float(np.linalg.norm(rest)) <= COLLINEAR:
            raise InvalidInput(
                f"{FIELD}[{k}].loadings",
                f"of {name} are a combination of those before: its fraction of the risk has no meaning",
            )
    return np.asarray(scaled, dtype=np.float64)
