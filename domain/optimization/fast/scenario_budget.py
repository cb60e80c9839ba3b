"""Risk budgets in any measure that is convex and homogeneous of degree one: CVaR, drawdowns, deviations.

The weights whose Euler contributions are in the proportions b are y / sum y, y minimising risk(y) - sum b ln y
(Bruder & Roncalli 2012; Mausser & Romanko 2014). A measure of degree two is taken by its root, whose contributions
have the same shares. Within limits that bind they are bounded, as `bounded_budget` says.
"""

from collections.abc import Callable

import numpy as np

from domain.checks import Vector
from domain.errors import InvalidInput, NotSupported, SolverFailed
from domain.optimization.fast.bounded_budget import Shares, bounded_budget
from domain.optimization.fast.cones import ConeModel, constant
from domain.optimization.fast.mean_variance import solver_version
from domain.optimization.fast.stage import Stage, risk_of_weights
from domain.optimization.feasible import FeasibleSet
from domain.optimization.infeasibility import is_feasible
from domain.optimization.objectives import RiskBudget
from domain.optimization.problem import Problem
from domain.optimization.solution import VIOLATION_TOLERANCE, Candidate, Engine
from domain.risk.measures import to_first_degree

NO_RISK = 1e-12
"""Relative to the largest of the assets, a risk of this or less is rounding."""


def scenario_risk_budget(
    problem: Problem, limits: FeasibleSet, objective: RiskBudget, on_progress: Callable[[], None]
) -> Candidate | None:
    """The portfolio with the budgets, bounded where a limit binds; None where no weights keep the limits at all.

    Raises NotSupported where the measure of some direction is not positive, so that no such portfolio exists, and where
    the limits leave bounded budgets undefined.
    """
    budget = problem.budget
    if budget <= 0.0:
        raise InvalidInput("leverage.budget", "must be above 0: risk budgets are shares of a long portfolio")
    size, risk = limits.size, problem.risk
    shares = np.full(size, 1.0 / size) if objective.budgets is None else objective.budgets / objective.budgets.sum()
    own_risks = np.array([risk.of(unit) for unit in np.eye(size)])
    if (own_risks <= NO_RISK * np.abs(own_risks).max()).any() or not own_risks.any():
        symbol = problem.moments.symbols[int(np.argmin(own_risks))]
        raise InvalidInput("risk_measure", f"a risk budget needs every asset's risk above 0, that of {symbol} is not")
    model = ConeModel(time_limit_seconds=problem.options.time_limit_seconds)
    weights = model.positive(size)
    made = Stage(model, weights, constant(1.0))
    logs = model.variables(size)
    model.exponential(logs, constant(np.ones(size)), weights)
    model.minimise(risk_of_weights(made, risk, weights) - logs.total(shares))
    answer = model.solve()
    if answer is None:
        raise SolverFailed("Clarabel takes the positive portfolios for none")
    point = weights.value(answer.point)

    def value(y: Vector) -> float:
        return to_first_degree(risk.of(y), risk.measure.degree) / risk.unit - float(shares @ np.log(y))

    # At the optimum the risk is one: all else is known up to that scale.
    own = to_first_degree(risk.of(point), risk.measure.degree) / risk.unit
    if (point > 0.0).all() and own > NO_RISK and not 0.5 < own < 2.0:
        raise SolverFailed(f"Clarabel's budgets of {risk.measure} miss their scale by {own:.2g}")
    if not (point > 0.0).all() or own <= NO_RISK:
        raise NotSupported(f"no portfolio has these budgets of {risk.measure}: it is not above 0 for all of them")
    found = point * (budget / point.sum())
    if limits.violation(found) > VIOLATION_TOLERANCE:
        if not is_feasible(limits):
            return None
        return bounded_budget(problem, limits, Shares(None, shares), found, on_progress)
    gap = max(value(point / own) - answer.bound, 0.0)
    return Candidate(found, Engine.FAST, "clarabel", solver_version("clarabel"), answer.iterations, gap)
