"""Risk budgets in any measure that is convex and homogeneous of degree one: CVaR, drawdowns, deviations.

The weights whose Euler contributions are in the proportions b are y / sum y, y minimising risk(y) - sum b ln y
(Bruder & Roncalli 2012; Mausser & Romanko 2014). A measure of degree two is taken by its root, whose contributions
are the same fractions. Within limits that bind they are bounded, as `constrained_risk_budget` says.
"""

import numpy as np

from domain.checks import Vector
from domain.errors import InvalidInput, SolverFailed, UnboundedProblem
from domain.optimization.conic.conic_problem import ConicProblem, risk_epigraph
from domain.optimization.feasibility import is_feasible
from domain.optimization.problem.feasible_set import FeasibleSet
from domain.optimization.problem.portfolio_risk import PortfolioRisk
from domain.optimization.problem.problem import Problem
from domain.optimization.programs.affine import constant
from domain.optimization.programs.conic_model import ConicModel
from domain.optimization.programs.conic_program import ConicSolution
from domain.optimization.programs.solver_control import SolverControl
from domain.optimization.programs.solver_info import solver_version
from domain.optimization.request.objectives import RiskBudget
from domain.optimization.risk_budgeting.constrained_risk_budget import BudgetedExposures, constrained_risk_budget
from domain.optimization.solution import Candidate, Engine
from domain.optimization.tolerances import FEASIBILITY_TOLERANCE, GAP_TOLERANCE
from domain.risk.measures import to_first_degree

NO_RISK = 1e-12
"""Relative to the largest of the assets, a risk of this or less is rounding."""

RISKLESS = 1e-5
"""Risk of a long portfolio of assets of risk one, below which it is rounding: the root of that for variances."""


def scenario_risk_budget(
    problem: Problem, limits: FeasibleSet, objective: RiskBudget, control: SolverControl
) -> Candidate | None:
    """The portfolio with the budgets, bounded where a limit binds; None where no weights keep the limits at all.

    Raises UnboundedProblem where some long portfolio has a risk of 0 or less, so that no such portfolio exists, and
    NotSupported where the limits leave bounded budgets undefined.
    """
    budget = problem.budget
    if budget <= 0.0:
        raise InvalidInput(
            problem.budget_field, "must be above 0: risk budgets are fractions of a long portfolio's risk"
        )
    size, risk = limits.n_assets, problem.risk
    fractions = np.full(size, 1.0 / size) if objective.budgets is None else objective.budgets / objective.budgets.sum()
    own_risks = np.array([risk.of(unit) for unit in np.eye(size)])
    first_degree = np.array([to_first_degree(one, risk.measure.degree) for one in own_risks.tolist()])
    if (own_risks <= NO_RISK * np.abs(own_risks).max()).any() or (first_degree <= NO_RISK * risk.scale).any():
        symbol = problem.moments.symbols[int(np.argmin(own_risks))]
        raise InvalidInput("risk_measure", f"a risk budget needs every asset's risk above 0, that of {symbol} is not")
    model = ConicModel(control=control)
    weights = model.positive(size)
    conic = ConicProblem(model, weights, constant(1.0))
    logs = model.variables(size)
    model.exponential(logs, constant(np.ones(size)), weights)
    model.minimise(risk_epigraph(conic, risk, weights) - logs.total(fractions))
    try:
        answer = model.solve()
        if answer is None:
            raise SolverFailed("Clarabel takes the positive portfolios for none")
        point, gap = _at_scale_one(risk, fractions, weights.value(answer.point), answer)
    except (SolverFailed, UnboundedProblem) as error:
        _refuse_riskless(problem, own_risks, control)
        if isinstance(error, SolverFailed):
            raise
        raise SolverFailed(f"Clarabel takes budgets of {risk.measure} for unbounded") from error
    if gap > GAP_TOLERANCE:
        _refuse_riskless(problem, own_risks, control)
    found = point * (budget / point.sum())
    if limits.violation(found) > FEASIBILITY_TOLERANCE:
        if not is_feasible(limits):
            return None
        return constrained_risk_budget(problem, limits, BudgetedExposures(None, fractions), found, control)
    return Candidate(found, Engine.FAST, "clarabel", solver_version("clarabel"), answer.iterations, gap)


def _at_scale_one(risk: PortfolioRisk, fractions: Vector, point: Vector, answer: ConicSolution) -> tuple[Vector, float]:
    """The minimiser at a risk of one, which it has at the optimum, and its gap. Raises SolverFailed far from that."""
    own = to_first_degree(risk.of(point), risk.measure.degree) / risk.scale
    if not (point > 0.0).all() or not 0.5 < own < 2.0:
        raise SolverFailed(f"Clarabel's budgets of {risk.measure} miss their scale by {own:.2g}")
    scaled = point / own
    value = to_first_degree(risk.of(scaled), risk.measure.degree) / risk.scale - float(fractions @ np.log(scaled))
    return scaled, max(value - answer.bound, 0.0)


def _refuse_riskless(problem: Problem, own_risks: Vector, control: SolverControl) -> None:
    """Raises UnboundedProblem where some long portfolio has no risk, or less: then budgets of it do not exist."""
    risk = problem.risk
    # Each asset scaled to a risk of one, so that a long portfolio of no risk stands out from small assets.
    sizes = np.array([to_first_degree(one, risk.measure.degree) for one in own_risks.tolist()]) / risk.scale
    model = ConicModel(control=control)
    parts = model.positive(len(sizes))
    model.zero(parts.total() - 1.0)
    conic = ConicProblem(model, parts.times(1.0 / sizes), constant(1.0))
    model.minimise(risk_epigraph(conic, risk, conic.weights))
    answer = model.solve()
    if answer is None:
        return
    least = conic.weights.value(answer.point)
    if to_first_degree(max(risk.of(least), 0.0), risk.measure.degree) / risk.scale <= RISKLESS:
        raise UnboundedProblem(
            f"budgets of {risk.measure} do not exist: a long portfolio of these assets has a risk of 0 or less"
        )
